"""The command embed."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from unigeoclip.cli.main import main
from unigeoclip.embedders import load_embedder
from unigeoclip.geo import distance_m
from unigeoclip.tasks.neighborhoods import points_around

pytestmark = pytest.mark.usefixtures("surroundings")


# embed


@pytest.mark.parametrize("embedder", ["unigeoclip", "coordinates"])
def test_embed(run, folder, tmp_path, embedder):
    (tmp_path / "cities.csv").write_text("name,y,x\nLyon,45.76,4.84\nLima,-12.05,-77.04\n")
    columns = ["--csv", tmp_path / "cities.csv", "--lat", "y", "--lon", "x", "--out", tmp_path / "out.parquet"]
    printed = run("embed", "--embedder", embedder, "--atlas", folder, *columns)
    assert "2 rows" in printed
    from unigeoclip.atlas import load_atlas

    expected = load_embedder(embedder, load_atlas(folder)).embed([(45.76, 4.84), (-12.05, -77.04)])
    back = pd.read_parquet(tmp_path / "out.parquet")
    np.testing.assert_allclose(np.stack(back["embedding"]), expected, atol=1e-6)
    assert list(back["name"]) == ["Lyon", "Lima"]


@pytest.mark.parametrize("radius", [("--radius-km", "2.5"), ("--radius-m", "2500")])
def test_embed_neighborhoods(run, tmp_path, radius):
    (tmp_path / "cities.csv").write_text("lat,lon\n45.76,4.84\n-12.05,-77.04\n")
    columns = ["--csv", tmp_path / "cities.csv", "--out", tmp_path / "out.parquet"]
    assert "2 rows" in run("embed", "--embedder", "geoclip", *columns, *radius)
    embedder = load_embedder("geoclip")
    for point, found in zip([(45.76, 4.84), (-12.05, -77.04)], pd.read_parquet(tmp_path / "out.parquet")["embedding"],
                            strict=True):  # fmt: skip
        points = points_around(np.array([point]), 2500.0)[0]
        assert distance_m(points, np.array(point)).max() == pytest.approx(2500, rel=0.02)
        mean = embedder.embed(points).mean(axis=0)
        np.testing.assert_allclose(found, mean / np.linalg.norm(mean), atol=1e-6)
        assert np.linalg.norm(found - embedder.embed(point)[0]) > 1e-4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--radius-m", "5"), "10 m to 1,000 km, not 5 m"),
        (("--radius-km", "4000"), "10 m to 1,000 km"),
        (("--radius-km", "0"), "a radius"),
        (("--radius-m", "nan"), "a radius"),
        (("--radius-m", "50", "--radius-km", "1"), "not allowed with argument --radius-m"),
        (("--radius-m", "50", "--text", "name"), "a radius is for coordinates"),
    ],
)
def test_radii_that_cannot_be(refused, tmp_path, options, words):
    (tmp_path / "cities.csv").write_text("name,lat,lon\nLyon,45.76,4.84\n")
    columns = ["--csv", tmp_path / "cities.csv", "--out", tmp_path / "out.parquet"]
    assert words in refused("embed", "--embedder", "coordinates", *columns, *options)
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name,y,x\nLyon,45.76,4.84\n", "no column 'lat'"),
        ("lat,lon\n45,4\n95,4\n", "row 2: latitude 95"),
        ("lat,lon\n45,east\n", "row 1: 'lon' is 'east'"),
        (None, "cannot be read"),
    ],
)
def test_bad_tables(refused, tmp_path, content, words):
    if content is not None:
        (tmp_path / "cities.csv").write_text(content)
    line = refused(
        "embed", "--embedder", "coordinates", "--csv", tmp_path / "cities.csv", "--out", tmp_path / "out.parquet"
    )
    assert words in line
    assert "cities.csv" in line
    assert not (tmp_path / "out.parquet").exists()


def test_embed_with_unknown_embedder(refused, tmp_path):
    assert "embedder 'oracle'" in refused("embed", "--embedder", "oracle", "--csv", "a.csv", "--out", "b.parquet")


@pytest.fixture
def items(tmp_path):
    """A table with texts and pictures, beside a folder of those pictures."""
    (tmp_path / "photos").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (3, 20, 20, 3), dtype=np.uint8)
    for number, each in enumerate(pixels):
        Image.fromarray(each).save(tmp_path / "photos" / f"p{number}.png")
    rows = [f"{i},a field of {i},photos/p{i}.png,1,{i}" for i in (2, 0, 1)]
    (tmp_path / "items.csv").write_text("\n".join(["n,said,file,lat,lon", *rows]) + "\n")
    return tmp_path


@pytest.fixture
def model_inputs(items, folder):
    """What `explorer.model` makes of the texts and pictures of that table, in its order."""
    from unigeoclip.search.explorer import Explorer

    model = Explorer.open(folder).model
    texts = [[f"a field of {i}"] for i in (2, 0, 1)]
    pictures = [np.asarray(Image.open(items / "photos" / f"p{i}.png").resize((16, 16), 1)) for i in (2, 0, 1)]
    return model, texts, np.stack(pictures).transpose(0, 3, 1, 2)


def test_embed_texts_and_pictures(run, folder, items, model_inputs):
    model, texts, pictures = model_inputs
    out = items / "out.parquet"
    start = ["embed", "--atlas", folder, "--out", out]
    assert "3 rows, 16 dimensions" in run(*start, "--csv", items / "items.csv", "--text", "said")
    back = pd.read_parquet(out)
    assert list(back.columns) == ["n", "said", "file", "lat", "lon", "embedding"]
    assert list(back["n"]) == [2, 0, 1]
    np.testing.assert_allclose(np.stack(back["embedding"]), model.encode({"text": texts})["text"], atol=1e-6)
    run(*start, "--csv", items / "items.csv", "--image", "file", "--modality", "aerial")
    np.testing.assert_allclose(vectors_of(out), model.encode({"aerial": pictures})["aerial"], atol=1e-6)
    run(*start, "--images", items / "photos", "--modality", "aerial", "--model", folder / "model")
    np.testing.assert_allclose(vectors_of(out), model.encode({"aerial": pictures[[1, 2, 0]]})["aerial"], atol=1e-6)
    assert list(pd.read_parquet(out)["path"]) == ["p0.png", "p1.png", "p2.png"]


def vectors_of(path):
    return np.stack(pd.read_parquet(path)["embedding"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "one of the arguments --csv --images is required"),
        (["--csv", "t.csv", "--images", "d", "--modality", "aerial"], "--images: not allowed with argument --csv"),
        (["--csv", "t.csv", "--text", "a", "--image", "b", "--modality", "aerial"], "--text: not allowed with"),
        (["--csv", "t.csv", "--text", "a", "--lat", "b"], "--lat: not allowed with argument --text"),
        (["--images", "d", "--text", "a", "--modality", "aerial"], "--text: not allowed with argument --images"),
        (["--csv", "t.csv", "--image", "a"], "--modality aerial, street or surface"),
        (["--images", "d"], "--modality aerial, street or surface"),
        (["--csv", "t.csv", "--text", "a", "--modality", "aerial"], "--modality: says what the pictures"),
        (["--csv", "t.csv", "--modality", "aerial"], "--modality: says what the pictures"),
        (["--csv", "t.csv", "--image", "a", "--modality", "text"], "invalid choice 'text'"),
        (["--csv", "t.csv", "--skip-unreadable"], "--skip-unreadable: is for --text"),
    ],
)
def test_embed_options_that_do_not_go_together(refused, tmp_path, options, words):
    line = refused("embed", *options, "--out", tmp_path / "out.parquet")
    assert words in line
    assert "--help" in line


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--text", "said", "--embedder", "coordinates"], "'coordinates' takes no texts"),
        (["--image", "file", "--modality", "aerial", "--embedder", "coordinates"], "takes no aerial pictures"),
        (["--image", "file", "--modality", "street"], "takes no street pictures: it takes coordinates"),
        (["--text", "words"], "no column 'words': name the right one with --text"),
        (["--image", "said", "--modality", "aerial"], "row 1: "),
    ],
)
def test_embed_refuses_what_cannot_be_embedded(refused, folder, items, options, words):
    out = items / "out.parquet"
    assert words in refused("embed", "--atlas", folder, "--csv", items / "items.csv", *options, "--out", out)
    assert not out.exists()


def test_embed_says_what_it_skips(folder, items, capsys):
    (items / "photos" / "p1.png").write_bytes(b"no picture")
    (items / "photos" / "readme.md").touch()
    out = items / "out.parquet"
    options = ["--atlas", folder, "--images", items / "photos", "--modality", "aerial", "--out", out]
    assert main(["embed", *map(str, options)]) == 2
    failure = capsys.readouterr().err.splitlines()[-1]
    assert "p1.png: This is not a picture" in failure
    assert "--skip-unreadable" in failure
    assert not out.exists()
    assert main(["embed", *map(str, options), "--skip-unreadable"]) == 0
    said = capsys.readouterr().err
    assert "1 of 3 rows could not be read" in said
    assert "p1.png: This is not a picture" in said
    assert "readme.md" in said
    assert [vector is None for vector in pd.read_parquet(out)["embedding"]] == [False, True, False]
