import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import rasterio
from PIL import Image

from tests.explorable import use_hashed_sentences, write_explorable_atlas, write_explorable_city
from unigeoclip.cli.main import main
from unigeoclip.embedders import load_embedder
from unigeoclip.errors import InputError

COMMANDS = ("atlases", "build", "train", "search", "heatmap", "embed", "evaluate", "bench")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_explorable_atlas(tmp_path_factory.mktemp("atlases") / "tiny")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch, cache):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(cache))
    use_hashed_sentences(monkeypatch)


@pytest.fixture
def run(capsys):
    """Run a command; returns what it printed, parsed if it is JSON."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert code == 0, printed.err
        return json.loads(printed.out) if "--json" in arguments else printed.out

    return call


@pytest.fixture
def refused(capsys):
    """Run a command that must fail; returns its one line on stderr."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert code == 2
        assert printed.out == ""
        lines = printed.err.splitlines()
        assert len(lines) == 1, printed.err
        assert lines[0].startswith("error: ")
        return lines[0]

    return call


# Help


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([*command, "--help"])
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Usage: ")
    if not command:
        assert all(f"\n  {name} " in printed for name in COMMANDS)


def test_help_imports_nothing_heavy():
    code = """
import sys
from unigeoclip.cli.main import main
try:
    main(["--help"])
except SystemExit:
    heavy = {"numpy", "torch", "pandas", "rasterio", "PIL"} & set(sys.modules)
    sys.exit(f"imported {heavy}" if heavy else 0)
"""
    before = os.times()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    after = os.times()
    assert after.children_user - before.children_user < 0.3


