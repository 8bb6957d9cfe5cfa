"""Commands that compare embedders."""

import csv
import io
import json

import pytest

pytestmark = pytest.mark.usefixtures("surroundings")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


def test_where_or_what_measures_all_embedders_with_intervals(run, folder, kept):
    found = run("where-or-what", "--atlas", folder, "--embedders", "coordinates", "--out", kept / "t.json", "--json")
    assert set(found["embedders"]) == {"unigeoclip", "coordinates"}
    assert set(found["embedders"]["coordinates"]["figures"]) == set(found["figures"])
    position = found["embedders"]["coordinates"]["figures"]["position_r2"]
    assert position["low"] <= position["value"] <= position["high"] <= 1.01
    assert position["value"] > 0.99, "they are the position"
    assert found["embedders"]["unigeoclip"]["figures"]["neighbors"]["value"] == 1
    assert (found["draws"], found["seed"]) == (200, 0)
    assert found["n"] > 100
    assert "blocks" in found["splits"]["position_r2"]
    assert json.loads((kept / "t.json").read_text(encoding="utf-8")) == found


@pytest.mark.parametrize("ending", ["csv", "tex"])
def test_where_or_what_writes_tables(run, folder, kept, ending):
    out = kept / f"table.{ending}"
    printed = run("where-or-what", "--atlas", folder, "--embedders", "coordinates", "--out", out)
    assert "Plain coordinates\n  Variance: " in printed
    text = out.read_text(encoding="utf-8")
    if ending == "csv":
        lines = list(csv.DictReader(io.StringIO(text)))
        assert {line["embedder"] for line in lines} == {"unigeoclip", "coordinates"}
        assert all(line["n"] == lines[0]["n"] for line in lines)
    else:
        assert r"\begin{tabular}{lrr}" in text


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--embedders", "nobody"], "Unknown embedder 'nobody'"),
        (["--embedders", ","], "names separated by commas"),
        (["--embedders", "satclip"], "No weights of SatCLIP"),
        (["--out", "table.xlsx"], "ending in .json, .csv, .tex"),
        (["--out", "no/such/folder/t.csv"], "does not exist"),
    ],
)
def test_bad_options_are_told(refused, folder, options, complaint):
    assert complaint in refused("where-or-what", "--atlas", folder, *options)
