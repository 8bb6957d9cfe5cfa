"""Damaged manifests, configurations, figures and cached files: told in a sentence or computed again."""

import copy
import json
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.atlas.tiny import write_tiny_atlas
from tests.explorable import use_hashed_sentences, write_explorable_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.config import read_json
from unigeoclip.errors import AtlasError, CheckpointError, InputError, UniGeoError
from unigeoclip.files import cache
from unigeoclip.files.cache import cache_array, cached_array
from unigeoclip.model import load_model
from unigeoclip.search.explorer import Explorer

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.sampled_from([0, -1, 1, 2**31, 10**400, 1e308, -0.0, 1e-320, "", "../x", "/etc/passwd", "\0", "é" * 300])
    | st.floats()
    | st.text(max_size=20)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


def places_in(value, path=()):
    """Paths of all values inside a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places_in(value[key], (*path, key))


def changed(value, changes):
    """A JSON value with some of its parts replaced, removed or added."""
    value = copy.deepcopy(value)
    for number, kind, new in changes:
        places = list(places_in(value))
        *parents, last = places[number % len(places)] or (None,)
        if last is None:
            value = new if kind == "replace" else value
            continue
        inner = value
        for key in parents:
            inner = inner[key]
        if kind == "replace":
            inner[last] = new
        elif kind == "remove":
            del inner[last]
        elif isinstance(inner, dict):
            inner[f"{last}2"] = new
        else:
            inner.append(new)
    return value


CHANGES = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from(["replace", "remove", "add"]), VALUES), min_size=1, max_size=3
)


def cut(data, cuts):
    """Bytes with some of them flipped, and an end cut off or added."""
    data = bytearray(data)
    for at, bits in cuts[1]:
        if data:
            data[at % len(data)] ^= bits
    return bytes(data[: len(data) * cuts[0] // 100]) + cuts[2]


CUTS = st.tuples(
    st.integers(0, 100) | st.just(100),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), max_size=4),
    st.binary(max_size=8),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    return write_tiny_atlas(folder / "plain"), write_explorable_atlas(folder / "full"), folder


def refusal(kind, action):
    """What an error of this kind says; nothing if the action succeeds. Any other error goes through."""
    try:
        action()
    except kind as error:
        return str(error) or "(nothing)"
    return None


@contextmanager
def holding(file, data):
    """A file with another content, for a while."""
    good = file.read_bytes()
    try:
        file.write_bytes(data)
        yield
    finally:
        file.write_bytes(good)


@given(data=st.binary(max_size=60) | st.text('[]{}",:0123456789eE.-ntfNaI\\u', max_size=60).map(str.encode))
def test_any_bytes_as_json(tmp_path, data):
    (tmp_path / "x.json").write_bytes(data)
    said = refusal(InputError, lambda: json.dumps(read_json(tmp_path / "x.json")))
    assert said is None or "x.json" in said


@given(changes=CHANGES)
def test_a_changed_manifest(made, changes):
    file = made[0] / "atlas.json"
    with holding(file, json.dumps(changed(json.loads(file.read_text()), changes)).encode()):
        said = refusal(AtlasError, lambda: load_atlas(made[0]))
        assert said is None or str(made[0]) in said
        if said is None:
            said = refusal(InputError, lambda: load_atlas(made[0]).land_grid())
            assert said is None or "grid" in said


@given(cuts=CUTS)
def test_damaged_bytes_of_a_manifest(made, cuts):
    file = made[0] / "atlas.json"
    with holding(file, cut(file.read_bytes(), cuts)):
        said = refusal(AtlasError, lambda: load_atlas(made[0]))
        assert said is None or str(made[0]) in said


@given(changes=CHANGES)
def test_a_changed_configuration_of_a_model(made, changes, fenced):
    file = made[1] / "model" / "config.json"
    data = json.dumps(changed(json.loads(file.read_text()), changes)).encode()
    with holding(file, data), fenced():
        said = refusal(CheckpointError, lambda: load_model(file.parent))
        assert said is None or "model" in said


@given(cuts=CUTS)
def test_damaged_weights(made, cuts):
    file = made[1] / "model" / "model.safetensors"
    with holding(file, cut(file.read_bytes(), cuts)):
        said = refusal(CheckpointError, lambda: load_model(file.parent))
        assert said is None or "model" in said


@given(changes=CHANGES)
def test_changed_figures_of_a_model(made, changes):
    figures = changed({"unlike": {"aerial": 0.5, "surface": 0.1}, "split": "random"}, changes)
    with holding(made[1] / "model" / "metrics.json", json.dumps(figures).encode()):
        assert refusal(UniGeoError, lambda: Explorer.open(made[1], made[2] / "cache")) != "(nothing)"


ARRAY = np.arange(300, dtype=np.float32).reshape(10, 30)


@given(cuts=CUTS, which=st.sampled_from(["x.npy", "x.npy.sha256"]), again=st.booleans())
def test_a_damaged_file_of_the_cache_is_never_believed(tmp_path, cuts, which, again):
    path = tmp_path / "x.npy"
    cache_array(path, ARRAY)
    good = (tmp_path / which).read_bytes()
    bad = cut(good, cuts)
    (tmp_path / which).write_bytes(bad)
    if again:
        cache._state.verified.clear()
    found = cached_array(path, ARRAY.shape, ARRAY.dtype)
    if bad == good or (which != "x.npy" and not again):
        np.testing.assert_array_equal(found, ARRAY)
    elif which == "x.npy":
        assert found is None
    elif found is not None:  # another spelling of the same checksum
        np.testing.assert_array_equal(found, ARRAY)


@given(cuts=CUTS, number=st.integers(0, 20))
def test_an_atlas_with_a_damaged_cache_gives_the_same_answers(made, cuts, number):
    use_hashed = pytest.MonkeyPatch()
    with use_hashed.context() as patch:
        use_hashed_sentences(patch)
        good = Explorer.open(made[1], made[2] / "cache")
        files = sorted(path for path in (made[2] / "cache").rglob("*") if path.is_file())
        path = files[number % len(files)]
        path.write_bytes(cut(path.read_bytes(), cuts))
        cache._state.verified.clear()
        again = Explorer.open(made[1], made[2] / "cache")
    np.testing.assert_array_equal(again.cells, good.cells)