def test_it_runs_as_a_module(folder):
    done = subprocess.run(
        [sys.executable, "-m", "unigeoclip", "search", "--latlon", "95,0"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "latitude" in done.stderr


# atlases


def test_atlases(run, monkeypatch, folder):
    from unigeoclip.atlas import store

    broken = folder.parent / "broken"
    broken.mkdir(exist_ok=True)
    (broken / "atlas.json").write_text("{}")
    monkeypatch.setattr(store, "ATLASES_FOLDER", folder.parent)
    rows = {row["name"]: row for row in run("atlases", "--json")}
    assert rows["tiny"]["modalities"] == ["location", "aerial", "surface", "text"]
    assert rows["tiny"]["places"] == 60
    assert rows["tiny"]["title"] == "A tiny world"
    assert "atlas.json" in rows["broken"]["error"]
    printed = run("atlases")
    assert "A tiny world" in printed
    assert "BROKEN" in printed


# search


def test_search_by_text(run, folder):
    answer = run("search", "--atlas", folder, "--text", "hot desert", "--top", "3", "--json")
    assert answer["query"] == {"modality": "text", "value": "hot desert", "notes": []}
    assert list(answer["results"]) == ["location", "aerial", "surface", "text"]
    for matches in answer["results"].values():
        assert len(matches) == 3
        assert {"place_id", "lat", "lon", "similarity", "distance_m"} <= set(matches[0])
        assert matches[0]["distance_m"] is None
        assert matches[0]["similarity"] >= matches[2]["similarity"]


def test_search_by_point(run, folder):
    answer = run("search", "--atlas", folder, "--latlon", "-33.9,30.5", "--top", "1", "--json")
    (match,) = answer["results"]["location"]
    assert answer["query"]["value"] == "-33.9,30.5"
    assert match["distance_m"] > 0
    for written in ("33.9S 30.5E", "-33,9; 30,5", "-33.9 390.5"):  # as the app reads what is typed there
        assert run("search", "--atlas", folder, "--latlon", written, "--top", "1", "--json")["results"]["location"] == [
            match
        ]
    sea = run("search", "--atlas", folder, "--latlon=0,0", "--json")
    assert "ocean" in sea["query"]["notes"][0]


def test_search_by_a_composed_query(run, folder, tmp_path):
    items = ["--item", "text:hot desert", "--item", "-0.5*at:-33.9,30.5"]
    answer = run("search", "--atlas", folder, *items, "--top", "2", "--out", tmp_path / "found.geojson", "--json")
    assert answer["query"] == {"items": ["text:hot desert", "-0.5*at:-33.9,30.5"], "notes": []}
    from unigeoclip.search.explorer import Explorer, QueryItem

    explorer = Explorer.open(folder)
    query = explorer.query([QueryItem("text", "hot desert"), QueryItem("location", (-33.9, 30.5), -0.5)])
    expected = [match.place_id for match in explorer.search(query, k=2)["text"]]
    assert [match["place_id"] for match in answer["results"]["text"]] == expected
    features = json.loads((tmp_path / "found.geojson").read_text())["features"]
    assert len(features) == 8
    assert features[0]["properties"]["similarity"] == answer["results"]["location"][0]["similarity"]
    single = run("search", "--atlas", folder, "--text", "hot desert", "--json")["results"]
    assert run("search", "--atlas", folder, "--item", "text:hot desert", "--json")["results"] == single


def test_results_are_written_as_a_table_too(run, folder, tmp_path):
    run("search", "--atlas", folder, "--latlon", "0,0", "--top", "3", "--out", tmp_path / "found.csv")
    assert (tmp_path / "found.csv").read_text().startswith("# query: at:0,0\n# model: unigeoclip · checkpoint ")
    table = pd.read_csv(tmp_path / "found.csv", comment="#")
    columns = ["place_id", "modality", "name", "lat", "lon", "similarity", "distance_m", "heading_deg"]
    assert list(table.columns) == columns
    assert len(table) == 12
    assert table["distance_m"].min() > 0


def test_search_for_people(run, folder):
    printed = run("search", "--atlas", folder, "--latlon", "0,0", "--top", "2")
    assert "This point is in the ocean" in printed
    assert "\nlocation\n" in printed
    assert "km away" in printed


def test_search_by_picture(run, folder, tmp_path):
    Image.new("RGB", (60, 20), (200, 180, 90)).save(tmp_path / "sand.jpg")
    answer = run("search", "--atlas", folder, "--image", tmp_path / "sand.jpg", "--modality", "aerial", "--json")
    assert answer["query"]["modality"] == "aerial"
    assert answer["query"]["value"].endswith("sand.jpg")
    assert len(answer["results"]["aerial"]) == 10
    assert answer["query"]["notes"], "a picture that is cut to a square is said to be"


def test_search_by_heights(run, folder, tmp_path):
    np.save(tmp_path / "hills.npy", np.random.default_rng(0).uniform(0, 900, (32, 32)).astype(np.float32))
    answer = run("search", "--atlas", folder, "--image", tmp_path / "hills.npy", "--modality", "surface", "--json")
    assert len(answer["results"]["surface"]) == 10


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--text --latlon --image"),
        (["--text", "a", "--latlon", "1,2"], "not allowed"),
        (["--latlon", "95,0"], "latitude"),
        (["--latlon", "nan,0"], "42.36,-71.06"),
        (["--latlon", "north"], "42.36,-71.06"),
        (["--latlon", "1,2,3"], "more than one point"),
        (["--text", ""], "no words"),
        (["--text", "dry", "--top", "0"], "must be 1 or more"),
        (["--text", "dry", "--top", "many"], "invalid number"),
        (["--text", "dry", "--modality", "aerial"], "--image"),
        (["--image", "missing.png", "--modality", "aerial"], "missing.png does not exist"),
        (["--image", "."], "--modality aerial"),
        (["--image", "a.png", "--modality", "text"], "invalid choice"),
        (["--item", "sea"], "not a query item"),
        (["--item", "text:sea", "--text", "sea"], "not allowed"),
        (["--item", "text:sea", "--modality", "aerial"], "--image"),
        (["--item", "text:sea", "--item", "-1*text:sea"], "cancel out"),
        (["--item", "place:nowhere"], "no place 'nowhere'"),
        (["--item", "view:42,-71,90"], "no street views"),
        (["--item"], "expected one argument"),
        (["--text", "dry", "--out", "found.xlsx"], ".geojson or .csv"),
        (["--text", "dry", "--out", "nowhere/found.csv"], "does not exist"),
        (["--text", "dry", "--colour", "red"], "--colour"),
    ],
)
def test_bad_questions(refused, folder, arguments, words):
    assert words in refused("search", "--atlas", folder, *arguments)


