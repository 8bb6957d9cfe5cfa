"""Dataclasses to JSON and back, strictly."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from unigeoclip.config import from_dict, read_json, to_dict, write_json
from unigeoclip.errors import InputError


@dataclass(frozen=True)
class Inner:
    sizes: tuple[int, ...] = (1, 2)
    name: str | None = None


@dataclass(frozen=True)
class Outer:
    ratio: float
    inner: Inner = field(default_factory=Inner)
    table: dict[str, Inner] = field(default_factory=dict)


def test_round_trip(tmp_path):
    value = Outer(2.0, Inner((3, 4), "x"), {"a": Inner()})
    path = tmp_path / "value.json"
    write_json(path, value)
    assert from_dict(Outer, read_json(path)) == value
    assert [p.name for p in tmp_path.iterdir()] == ["value.json"]


def test_whole_numbers_pass_as_floats():
    assert from_dict(Outer, {"ratio": 3}).ratio == 3.0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"ratio": 1.0, "rato": 2}, "unknown key 'rato'"),
        ({}, "'ratio' is missing"),
        ({"ratio": "1"}, "ratio: expected float"),
        ({"ratio": True}, "ratio: expected float"),
        ({"ratio": 1.0, "inner": {"sizes": [1, "2"]}}, r"inner.sizes\[1\]: expected int"),
        ({"ratio": 1.0, "inner": 3}, "inner: expected an object"),
    ],
)
def test_mistakes_are_named(data, words):
    with pytest.raises(InputError, match=words):
        from_dict(Outer, data)


def test_not_json(tmp_path):
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(InputError, match="not valid JSON"):
        read_json(tmp_path / "broken.json")
    with pytest.raises(InputError, match="does not exist"):
        read_json(tmp_path / "missing.json")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "1" * 5000, '{"a": NaN}', "[Infinity]", "\ud800".encode("utf-8", "surrogatepass"), ""]
)
def test_json_that_python_chokes_on(tmp_path, text):
    path = tmp_path / "strange.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=r"strange\.json is not valid JSON"):
        read_json(path)


def test_json_that_is_no_file(tmp_path):
    with pytest.raises(InputError, match="no regular file"):
        read_json(tmp_path)
    with pytest.raises(InputError, match="no regular file"):
        read_json(Path("/dev/zero"))


@pytest.mark.parametrize("number", [10**400, float("inf"), float("nan")])
def test_numbers_that_are_not_finite(number):
    with pytest.raises(InputError, match=r"ratio: the number is too large"):
        from_dict(Outer, {"ratio": number})


def test_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "value.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert to_dict(read_json(path)) == {"a": 1}
