"""The page as one file and as a folder: strict, self-contained, whole or not at all."""

import base64
import hashlib
import json
import re
import shutil
import subprocess

import pytest

from unigeoclip.errors import InputError, UniGeoError
from unigeoclip.paths import ASSETS
from unigeoclip.site import builder
from unigeoclip.site.bundle import bundle
from unigeoclip.site.content import with_query

pytestmark = pytest.mark.slow

SITE = ASSETS / "web" / "site"


@pytest.fixture(scope="module")
def page(material, asked):
    content = builder.single_contents([material])[0]
    return builder.page_of([with_query(content, material.explorer, asked)]).decode()


@pytest.fixture(scope="module")
def files(material):
    return builder.site_files([material])


def policy(html):
    rules = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1].split("; ")
    return {rule.split()[0]: rule.split()[1:] for rule in rules}


def elements(html):
    """Attributes and text of every script of a page."""
    return re.findall(r"<script([^>]*)>(.*?)</script>", html, re.DOTALL)


def test_one_file_runs_its_own_scripts_only_and_asks_for_nothing(page):
    rules = policy(page)
    assert rules["default-src"] == ["'none'"]
    assert "connect-src" not in rules
    run = [text for attributes, text in elements(page) if not attributes]
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in run]
    assert rules["script-src"] == [*hashes, "'wasm-unsafe-eval'"]
    assert len(run) == 2
    assert not re.search(r"<(?:link|img|iframe)\b|\bsrc=", page.split('<script type="application/octet-stream"')[0])


def test_no_text_of_a_person_ends_an_element(page):
    told = next(text for attributes, text in elements(page) if 'id="about"' in attributes)
    assert "<" not in told
    assert json.loads(told)["atlases"][0]["examples"][0]["title"].startswith("</script><b>pond")


def test_parts_stand_in_the_file(page):
    held = {re.search('id="part:([^"]+)"', attributes)[1] for attributes, _ in elements(page) if "octet" in attributes}
    told = json.loads(next(text for attributes, text in elements(page) if 'id="about"' in attributes))
    assert told["files"] == {}
    assert {model["part"] for model in told["atlases"][0]["models"]} < held
    assert "worker" in held


def test_addresses_of_a_site_are_relative(files):
    html = files["index.html"].decode()
    for address in re.findall(r'(?:src|href)="([^"]+)"', html):
        assert address in files
    told = json.loads(next(text for attributes, text in elements(html) if 'id="about"' in attributes))
    assert set(told["files"].values()) < set(files)
    assert told["offline"] == "sw.js"
    assert policy(html)["connect-src"] == ["'self'"]
    manifest = json.loads(files["site.webmanifest"])
    assert manifest["start_url"] == manifest["scope"] == "./"
    assert all(icon["src"] in files for icon in manifest["icons"])


def test_the_service_worker_keeps_what_the_first_page_needs(files):
    text = files["sw.js"].decode()
    at_once = json.loads(re.search(r"(\[[^\]]*\"\./\"[^\]]*\])", text)[1])
    assert set(at_once) - {"./"} <= set(files)
    assert {name for name in files if name.startswith("parts/madeup-")} <= set(at_once)
    assert "{{" not in text


@pytest.mark.parametrize("entry", ["app.js", "worker.js"])
def test_scripts_become_one(entry):
    text = bundle(SITE / entry)
    assert not re.search(r"^\s*(?:import|export)\b", text, re.MULTILINE)
    if node := shutil.which("node"):
        subprocess.run([node, "--check", "-"], input=text.encode(), check=True)


def test_modules_keep_their_own_names(tmp_path):
    (tmp_path / "a.js").write_text("const hidden = 1;\nexport const shown = () => hidden;\n")
    (tmp_path / "b.js").write_text(
        'import { shown as first } from "./a.js";\nconst hidden = 2;\nexport function sum() {\n'
        "  return first() + hidden;\n}\nglobalThis.found = sum();\n"
    )
    text = bundle(tmp_path / "b.js")
    if node := shutil.which("node"):
        done = subprocess.run([node, "-e", text + "console.log(globalThis.found)"], capture_output=True, check=True)
        assert done.stdout == b"3\n"


@pytest.mark.parametrize("line", ["export default 1;", 'import all from "./a.js";', "const here = import.meta.url;"])
def test_other_forms_of_modules_are_refused(tmp_path, line):
    (tmp_path / "a.js").write_text(line + "\n")
    with pytest.raises(UniGeoError, match=r"a\.js cannot be put into one file"):
        bundle(tmp_path / "a.js")


def test_what_is_too_large_is_kept_more_coarsely_and_then_refused(material, monkeypatch):
    said = []
    whole = sum(len(data) for name, data in builder.site_files([material]).items() if name.startswith("parts/"))
    monkeypatch.setattr(builder, "ATLAS_BYTES", whole - 1)
    less = sum(len(data) for name, data in builder.site_files([material], said.append).items() if "parts/" in name)
    assert less < whole
    assert any("a coarser grid is made" in line for line in said)
    monkeypatch.setattr(builder, "ATLAS_BYTES", 1000)
    with pytest.raises(InputError, match="The atlas 'madeup' would take"):
        builder.site_files([material])


# Folders


def held(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_site_replaces_one_that_was_written_before(tmp_path):
    out = tmp_path / "public"
    builder.write_site(out, {"index.html": b"1", "parts/old.bin": b"2"})
    builder.write_site(out, {"index.html": b"3"})
    assert held(out) == {"index.html", builder.MARKER}
    assert (out / "index.html").read_bytes() == b"3"
    assert [path.name for path in tmp_path.iterdir()] == ["public"]


def test_a_folder_of_others_is_left_alone(tmp_path):
    for content in ("notes.txt", builder.MARKER):
        out = tmp_path / content
        out.mkdir()
        (out / content).write_text("[]")
        with pytest.raises(InputError, match="did not write"):
            builder.write_site(out, {"index.html": b""})
        assert held(out) == {content}
    out = tmp_path / "public"
    builder.write_site(out, {"index.html": b"1"})
    (out / "CNAME").write_text("example.org")
    with pytest.raises(InputError, match="'CNAME', which 'unigeoclip site' did not write"):
        builder.write_site(out, {"index.html": b"2"})
    assert (out / "index.html").read_bytes() == b"1"


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    out = tmp_path / "public"
    builder.write_site(out, {"index.html": b"1"})
    with pytest.raises(InputError, match="cannot be written"):
        builder.write_site(out, {"index.html": b"2", "x" * 300: b""})
    assert (out / "index.html").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["public"]