def test_bad_pictures_are_named(refused, folder, tmp_path):
    (tmp_path / "virus.png").write_bytes(b"MZ" * 100)
    for modality in ("aerial", "surface"):
        line = refused("search", "--atlas", folder, "--image", tmp_path / "virus.png", "--modality", modality)
        assert "virus.png: " in line
    assert "'street'" in refused("search", "--atlas", folder, "--image", tmp_path / "virus.png", "--modality", "street")


def test_unknown_commands_and_atlases(refused):
    assert "COMMAND" in refused()
    assert "invalid choice" in refused("serve")
    assert "no atlas 'mars'" in refused("search", "--atlas", "mars", "--text", "red")


# heatmap


def test_heatmaps_open_where_they_belong(run, folder, tmp_path):
    printed = run("heatmap", "--atlas", folder, "--latlon", "20.5,30.5", "--out", tmp_path / "heat.tif")
    assert "most similar at" in printed
    with rasterio.open(tmp_path / "heat.tif") as tiff:
        assert tiff.crs.to_epsg() == 4326
        assert tiff.bounds == (-180, -60, 180, 84)
        at_point = next(tiff.sample([(30.5, 20.5)]))[0]
        assert at_point == pytest.approx(np.nanmax(tiff.read(1)), abs=0.2)
        assert np.isnan(next(tiff.sample([(0.0, 0.0)]))[0])
    run("heatmap", "--atlas", folder, "--text", "dry", "--out", tmp_path / "heat.png")
    assert Image.open(tmp_path / "heat.png").size[0] == 512, "two pixels a cell, and not less than that"
    run("heatmap", "--atlas", folder, "--text", "dry", "--out", tmp_path / "heat.geojson")
    assert json.loads((tmp_path / "heat.geojson").read_text())["features"]


