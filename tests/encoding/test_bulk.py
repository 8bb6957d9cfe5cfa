"""Encoding in one process: what is in a store, resuming, refusals."""

import json
import shutil

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from tests.encoding.conftest import OPTIONS
from tests.encoding.stores import job_of, parts_of
from tests.explorable import use_hashed_sentences
from unigeoclip.atlas.models import load_fitting
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.encoding import decoded, encode_atlas, read_parts, store_manifest
from unigeoclip.encoding.worker import claim, work
from unigeoclip.errors import InputError
from unigeoclip.s2_cells import cell_ids
from unigeoclip.search.gallery_embeddings import encode_places


def test_a_store_has_every_place_in_every_modality(atlas, tmp_path, monkeypatch):
    use_hashed_sentences(monkeypatch)
    done = encode_atlas(atlas, tmp_path / "store", quiet=True)
    manifest = store_manifest(tmp_path / "store")
    assert manifest == done.manifest
    assert manifest.level == 0  # 60 places are few
    assert manifest.modalities == {"location": 60, "aerial": 60, "surface": 60, "text": 60}
    assert done.added == len(manifest.partitions) > 1
    table = pa.concat_tables(read_parts(tmp_path / "store"))
    frame = table.to_pandas()
    assert len(frame) == manifest.rows == 240
    assert not frame.duplicated(["place_id", "modality"]).any()
    cells = cell_ids(frame[["lat", "lon"]].to_numpy(), 30)
    assert (np.diff(cells.astype(object)) >= 0).all(), "not along S2, over all parts"
    model, vectors = load_fitting(atlas), decoded(table, manifest.emb)
    places = atlas.places.set_index("place_id")
    for name in manifest.modalities:
        mine = (frame["modality"] == name).to_numpy()
        rows = atlas.places.index[atlas.places["place_id"].searchsorted(frame.loc[mine, "place_id"])].to_numpy()
        expected = encode_places(model, atlas, name, rows)
        np.testing.assert_allclose(vectors[mine], expected, atol=1e-3)
        assert (frame.loc[mine, "lat"].to_numpy() == places.loc[frame.loc[mine, "place_id"], "lat"].to_numpy()).all()


def test_a_part_is_geoparquet(serial, atlas):
    for part in store_manifest(serial).partitions:
        file = serial / part.file
        frame = gpd.read_parquet(file)
        assert (len(frame), frame["place_id"].nunique()) == (part.rows, part.places)
        assert (frame.geometry.y == frame["lat"]).all()
        assert (frame.geometry.x == frame["lon"]).all()
        west, south, east, north = frame.total_bounds
        assert part.bounds == (south, west, north, east)
        assert frame["vector"].iloc[0].dtype == np.float16
        middle = (west, (south + north) / 2, east, north + 1)
        inside = gpd.read_parquet(file, bbox=middle)
        assert set(inside["place_id"]) == set(frame.loc[frame["lat"] >= middle[1], "place_id"])
    emb = json.loads(pq.read_schema(file).metadata[b"emb"])
    assert emb == json.loads((serial / "store.json").read_text())["emb"]
    assert emb["model_id"] == checkpoint_id(atlas.model_path)
    assert (emb["atlas"], emb["data_hash"], emb["dim"]) == ("tiny", atlas.data_hash, 16)
    assert (emb["dtype"], emb["scale"], emb["normalized"]) == ("float16", 1.0, True)
    assert emb["sources"] == [{"name": "Nothing real", "licence": "CC0", "attribution": "nobody"}]


def test_int8_errs_by_half_a_step_at_most(atlas, serial, tmp_path):
    encode_atlas(atlas, tmp_path / "store", dtype="int8", quiet=True, **OPTIONS)
    emb = store_manifest(tmp_path / "store").emb
    assert emb.scale == 1 / 127
    for small, full in zip(read_parts(tmp_path / "store"), read_parts(serial), strict=True):
        assert small["place_id"] == full["place_id"]
        steps = np.stack(small["vector"].to_pylist())
        assert abs(steps).max() <= 127
        exact = np.stack(full["vector"].to_pylist()).astype(np.float32)
        assert abs(steps * emb.scale - exact).max() <= 0.5 / 127 + 5e-4  # float16 errs, too
        assert ((decoded(small, emb) * exact).sum(axis=1) > 0.999).all()


