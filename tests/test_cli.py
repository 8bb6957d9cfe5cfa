import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import rasterio
from PIL import Image

from tests.explorable import use_hashed_sentences, write_explorable_atlas, write_explorable_city
from unigeoclip.cli import main
from unigeoclip.embedders import load_embedder

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
    assert "usage" in printed
    if not command:
        assert all(f"    {name} " in printed for name in COMMANDS)


def test_help_imports_nothing_heavy():
    code = """
import sys
from unigeoclip.cli import main
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
    sea = run("search", "--atlas", folder, "--latlon=0,0", "--json")
    assert "ocean" in sea["query"]["notes"][0]


def test_search_by_a_composed_query(run, folder, tmp_path):
    items = ["--item", "text:hot desert", "--item", "-0.5*at:-33.9,30.5"]
    answer = run("search", "--atlas", folder, *items, "--top", "2", "--out", tmp_path / "found.geojson", "--json")
    assert answer["query"] == {"items": ["text:hot desert", "-0.5*at:-33.9,30.5"], "notes": []}
    from unigeoclip.search import Explorer, QueryItem

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
    table = pd.read_csv(tmp_path / "found.csv")
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
        (["--latlon", "nan,0"], "finite"),
        (["--latlon", "north"], "42.36,-71.06"),
        (["--latlon", "1,2,3"], "42.36,-71.06"),
        (["--text", ""], "no words"),
        (["--text", "dry", "--top", "0"], "must be 1 or more"),
        (["--text", "dry", "--top", "many"], "invalid number"),
        (["--text", "dry", "--modality", "aerial"], "--image"),
        (["--image", "missing.png", "--modality", "aerial"], "missing.png cannot be read"),
        (["--image", "."], "--modality aerial"),
        (["--image", "a.png", "--modality", "text"], "invalid choice"),
        (["--item", "sea"], "no query item"),
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
        (["--latlon", "1,2", "--out", "heat.tif", "--embedder", "oracle"], "no embedder 'oracle'"),
        (["--text", "dry", "--out", "heat.tif", "--embedder", "oracle"], "no embedder 'oracle'"),
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
    assert "no embedder 'oracle'" in refused("embed", "--embedder", "oracle", "--csv", "a.csv", "--out", "b.parquet")


# What other modules compute: only that it is called rightly and printed


def stand_in(monkeypatch, module, name, function):
    monkeypatch.setitem(sys.modules, module, SimpleNamespace(**{name: function}))


def test_build(run, tmp_path, monkeypatch):
    def build_world(out, *, progress):
        progress("Fetching", 0.5)
        progress("Fetching", 1.0)
        return out

    stand_in(monkeypatch, "unigeoclip.atlas.sources.world", "build_world", build_world)
    assert run("build", "world", "--out", tmp_path / "here").strip() == str(tmp_path / "here")


def test_build_knows_its_atlases(refused):
    assert "invalid choice" in refused("build", "moon")


def test_train(run, folder, tmp_path, monkeypatch):
    called = []

    def train(atlas, config, out, **options):
        called.append((atlas.name, config, out, options))
        return {"retrieval": {"text->location": {"recall@1": 31.25, "n": 8}}}

    stand_in(monkeypatch, "unigeoclip.training", "train", train)
    printed = run("train", "--atlas", folder, "--out", tmp_path / "run", "--split", "blocks", "--steps", 7, "--resume")
    options = {"split": "blocks", "seed": 0, "steps": 7, "resume": True}
    assert called == [("tiny", "mini", tmp_path / "run", options)]
    assert "text->location: recall@1 31.25, n 8" in printed


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
    assert "text->aerial: recall@1 18.5, recall@10 62, n 5000" in printed
    assert "query Sahara, rule polygon, precision 97" in printed


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
        (["--record"], "--elsewhere NAME"),
        (["--steps", "5"], "belong to --ablations"),
        (["--out", "runs"], "belong to --ablations"),
        (["--ablations", "--elsewhere", "amsterdam"], "leave out --model and --elsewhere"),
        (["--ablations", "--model", "m"], "leave out --model and --elsewhere"),
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


def test_faults_of_ours_are_not_hidden(monkeypatch):
    def run_bench(atlas, *, quick):
        raise ZeroDivisionError

    stand_in(monkeypatch, "unigeoclip.bench", "run_bench", run_bench)
    with pytest.raises(ZeroDivisionError):
        main(["bench"])


def test_a_reader_that_has_seen_enough_is_no_error():
    """As in ``... --json | head``: the pipe is closed before everything is printed."""
    child = subprocess.Popen(
        [sys.executable, "-m", "unigeoclip", "atlases", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    child.stdout.close()
    assert child.stderr.read() == b""
    assert child.wait() == 0
