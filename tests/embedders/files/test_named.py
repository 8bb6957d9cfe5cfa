"""Files of embeddings that the environment names."""

import pytest

from tests.embedders.files.made import spread_out, unit_vectors, write_table
from unigeoclip.embedders import load_embedder
from unigeoclip.embedders.files.named import VARIABLE, named_files
from unigeoclip.errors import InputError


def test_a_named_file_is_an_embedder(tmp_path, monkeypatch):
    path = write_table(tmp_path / "a b.parquet", spread_out(6, 8), unit_vectors((6, 8), 5).reshape(-1, 5))
    monkeypatch.setenv(VARIABLE, f'tom="{path}?license=CC BY 4.0&credit=Tom"')
    assert list(named_files()) == ["file-tom"]
    embedder = load_embedder("file-tom")
    assert (embedder.name, embedder.provenance.licence) == ("file-tom", "CC BY 4.0. Credit: Tom")
    with pytest.raises(InputError, match="Unknown embedder 'file-tim'"):
        load_embedder("file-tim")


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("tom", "takes NAME=PATH"),
        ("tom=", "takes NAME=PATH"),
        ("Tom=a.tif", "Names are small letters"),
        ("a=1.tif a=2.tif", "names 'a' twice"),
        ('a="1.tif', "quotation mark"),
        ("a=1.tif?x=1", "no option 'x'"),
    ],
)
def test_a_list_that_is_none_is_told(value, complaint, monkeypatch):
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(InputError, match=complaint):
        named_files()
