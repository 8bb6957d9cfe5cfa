"""Embeddings of texts and pictures as parquet: the rows of one table, or the files of one folder."""

import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from tests.explorable import CITY_CONFIG, PX, use_hashed_sentences
from unigeoclip.atlas.provenance import ModelSource, provenance_of
from unigeoclip.embedders import load_embedder
from unigeoclip.embedders.base import Provenance
from unigeoclip.embedders.unigeoclip import UniGeoCLIPEmbedder
from unigeoclip.errors import InputError
from unigeoclip.export import item_tables, point_tables
from unigeoclip.export.item_tables import ItemTable, PictureFolder, embed_items, picture_reader, text_reader
from unigeoclip.model import UniGeoCLIP
from unigeoclip.search.query_encoder import sentences_of
from unigeoclip.uploads import MAX_FILE_BYTES, read_picture, read_surface

TEXTS = ["a park by the river", "Two towers. A church.", "0123", "ein Hafen", "roofs, and trees"]


class OfPictures:
    """An embedder of another kind, which takes pictures one by one."""

    name, title, dim = "bright", "Bright", 2
    provenance = Provenance("a test", "none", "MIT")
    picture_kinds = ("street",)

    def embed(self, latlon):
        raise AssertionError

    def embed_picture(self, data, kind):
        assert kind == "street"
        bright = float(read_picture(data, 4, 4).array.mean()) / 255
        vector = np.array([bright, 1 - bright], np.float32)
        return vector / np.linalg.norm(vector)


@pytest.fixture(autouse=True)
def _sentences(monkeypatch):
    use_hashed_sentences(monkeypatch)


@pytest.fixture(scope="module")
def embedder():
    torch.manual_seed(0)
    return UniGeoCLIPEmbedder(UniGeoCLIP(CITY_CONFIG).eval(), Provenance("a test", "random weights", "MIT"))


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.csv"
    pd.DataFrame({"id": range(len(TEXTS)), "said": TEXTS}).to_csv(path, index=False)
    return path


def write_pictures(folder, count=5):
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (count, 32, 40, 3), dtype=np.uint8)
    for number, each in enumerate(pixels):
        Image.fromarray(each).save(folder / f"p{number}.png")
    return [f"p{number}.png" for number in range(count)]


def vectors_of(path):
    return np.stack(pd.read_parquet(path)["embedding"])


def test_texts_are_encoded_as_queries_are(embedder, texts, tmp_path, monkeypatch):
    out = tmp_path / "out.parquet"
    monkeypatch.setattr(point_tables, "PART_ROWS", 2)
    reader = text_reader(embedder)
    done = embed_items(reader, ItemTable.checked(texts, "--text", "said", reader.check), out)
    assert (done.rows, done.dim, done.skipped, done.noted) == (5, 16, 0, 0)
    back = pd.read_parquet(out)
    assert list(back.columns) == ["id", "said", "embedding"]
    assert list(back["said"]) == TEXTS
    assert pq.ParquetFile(out).num_row_groups == 3
    for text, vector in zip(TEXTS, back["embedding"], strict=True):
        sentences, _ = sentences_of(text)
        expected = embedder.model.encode({"text": [sentences]})["text"][0].numpy()
        np.testing.assert_allclose(vector, expected, atol=1e-6)
        assert abs(np.linalg.norm(vector) - 1) < 1e-4


@pytest.mark.parametrize("modality", ["aerial", "street"])
def test_pictures_are_encoded_as_queries_are(embedder, tmp_path, modality):
    names = write_pictures(tmp_path / "pictures")
    table, out = tmp_path / "table.csv", tmp_path / "out.parquet"
    order = [names[3], "./" + names[0], str(tmp_path / "pictures" / names[4])]
    table.write_text("file,n\n" + "".join(f"{name},1\n" for name in order))
    reader = picture_reader(embedder, modality, tmp_path / "pictures")
    embed_items(reader, ItemTable.checked(table, "--image", "file", reader.check), out)
    back = pd.read_parquet(out)
    assert list(back["file"]) == order
    size = embedder.model.input_size(modality)
    for name, vector in zip(order, back["embedding"], strict=True):
        array = read_picture((tmp_path / "pictures" / name).read_bytes(), *size).array
        expected = embedder.model.encode({modality: array[None]})[modality][0].numpy()
        np.testing.assert_allclose(vector, expected, atol=1e-6)