def test_bytes_do_not_depend_on_threads(atlas, serial, tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        encode_atlas(atlas, tmp_path / "store", quiet=True, **OPTIONS)
    finally:
        torch.set_num_threads(before)
    assert parts_of(tmp_path / "store") == parts_of(serial)


def test_what_is_there_is_kept(atlas, serial, tmp_path):
    """Interrupted in the middle, with a stale claim and half a part: the rest is added, and nothing is made again."""
    store = tmp_path / "store"
    shutil.copytree(serial, store)
    files = sorted((store / "parts").iterdir())
    for file in files[::2]:
        file.unlink()
    (store / "parts" / ".0123456789abcdef.77.1.tmp").write_bytes(files[1].read_bytes()[:100])
    (store / "claims" / f"{files[0].stem}.0").write_text("a worker that died")
    stamps = {file: file.stat().st_mtime_ns for file in files[1::2]}
    with pytest.raises(InputError, match=rf"{len(files[::2])} of {len(files)} parts are missing"):
        next(read_parts(store))
    done = encode_atlas(atlas, store, quiet=True, modalities=OPTIONS["modalities"])
    assert (done.added, done.manifest.level) == (len(files[::2]), OPTIONS["level"])
    assert {file: file.stat().st_mtime_ns for file in stamps} == stamps
    assert parts_of(store) == parts_of(serial)
    again = encode_atlas(atlas, store, quiet=True, **OPTIONS)
    assert (again.added, again.rows) == (0, 0)


def test_workers_take_what_others_have_not_claimed_first(atlas, serial, tmp_path):
    store = tmp_path / "store"
    shutil.copytree(serial, store)
    shutil.rmtree(store / "parts")
    tokens = [part.token for part in store_manifest(store).partitions]
    job = job_of(atlas, store)
    first = work(job, lambda *_: None)
    mine = {next(first), next(first)}
    from unigeoclip.encoding.storage import open_storage

    claimed = next(token for token in tokens if token not in mine)
    assert claim(open_storage(store), claimed, 0)
    second = list(work(job, lambda *_: None))
    assert second[-1] == claimed, "made by whoever has nothing else to do: its worker may be dead"
    assert sorted([*mine, *second]) == sorted(tokens)
    assert list(first) == []


def test_reading_a_rectangle_and_some_columns(serial, atlas):
    places = atlas.places
    for bbox in [(-20.0, 12.5, 30.5, 50.0), (-90.0, 30.0, 90.0, -30.0)]:
        south, west, north, east = bbox
        lon = places["lon"]
        inside = places["lat"].between(south, north)
        inside &= lon.between(west, east) if west <= east else (lon >= west) | (lon <= east)
        tables = list(read_parts(serial, ["place_id", "modality"], bbox))
        assert all(table.column_names == ["place_id", "modality"] and len(table) for table in tables)
        found = pa.concat_tables(tables).to_pandas()
        assert 0 < len(found) == 3 * inside.sum() < 180
        assert set(found["place_id"]) == set(places.loc[inside, "place_id"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"columns": ["vectors"]}, "no column 'vectors'; it has place_id, modality"),
        ({"bbox": (10.0, 0.0, 5.0, 1.0)}, "no rectangle"),
        ({"bbox": (0.0, 0.0, float("nan"), 1.0)}, "no rectangle"),
    ],
)
def test_reading_what_is_not_there(serial, options, words):
    with pytest.raises(InputError, match=words):
        next(read_parts(serial, **options))


