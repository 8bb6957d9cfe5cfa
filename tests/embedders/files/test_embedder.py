"""Files of embeddings by their address, and what outputs say of them."""

import numpy as np
import pytest

from tests.embedders.files.made import spread_out, unit_vectors, write_alphaearth, write_table
from unigeoclip.embedders import PartialEmbedder, is_of_an_atlas, load_embedder
from unigeoclip.embedders.around import Around
from unigeoclip.embedders.files import FileAddress, checksum
from unigeoclip.errors import InputError

LATLON = spread_out(6, 8)


@pytest.fixture
def path(tmp_path):
    return write_table(tmp_path / "A table.parquet", LATLON, unit_vectors((6, 8), 5).reshape(-1, 5))


def test_name_checksum_license_and_credit_are_recorded(path):
    embedder = load_embedder(f"file:{path}?license=CC+BY+4.0&credit=Somebody")
    assert embedder.name.startswith("file-a-table-")
    assert embedder.spelling == "file:A table.parquet?license=CC+BY+4.0&credit=Somebody"
    assert embedder.provenance.licence == "CC BY 4.0. Credit: Somebody"
    assert isinstance(embedder, PartialEmbedder)
    assert not is_of_an_atlas(f"file:{path}")
    before = embedder.provenance.source
    write_table(path, LATLON, unit_vectors((6, 8), 5, seed=1).reshape(-1, 5))
    again = load_embedder(f"file:{path}")
    assert again.provenance.source != before
    assert again.name != embedder.name


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("file:", "takes the path"),
        ("file:a.tif?year=2024", "no option 'year'"),
        ("file:a.tif?", "is no file of embeddings"),
        ("file:a.tif?kind", "1 to 300 printable"),
        ("file:a.tif?kind=rgb", "is one of alphaearth, tessera, float, vectors"),
        ("file:a.tif?sample=cubic", "is one of nearest, bilinear"),
        ("file:a.parquet?within=far", "is a distance"),
        ("file:a.parquet?within=0m", "is a distance"),
        ("file:nowhere.tif", "is no file of embeddings"),
        ("file:https://example.org/a.tif", "is no file of embeddings"),
        ("file:/vsicurl/http://127.0.0.1/a.tif", "is no file of embeddings"),
    ],
)
def test_bad_addresses_say_what_is_wrong(address, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=complaint):
        load_embedder(address)


def test_options_of_another_kind_of_file_are_refused(path, tmp_path):
    with pytest.raises(InputError, match="sample= does not apply"):
        load_embedder(f"file:{path}?sample=bilinear")
    raster = write_alphaearth(tmp_path / "a.tif", unit_vectors((4, 4), 64))
    with pytest.raises(InputError, match="within= does not apply"):
        load_embedder(f"file:{raster}?within=5km")
    (tmp_path / "a.csv").write_text("lat,lon")
    with pytest.raises(InputError, match="unknown ending"):
        load_embedder(f"file:{tmp_path / 'a.csv'}")


def test_an_address_is_read_as_it_is_spelled():
    text = "file:t.parquet?within=500m&column=v&modality=text&license=x"
    assert FileAddress.parse(text).spelling == text


def test_the_checksum_of_a_large_file_is_of_samples(tmp_path, monkeypatch):
    file = tmp_path / "large"
    file.write_bytes(bytes(5000))
    monkeypatch.setattr(checksum, "WHOLE_BYTES", 4000)
    monkeypatch.setattr(checksum, "_PART_BYTES", 10)
    before = checksum.checksum_of([file])
    assert before.startswith("sampled sha256 ")
    file.write_bytes(bytes(4999) + b"x")
    assert checksum.checksum_of([file]) != before


def test_a_batch_of_one_equals_its_row(path):
    embedder = load_embedder(f"file:{path}")
    together = embedder.embed(LATLON)
    np.testing.assert_array_equal(np.concatenate([embedder.embed([each]) for each in LATLON]), together)


def test_means_over_discs_leave_out_what_has_no_vector(path):
    around = Around(load_embedder(f"file:{path}"), 3_000)
    assert isinstance(around, PartialEmbedder)
    found = around.embed([LATLON[0], (0.0, 0.0)])
    assert np.linalg.norm(found[0]) == pytest.approx(1, abs=1e-5)
    assert np.isnan(found[1]).all()
