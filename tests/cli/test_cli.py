"""The command line: help, atlases, search and heatmap."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import rasterio
from PIL import Image

from unigeoclip.cli.main import main

COMMANDS = ("atlases", "build", "train", "search", "describe", "heatmap", "embed", "evaluate", "bench")


pytestmark = pytest.mark.usefixtures("surroundings")


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


# describe


@pytest.fixture
def described(monkeypatch):
    """Explorers say this of every query."""
    from unigeoclip.search.explorer import Explorer
    from unigeoclip.words.describer import Description, Phrase

    said = Description((Phrase("hot desert", "climate", 0.71234), Phrase("dunes", "land cover", 0.2)), 0.416789, 0.12)
    monkeypatch.setattr(Explorer, "describe", lambda explorer, query: said)
    return said


def test_describe_prints_phrases(run, folder, described):
    answer = run("describe", "--atlas", folder, "--text", "sand", "--json")
    assert answer == {
        "query": {"modality": "text", "value": "sand", "notes": []},
        "phrases": [
            {"phrase": "hot desert", "kind": "climate", "weight": 0.7123},
            {"phrase": "dunes", "kind": "land cover", "weight": 0.2},
        ],
        "explained": 0.4168,
        "chance": 0.12,
        "note": "",
    }
    assert run("describe", "--atlas", folder, "--item", "text:sand", "--json")["query"]["items"] == ["text:sand"]
    printed = run("describe", "--atlas", folder, "--latlon", "0,0")
    assert " 0.71  hot desert  (climate)" in printed
    assert "explain 42 % of what a text can say of it; of random vectors 12 %" in printed


def test_describe_says_what_is_not_known(run, folder, monkeypatch):
    from unigeoclip.search.explorer import Explorer
    from unigeoclip.words.describer import NOT_CLOSE, Description

    monkeypatch.setattr(Explorer, "describe", lambda explorer, query: Description((), 0.0, 0.12, NOT_CLOSE))
    assert run("describe", "--atlas", folder, "--text", "sand") == f"Not known. {NOT_CLOSE}\n"
    answer = run("describe", "--atlas", folder, "--text", "sand", "--json")
    assert (answer["phrases"], answer["explained"], answer["note"]) == ([], 0, NOT_CLOSE)


def test_describe_without_a_vocabulary_that_fits(refused, folder):
    assert "No phrase of the vocabulary" in refused("describe", "--atlas", folder, "--text", "sand")


def test_measuring_words_measures_nothing_else(refused):
    assert "--words measures nothing else" in refused("evaluate", "--words", "--record")


def test_measuring_the_live_map_measures_nothing_else(refused):
    assert "--compact measures nothing else" in refused("evaluate", "--compact", "--words")


# search


def test_search_by_text(run, folder):
    answer = run("search", "--atlas", folder, "--text", "hot desert", "--top", "3", "--json")
    assert answer["query"] == {"modality": "text", "value": "hot desert", "notes": []}
    assert list(answer["results"]) == ["location", "aerial", "surface", "text"]
    for matches in answer["results"].values():
        assert len(matches) == 3
        assert {"place_id", "lat", "lon", "similarity", "score", "distance_m"} <= set(matches[0])
        assert matches[0]["distance_m"] is None
        assert matches[0]["score"] >= matches[2]["score"]


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
