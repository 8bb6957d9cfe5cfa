"""Both sides of the protocol between Python and the browser say the same; components are where they are looked for."""

import re
from types import NoneType, UnionType
from typing import Literal, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from pages.ui import protocol
from pages.ui.modalities import protocol as of_modalities
from tests.app import fake

WEB = fake.ROOT / "assets" / "web"
SCALARS = {str: "string", int: "number", float: "number", bool: "boolean", NoneType: "null"}


def typescript(kind):
    """A type of Python as protocol.d.ts writes it."""
    if kind in SCALARS:
        return SCALARS[kind]
    if is_typeddict(kind):
        return kind.__name__
    origin, parts = get_origin(kind), get_args(kind)
    if origin is NotRequired:
        return typescript(parts[0])
    if origin is Literal:
        return " | ".join(f'"{part}"' for part in parts)
    if origin is UnionType:
        return " | ".join(map(typescript, parts))
    if origin is tuple:
        return f"[{', '.join(map(typescript, parts))}]"
    assert origin is list, f"the protocol knows no {kind}"
    item = typescript(parts[0])
    return f"({item})[]" if "|" in item and get_origin(parts[0]) is UnionType else f"{item}[]"


def python_side():
    """{name: {key: (type, is optional)}} of the TypedDicts."""
    return {
        name: {
            key: (typescript(kind), key in side.__optional_keys__)
            for key, kind in get_type_hints(side, include_extras=True).items()
        }
        for name, side in (vars(protocol) | vars(of_modalities)).items()
        if is_typeddict(side) and not name.startswith("_")
    }


def browser_side(text):
    """The same of the interfaces in protocol.d.ts, by the grammar that its head describes."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    interface = re.compile(r"export interface (\w+) \{([^{}]*)\}")
    assert not interface.sub("", text).strip(), "not of the grammar"
    sides = {}
    for name, body in interface.findall(text):
        members = [re.fullmatch(r"(\w+)(\??): (.+)", " ".join(part.split())) for part in body.split(";")[:-1]]
        assert all(members), f"not of the grammar: {body}"
        sides[name] = {member[1]: (member[3], bool(member[2])) for member in members}
    return sides


def test_both_sides_of_the_protocol_are_equal():
    assert python_side() == browser_side((WEB / "protocol.d.ts").read_text())


def test_a_difference_would_be_seen():
    text = (WEB / "protocol.d.ts").read_text()
    for old, new in (
        ("title: string;", "title?: string;"),
        ("nonce: number;", "nonce: string;"),
        ("  close_zoom: number | null;", ""),
        ("export interface Pose ", "export interface Posture "),
    ):
        assert old in text
        assert python_side() != browser_side(text.replace(old, new, 1)), new


@pytest.mark.parametrize("path", sorted((fake.ROOT / "pages").rglob("*.py")), ids=lambda path: path.stem)
def test_components_and_style_sheets_are_where_pages_look_for_them(path):
    text = path.read_text()
    names = re.findall(r'partial\(\s*component,\s*"([^"]+)"', text)
    scripts = [f"components/{name}/{name}.js" for name in names]
    for file in [*scripts, *re.findall(r"""["']/web/([^"'{]+)["']""", text)]:
        assert (WEB / file).is_file(), file


def test_every_component_has_a_page_that_draws_it():
    text = "".join(path.read_text() for path in (fake.ROOT / "pages").rglob("*.py"))
    scripts = [path for path in (WEB / "components").glob("*/*.js") if "export function render" in path.read_text()
               or "export async function render" in path.read_text()]  # fmt: skip
    assert {path.stem for path in scripts} == set(re.findall(r'partial\(\s*component,\s*"([^"]+)"', text))