def test_parts_of_another_store_are_not_read(serial, atlas, tmp_path):
    store = tmp_path / "store"
    encode_atlas(atlas, store, dtype="int8", quiet=True, **OPTIONS)
    part = store_manifest(store).partitions[0]
    shutil.copy(serial / part.file, store / part.file)
    with pytest.raises(InputError, match="not of this store"):
        next(read_parts(store))
    (store / part.file).write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match="cannot be read"):
        next(read_parts(store))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dtype": "int8"}, "made for --dtype float16, not int8"),
        ({"modalities": ["location"]}, "continue with --modalities location,aerial,surface"),
        ({"level": 5}, "made for --partition-level 2, not 5"),
    ],
)
def test_another_store_in_the_same_place(atlas, serial, options, words):
    before = parts_of(serial)
    with pytest.raises(InputError, match=words):
        encode_atlas(atlas, serial, quiet=True, **{**OPTIONS, **options})
    assert parts_of(serial) == before


def test_another_model_in_the_same_place(atlas, serial, tmp_path):
    from tests.explorable import CONFIG
    from unigeoclip.model import UniGeoCLIP, save_model

    torch.manual_seed(1)
    save_model(UniGeoCLIP(CONFIG).eval(), tmp_path / "model")
    with pytest.raises(InputError, match="made for the model"):
        encode_atlas(atlas.with_model(tmp_path / "model"), serial, quiet=True, **OPTIONS)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"modalities": ["street"]}, "no modality 'street'"),
        ({"dtype": "float64"}, "not as 'float64'"),
        ({"workers": 0}, "1 to 256 workers"),
        ({"scheduler": "10.0.0.5:8786"}, "tcp://"),
        ({"scheduler": "tcp://host:1/x y"}, "tcp://"),
    ],
)
def test_options_that_cannot_be(atlas, tmp_path, options, words):
    with pytest.raises(InputError, match=words):
        encode_atlas(atlas, tmp_path / "store", quiet=True, **options)
    assert not (tmp_path / "store").exists()


def test_a_folder_of_something_else(atlas, tmp_path):
    (tmp_path / "thesis.txt").write_text("do not lose")
    with pytest.raises(InputError, match="holds other files"):
        encode_atlas(atlas, tmp_path, quiet=True)
    assert parts_of(tmp_path) == {"thesis.txt": b"do not lose"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text[:50], "not valid JSON"),
        (lambda text: text.replace('"format": 1', '"format": 7'), "format 7"),
        (lambda text: text.replace('"token": "', '"token": "../', 1), "damaged"),
        (lambda text: text.replace('"float16"', '"complex"'), "not known"),
        (lambda text: text.replace('"level"', '"depth"'), "depth"),
    ],
)
def test_damaged_manifests(serial, tmp_path, change, words):
    (tmp_path / "store.json").write_text(change((serial / "store.json").read_text()))
    with pytest.raises(InputError, match=words):
        store_manifest(tmp_path)


def test_a_worker_with_other_data_refuses(atlas, serial, tmp_path):
    from dataclasses import replace

    from unigeoclip.encoding.worker import encode_part

    store = tmp_path / "store"
    shutil.copytree(serial, store)
    token = store_manifest(store).partitions[0].token
    with pytest.raises(InputError, match="is not that of"):
        encode_part(replace(job_of(atlas, store), data_hash="0" * 12), token)


# The command


def test_the_command(folder, serial, tmp_path, capsys):
    from unigeoclip.cli.main import main

    options = ["--atlas", str(folder), "--out", str(tmp_path / "store"), "--modalities", "location,aerial,surface"]
    assert main(["encode", *options, "--partition-level", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["added"]) == (180, found["parts"])
    assert found["emb"]["dtype"] == "float16"
    assert parts_of(tmp_path / "store") == parts_of(serial)
    for more, words in [
        (["--dtype", "int8"], "made for --dtype float16"),
        (["--workers", "2", "--scheduler", "tcp://127.0.0.1:8786"], "give one of them"),
        (["--scheduler", "somewhere"], "tcp://"),
    ]:
        assert main(["encode", *options, *more]) == 2
        printed = capsys.readouterr()
        assert words in printed.err
        assert printed.err.count("\n") == 1