def test_heatmaps_of_other_embedders(run, folder, tmp_path):
    options = ["--atlas", folder, "--embedder", "coordinates", "--out", tmp_path / "heat.tif"]
    printed = run("heatmap", *options, "--latlon", "-30.2,-41.3")
    assert "most similar at -30" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--text", "dry", "--out", "heat.pdf"], ".geojson"),
        (["--text", "dry", "--out", "nowhere/heat.tif"], "folder nowhere"),
        (["--text", "dry"], "--out"),
        (["--text", "dry", "--out", "heat.tif", "--embedder", "coordinates"], "knows no words"),
        (
            ["--image", __file__, "--modality", "aerial", "--out", "heat.tif", "--embedder", "coordinates"],
            "points only",
        ),
        (["--item", "at:1,2", "--out", "heat.tif", "--embedder", "coordinates"], "--latlon or --image"),
        (["--latlon", "1,2", "--out", "heat.tif", "--embedder", "oracle"], "embedder 'oracle'"),
        (["--text", "dry", "--out", "heat.tif", "--embedder", "oracle"], "embedder 'oracle'"),
    ],
)
def test_bad_heatmaps(refused, folder, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert words in refused("heatmap", "--atlas", folder, *arguments)
    assert list(tmp_path.iterdir()) == []


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


# What other modules compute: only that it is called rightly and printed


def stand_in(monkeypatch, module, name, function):
    monkeypatch.setitem(sys.modules, module, SimpleNamespace(**{name: function}))


def test_build(run, tmp_path, monkeypatch):
    def build_world(out, *, progress):
        progress("Fetching", 0.5)
        progress("Fetching", 1.0)
        return out

    stand_in(monkeypatch, "unigeoclip.build.world.builder", "build_world", build_world)
    assert run("build", "world", "--out", tmp_path / "here").strip() == str(tmp_path / "here")


def test_build_knows_its_atlases(refused):
    assert "invalid choice" in refused("build", "moon")


def test_train(run, folder, tmp_path, monkeypatch):
    called = []

    def train(atlas, config, out, **options):
        called.append((atlas.name, config, out, options))
        return {"retrieval": {"text->location": {"recall@1": 31.25, "recall@10": 62.5, "n": 8}}, "split": "blocks"}

    stand_in(monkeypatch, "unigeoclip.training", "train", train)
    printed = run("train", "--atlas", folder, "--out", tmp_path / "run", "--split", "blocks", "--steps", 7, "--resume")
    options = {"split": "blocks", "seed": 0, "steps": 7, "resume": True}
    assert called == [("tiny", "mini", tmp_path / "run", options)]
    sentence, _, head, row, *_ = printed.splitlines()
    assert "Held out (split blocks): the right one among 8 is first for 31 %" in sentence
    assert "Beware: among 8 items" in sentence
    assert head.split() == ["query->target", "first", "in", "first", "10", "of"]
    assert row.split() == ["text->location", "31.2", "62.5", "8"]
    assert "tensorboard --logdir" in printed
    assert str(tmp_path / "run" / "history.csv") in printed
    found = run("train", "--atlas", folder, "--out", tmp_path / "run", "--json")
    assert found["retrieval"]["text->location"]["n"] == 8
    assert found["out"] == str(tmp_path / "run")


def test_evaluate(run, folder, monkeypatch):
    report = {
        "splits": {"random": {"retrieval": {"text->aerial": {"recall@1": 18.5, "recall@10": 62.0, "n": 5000}}}},
        "queries": [{"query": "Sahara", "rule": "polygon", "precision": 97.0, "chance": 6.1}],
    }
    called = []

    def evaluate(atlas, model, **options):
        called.append((atlas.name, model, options))
        return report

    stand_in(monkeypatch, "unigeoclip.evaluation", "evaluate", evaluate)
    assert run("evaluate", "--atlas", folder, "--json") == report
    assert called == [("tiny", None, {"elsewhere": None, "record": False})]
    printed = run("evaluate", "--atlas", folder)
    assert "the right one among 5,000 is first for 18 %" in printed
    assert "text->aerial    18.5         62.0  5,000" in printed
    assert "1 plain queries: 97 % of the hottest area lies inside" in printed
    assert "Sahara" in printed.splitlines()[-1]


def test_evaluate_calibrates(run, folder, monkeypatch):
    called = []

    def recalibrate(atlas, model):
        called.append((atlas.name, model))
        return {"format": 1, "modalities": {"text": {"n": 12}}}

    monkeypatch.setattr("unigeoclip.evaluation.report.recalibrate", recalibrate)
    found = run("evaluate", "--atlas", folder, "--calibrate", "--json")
    assert found == {"calibration": {"format": 1, "modalities": {"text": {"n": 12}}}}
    assert called == [("tiny", None)]


def test_evaluate_says_how_many_where_they_are_too_few(run, folder, monkeypatch):
    report = {"splits": {"views": {"retrieval": {"street->aerial": {"n": 12, "too_few": True}}}}, "queries": []}
    stand_in(monkeypatch, "unigeoclip.evaluation", "evaluate", lambda *_, **__: report)
    said = run("evaluate", "--atlas", folder)
    assert "12 held-out items (split views) are too few to judge by" in said
    assert re.search(r"street->aerial +12 +too few to judge", said)


def test_evaluate_elsewhere(run, folder, monkeypatch):
    def evaluate(atlas, model, *, elsewhere, record):
        return {"splits": {}, "queries": [], "elsewhere": {elsewhere.name: {"retrieval": {}, "recorded": record}}}

    stand_in(monkeypatch, "unigeoclip.evaluation", "evaluate", evaluate)
    found = run("evaluate", "--atlas", folder, "--elsewhere", folder, "--record", "--json")
    assert found["elsewhere"] == {"tiny": {"retrieval": {}, "recorded": True}}


def test_evaluate_ablations(run, folder, tmp_path, monkeypatch, capsys):
    def ablate(atlas, out, *, steps, say):
        say("Row 1 of 12: street-location")
        return {"atlas": atlas.name, "out": str(out), "budget": {"steps": steps}}

    monkeypatch.setattr("unigeoclip.training.ablations.ablate", ablate)
    table = run("evaluate", "--atlas", folder, "--ablations", "--steps", 2, "--out", tmp_path, "--json")["ablations"]
    assert table == {"atlas": "tiny", "out": str(tmp_path), "budget": {"steps": 2}}
    printed = run("evaluate", "--atlas", folder, "--ablations")
    assert "runs/ablations-tiny" in printed
    assert "steps 250" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--record", "--ablations"], "leave out --model, --elsewhere and --record"),
        (["--calibrate", "--record"], "--calibrate measures nothing else"),
        (["--steps", "5"], "belong to --ablations"),
        (["--out", "runs"], "belong to --ablations"),
        (["--ablations", "--elsewhere", "amsterdam"], "leave out --model, --elsewhere"),
        (["--ablations", "--model", "m"], "leave out --model, --elsewhere"),
        (["--ablations", "--steps", "0"], "must be 1 or more"),
        (["--ablations"], "ask with street views"),
        (["--elsewhere", "atlantis"], "no atlas 'atlantis'"),
    ],
)
def test_bad_measurements(refused, folder, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert words in refused("evaluate", "--atlas", folder, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_elsewhere_is_refused_in_one_line(refused, folder, tmp_path):
    city = write_explorable_city(tmp_path / "madeup")
    assert "no street views" in refused("evaluate", "--atlas", city, "--elsewhere", folder)
    assert "was trained on madeup" in refused("evaluate", "--atlas", city, "--elsewhere", city, "--record")
    assert not list((city / "model").glob("elsewhere-*"))


def test_bench(run, folder, monkeypatch):
    def run_bench(atlas, *, quick):
        return {"query_ms": {"text": 61.25 if quick else 60.5}, "rows": [1, 2]}

    stand_in(monkeypatch, "unigeoclip.bench", "run_bench", run_bench)
    assert run("bench", "--atlas", folder, "--json")["query_ms"] == {"text": 60.5}
    assert "query_ms: text 61.25" in run("bench", "--quick")


def test_bench_of_a_model(run, folder, tmp_path, monkeypatch):
    asked = []

    def run_bench(atlas, *, quick):
        asked.append((atlas.path, atlas.model_path))
        return {"query_ms": {}}

    stand_in(monkeypatch, "unigeoclip.bench", "run_bench", run_bench)
    run("bench", "--atlas", folder, "--model", tmp_path / "mine")
    assert asked == [(folder, tmp_path / "mine")]


# Failures


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (ZeroDivisionError("by nothing"), "fault of unigeoclip, not of yours (ZeroDivisionError: by nothing). Please"),
        (
            OSError(28, "No space left on device", "/full/a.tif"),
            "/full/a.tif: No space left on device; free some space",
        ),
        (PermissionError(13, "Permission denied", "a.tif"), "a.tif: Permission denied; change its permissions"),
        (OSError("a library's words"), "a library's words; check that it is there"),
        (MemoryError(), "not enough memory"),
        (RecursionError("maximum"), "nested too deeply"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "save it as UTF-8"),
        (UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range"), "PYTHONIOENCODING"),
        (InputError("two\nlines\x1b[31m and " + "x" * 5000), "error: two lines\\x1b[31m and xxx"),
    ],
)
def test_every_failure_is_one_line(refused, monkeypatch, failure, words):
    def run_bench(atlas, *, quick):
        raise failure

    stand_in(monkeypatch, "unigeoclip.bench", "run_bench", run_bench)
    line = refused("bench")
    assert words in line
    assert len(line) < 1600


def test_tracebacks_are_for_those_who_ask(monkeypatch, capsys):
    def run_bench(atlas, *, quick):
        raise ZeroDivisionError

    stand_in(monkeypatch, "unigeoclip.bench", "run_bench", run_bench)
    monkeypatch.setenv("UNIGEOCLIP_DEBUG", "1")
    assert main(["bench"]) == 2
    printed = capsys.readouterr().err
    assert "Traceback" in printed
    assert printed.splitlines()[-1].startswith("error: ")


def test_a_person_may_stop_it(monkeypatch, capsys):
    def run_bench(atlas, *, quick):
        raise KeyboardInterrupt

    stand_in(monkeypatch, "unigeoclip.bench", "run_bench", run_bench)
    assert main(["bench"]) == 130
    assert capsys.readouterr().err == "stopped\n"


def run_child(*arguments, stdout=subprocess.PIPE, **environment):
    command = [sys.executable, "-m", "unigeoclip", *arguments]
    done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, env=os.environ | environment, check=False)
    return done.returncode, done.stderr.decode()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [("atlases", "--json"), ("--help",)])