def test_surfaces_of_a_folder(embedder, tmp_path):
    folder, out = tmp_path / "heights", tmp_path / "out.parquet"
    folder.mkdir()
    heights = np.random.default_rng(0).uniform(0, 90, (3, 40, 40)).astype(np.float32)
    for name, each in zip(("b.npy", "C.NPY", "a.npy"), heights, strict=True):
        np.save(folder / "saved.npy", each)
        (folder / "saved.npy").rename(folder / name)
    (folder / "notes.txt").write_text("none")
    (folder / ".hidden.npy").write_text("none")
    (folder / "below.npy").mkdir()
    source = PictureFolder(folder, "surface")
    assert source.others == ["notes.txt"]
    embed_items(picture_reader(embedder, "surface", folder), source, out)
    back = pd.read_parquet(out)
    assert list(back.columns) == ["path", "embedding"]
    assert list(back["path"]) == ["C.NPY", "a.npy", "b.npy"]
    for name, vector in zip(back["path"], back["embedding"], strict=True):
        array = read_surface((folder / name).read_bytes(), PX).array
        expected = embedder.model.encode({"surface": array[None]})["surface"][0].numpy()
        np.testing.assert_allclose(vector, expected, atol=1e-6)


def test_a_row_does_not_depend_on_the_others(embedder, tmp_path):
    folder = tmp_path / "pictures"
    names = write_pictures(folder, 7)
    reader = picture_reader(embedder, "aerial", folder)
    embed_items(reader, PictureFolder(folder, "aerial"), tmp_path / "all.parquet")
    for name in names[:-1]:
        (folder / name).unlink()
    embed_items(reader, PictureFolder(folder, "aerial"), tmp_path / "one.parquet")
    one, many = vectors_of(tmp_path / "one.parquet"), vectors_of(tmp_path / "all.parquet")
    np.testing.assert_allclose(one[0], many[-1], atol=1e-6)


def test_the_file_has_the_form_of_embedded_points(embedder, texts, tmp_path):
    out = tmp_path / "out.parquet"
    model = ModelSource(embedder.name, embedder.provenance.source, embedder.provenance.licence)
    origin = provenance_of(None, [model], query=(), command="unigeoclip embed")
    shares = []
    embed_items(
        text_reader(embedder),
        ItemTable.checked(texts, "--text", "said"),
        out,
        progress=lambda _words, share: shares.append(share),
        provenance=origin,
    )
    schema = pq.read_schema(out)
    assert schema.field("embedding").type == pa.list_(pa.float32(), 16)
    assert not schema.field("embedding").nullable
    assert schema.metadata[b"embedder"] == b"unigeoclip"
    assert schema.metadata[b"modality"] == b"text"
    assert schema.metadata[b"provenance"].decode() == origin.json()
    assert shares[-1] == 1


def test_an_unreadable_row_ends_the_work_before_it_begins(embedder, tmp_path):
    table, out = tmp_path / "texts.csv", tmp_path / "out.parquet"
    table.write_text('said,n\na park,1\n" ",2\n')
    reader = text_reader(embedder)
    with pytest.raises(InputError, match=r"texts.csv, row 2: The text has no words.*--skip-unreadable"):
        ItemTable.checked(table, "--text", "said", reader.check)
    folder = tmp_path / "pictures"
    write_pictures(folder, 2)
    (folder / "empty.png").touch()
    os.mkfifo(folder / "pipe.png")
    with (folder / "z.png").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    reader = picture_reader(embedder, "aerial", folder)
    for value, words in (
        ("missing.png", "missing.png does not exist"),
        ("empty.png", "empty.png: .*empty"),
        ("z.png", "z.png is larger than"),
        ("pipe.png", "no regular file"),
        ("   ", "No picture is named"),
    ):
        table.write_text(f"file,n\np0.png,1\np1.png,1\n{value},1\n")
        with pytest.raises(InputError, match=rf"texts.csv, row 3: .*{words}.*--skip-unreadable"):
            ItemTable.checked(table, "--image", "file", reader.check)
    with pytest.raises(InputError, match=r"empty.png: .*--skip-unreadable"):
        PictureFolder(folder, "aerial", reader.check)
    assert not out.exists()


def test_a_damaged_picture_leaves_no_file(embedder, tmp_path):
    folder, out = tmp_path / "pictures", tmp_path / "out.parquet"
    write_pictures(folder, 2)
    (folder / "p1.png").write_bytes((folder / "p0.png").read_bytes()[:200])
    (tmp_path / "t.csv").write_text("file,n\np0.png,1\np1.png,2\n")
    reader = picture_reader(embedder, "aerial", folder)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(InputError, match=r"t.csv, row 2: .*p1.png: .*damaged.*--skip-unreadable"):
        embed_items(reader, ItemTable.checked(tmp_path / "t.csv", "--image", "file", reader.check), out)
    with pytest.raises(InputError, match=r"^\S*p1.png: .*damaged"):
        embed_items(reader, PictureFolder(folder, "aerial", reader.check), out)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_what_is_skipped_is_null_and_told(embedder, tmp_path, monkeypatch):
    monkeypatch.setattr(point_tables, "PART_ROWS", 4)
    folder, out = tmp_path / "pictures", tmp_path / "out.parquet"
    write_pictures(folder, 3)
    table = tmp_path / "t.csv"
    files = ["p2.png", "", "p0.png", "a.png", "b.png", "c.png", "p1.png", "d.png", "e.png"]
    table.write_text("n,file\n" + "".join(f"{n},{name}\n" for n, name in enumerate(files)))
    reader = picture_reader(embedder, "aerial", folder)
    done = embed_items(reader, ItemTable.checked(table, "--image", "file"), out, skip_unreadable=True)
    assert (done.rows, done.skipped, done.noted) == (9, 6, 3)
    assert [line.split(": ")[0] for line in done.why] == [f"{table}, row {row}" for row in (2, 4, 5)]
    assert "40 x 32 pixels" in done.notes[0]
    assert pq.read_schema(out).field("embedding").type == pa.list_(pa.float32(), 16)
    back = pd.read_parquet(out)
    assert list(back["n"]) == list(range(9))
    present = [vector is not None for vector in back["embedding"]]
    assert present == [True, False, True, False, False, False, True, False, False]
    embed_items(reader, PictureFolder(folder, "aerial"), tmp_path / "plain.parquet")
    plain = vectors_of(tmp_path / "plain.parquet")
    np.testing.assert_allclose(np.stack(back["embedding"][present]), plain[[2, 0, 1]], atol=1e-6)


def test_a_table_of_nothing_that_can_be_read_is_refused(embedder, tmp_path):
    table, out = tmp_path / "t.csv", tmp_path / "out.parquet"
    table.write_text("said,n\n...,1\n!,2\n")
    with pytest.raises(InputError, match=r"none of the 2 rows.*row 1: The text has no words"):
        embed_items(text_reader(embedder), ItemTable.checked(table, "--text", "said"), out, skip_unreadable=True)
    assert not out.exists()


def test_long_texts_are_told(embedder, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("said,n\na park,1\n" + "word " * 1000 + ",2\n")
    done = embed_items(text_reader(embedder), ItemTable.checked(table, "--text", "said"), tmp_path / "out.parquet")
    assert done.noted == 1
    assert "row 2: The text is long" in done.notes[0]


def test_other_embedders_say_what_they_take(tmp_path):
    names = write_pictures(tmp_path / "pictures", 2)
    coordinates, pictures = load_embedder("coordinates"), OfPictures()
    with pytest.raises(InputError, match=r"'coordinates' takes no texts: it takes coordinates \(--lat, --lon\)\.$"):
        text_reader(coordinates)
    with pytest.raises(InputError, match=r"'coordinates' takes no street pictures: it takes coordinates"):
        picture_reader(coordinates, "street", tmp_path)
    with pytest.raises(InputError, match=r"'bright' takes no surface pictures: .* --modality street"):
        picture_reader(pictures, "surface", tmp_path)
    folder = tmp_path / "pictures"
    reader = picture_reader(pictures, "street", folder)
    embed_items(reader, PictureFolder(folder, "street", reader.check), tmp_path / "out.parquet")
    expected = [pictures.embed_picture((folder / name).read_bytes(), "street") for name in names]
    np.testing.assert_array_equal(vectors_of(tmp_path / "out.parquet"), expected)


def test_columns_and_folders_that_do_not_fit(embedder, texts, tmp_path):
    with pytest.raises(InputError, match=r"no column 'words': name the right one with --text; there are id, said"):
        ItemTable.checked(texts, "--text", "words")
    texts.write_text("said,embedding\nx,1\n")
    with pytest.raises(InputError, match="'embedding' already"):
        embed_items(text_reader(embedder), ItemTable.checked(texts, "--text", "said"), tmp_path / "o.parquet")
    with pytest.raises(InputError, match="--images"):
        PictureFolder(tmp_path / "missing", "aerial")
    with pytest.raises(InputError, match="holds no pictures"):
        PictureFolder(tmp_path, "aerial")
    if os.fsencode("\udcff") == b"\xff":
        (tmp_path / "\udcff.png").touch()
        with pytest.raises(InputError, match="not UTF-8"):
            PictureFolder(tmp_path, "aerial")


def test_pictures_of_a_size_are_not_all_in_memory(embedder, tmp_path, monkeypatch):
    """No more of them are decoded at once than go through the model together."""
    folder = tmp_path / "pictures"
    write_pictures(folder, 7)
    reader = picture_reader(embedder, "aerial", folder)
    sizes = []

    def encode(batch):
        sizes.append(len(batch))
        return reader.encode(batch)

    small = item_tables.ItemReader(embedder, "aerial", reader.check, reader.read, encode, batch=3)
    embed_items(small, PictureFolder(folder, "aerial"), tmp_path / "out.parquet")
    assert sizes == [3, 3, 1]