def test_output_that_is_full_is_one_line(arguments):
    with Path("/dev/full").open("w") as full:
        code, error = run_child(*arguments, stdout=full)
    assert code == 2
    assert error.splitlines() == ["error: the output cannot be written: No space left on device; free some space, or "
                                  "write elsewhere."]  # fmt: skip


def test_output_in_ascii_stays_json(folder, tmp_path, monkeypatch):
    """A terminal without Unicode gets escapes that JSON knows, not an error and not other text."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    assert main(["search", "--atlas", str(folder), "--text", "café ☃", "--top", "1", "--json"]) == 0
    assert json.loads(stream.buffer.getvalue())["query"]["value"] == "café ☃"
    assert main(["search", "--atlas", str(folder), "--item", "text:café", "--top", "1"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "--text", "\udcff"],
        ["search", "--item", "text:\udcff"],
        ["search", "--latlon", "1,\udcff"],
        ["embed", "--csv", "a.csv", "--lat", "\udcff", "--out", "a.parquet"],
        ["train", "--config", "\udcff"],
        ["build", "city", "--name", "\udcff", "--tiles", "t"],
    ],
)
def test_words_that_are_not_utf8(refused, folder, arguments):
    assert "is not UTF-8" in refused(*arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--seed", "-1"], "must be 0 or more"),
        (["train", "--seed", str(2**70)], "must be 4,294,967,295 or less"),
        (["train", "--seed", "9" * 5000], "invalid number"),
        (["build", "city", "--name", "a", "--tiles", "t", "--seed", "-1"], "must be 0 or more"),
        (["train", "--steps", "99999999999"], "must be 10,000,000 or less"),
        (["search", "--text", "a", "--top", "1000000000"], "must be 100,000 or less"),
        (["search", "--text", "a", "--text", "b"], "given more than once"),
        (["search", "--item", "--"], "--item needs a value"),
        (["search", "--text=--"], "--text needs a value"),
        (["train", "--atlas", "world", "--atlas", "boston"], "given more than once"),
        (["search", "--text", "a", "--atlas", "x" * 5000], "xxx…xxx"),
    ],
)
def test_values_out_of_range(refused, arguments, words):
    assert words in refused(*arguments)


def test_places_that_cannot_be_written_are_refused_before_the_work(refused, folder, tmp_path, monkeypatch):
    def train(*_arguments, **_options):
        pytest.fail("the work was begun")

    for module, name in (
        ("training", "train"),
        ("build.world.builder", "build_world"),
        ("build.city.builder", "build_city"),
    ):
        monkeypatch.setattr(f"unigeoclip.{module}.{name}", train)
    file = tmp_path / "file"
    file.write_text("mine")
    city = ["build", "city", "--name", "a", "--tiles", "t"]
    for command in (["train", "--atlas", folder], ["build", "world"], city):
        assert "file is there and is none" in refused(*command, "--out", file)
        assert "file is there and is none" in refused(*command, "--out", file / "below" / "it")
        assert "at most 255 bytes" in refused(*command, "--out", tmp_path / ("é" * 200))
    for command in (["search", "--latlon", "1,2"], ["heatmap", "--latlon", "1,2"]):
        (tmp_path / "folder.geojson").mkdir(exist_ok=True)
        assert "it is a folder" in refused(*command, "--atlas", folder, "--out", tmp_path / "folder.geojson")
        name = "x" * 250 + ".geojson"
        assert "at most 255 bytes" in refused(*command, "--atlas", folder, "--out", tmp_path / name)
    assert file.read_text() == "mine"


def test_a_picture_that_is_asked_with_is_not_overwritten(refused, folder, tmp_path):
    picture = tmp_path / "photo.png"
    Image.new("RGB", (60, 60)).save(picture)
    before = picture.read_bytes()
    (tmp_path / "link.png").hardlink_to(picture)
    for out in (picture, tmp_path / "link.png"):
        options = ["--image", picture, "--modality", "aerial", "--out", out]
        assert "would overwrite it" in refused("heatmap", "--atlas", folder, *options)
    assert picture.read_bytes() == before


@pytest.mark.parametrize("option", ["--image", "--csv"])
def test_devices_and_pipes_are_not_read(refused, folder, tmp_path, option):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", tmp_path / "pipe", tmp_path):
        if option == "--image":
            line = refused("search", "--atlas", folder, "--image", path, "--modality", "aerial")
        else:
            line = refused("embed", "--embedder", "coordinates", "--csv", path, "--out", tmp_path / "o.parquet")
        assert "no regular file" in line


def test_a_table_does_not_overwrite_itself(refused, tmp_path):
    table = tmp_path / "x.csv"
    table.write_text("lat,lon\n1,2\n")
    (tmp_path / "link.parquet").symlink_to(table)
    (tmp_path / "hard.parquet").hardlink_to(table)
    (tmp_path / "notes.parquet").write_text("mine")
    embed = ["embed", "--embedder", "coordinates", "--csv", table, "--out"]
    assert "ends in .parquet" in refused(*embed, table)
    for name in ("link.parquet", "hard.parquet"):
        assert "is the table itself" in refused(*embed, tmp_path / name)
    assert "is no parquet file" in refused(*embed, tmp_path / "notes.parquet")
    assert table.read_text() == "lat,lon\n1,2\n"
    assert (tmp_path / "notes.parquet").read_text() == "mine"


def test_checkpoints_that_are_empty(refused, tmp_path):
    (tmp_path / "empty.ckpt").touch()
    (tmp_path / "x.csv").write_text("lat,lon\n1,2\n")
    options = ["--weights", tmp_path / "empty.ckpt", "--csv", tmp_path / "x.csv", "--out", tmp_path / "o.parquet"]
    assert "empty.ckpt is no checkpoint" in refused("embed", "--embedder", "satclip", *options)


@pytest.mark.parametrize(
    "content",
    ["[" * 100_000, '{"format": ' + "9" * 5000 + "}", '{"format": 1', "\udcff"],
    ids=["[", "9", "cut", "bytes"],
)
def test_manifests_that_are_damaged(refused, tmp_path, content):
    (tmp_path / "atlas.json").write_bytes(content.encode(errors="surrogateescape"))
    assert "fault of unigeoclip" not in refused("search", "--atlas", tmp_path, "--text", "a")


def test_a_reader_that_has_seen_enough_is_no_error():
    """As in ``... --json | head``: the pipe is closed before everything is printed."""
    child = subprocess.Popen(
        [sys.executable, "-m", "unigeoclip", "atlases", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    child.stdout.close()
    assert child.stderr.read() == b""
    assert child.wait() == 0
