"""Files that the command probe reads and writes."""

import csv
import json

import geopandas
import numpy as np
import pandas as pd
import pytest
import rasterio

from unigeoclip import geo
from unigeoclip.embedders import load_embedder
from unigeoclip.evaluation.probing.fitted import load_probe

pytestmark = pytest.mark.usefixtures("surroundings")
N = 120


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """The same labels as CSV and as GeoPackage with two layers."""
    rng = np.random.default_rng(0)
    points = geo.random_on_sphere(N, rng, (-50.0, -170.0, 70.0, 170.0))
    warmth = 30 - np.abs(points[:, 0]) / 2 + rng.normal(size=N)
    frame = geopandas.GeoDataFrame(
        {"warmth": warmth.round(2), "zone": np.where(warmth > 15, "warm", "cold")},
        geometry=geopandas.points_from_xy(points[:, 1], points[:, 0]), crs="EPSG:4326",
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("places")
    frame.to_file(folder / "places.gpkg", layer="stations")
    frame.assign(warmth=frame["warmth"] + 1).to_file(folder / "places.gpkg", layer="later")
    frame.drop(columns="geometry").assign(lat=points[:, 0], lon=points[:, 1]).to_csv(folder / "places.csv", index=False)
    return folder


def probed(folder, *more):
    return ["probe", *more, "--atlas", folder, "--embedders", "coordinates,unigeoclip"]


@pytest.mark.slow
def test_any_format_gives_the_same_report(run, folder, places):
    target = ["--target", "warmth"]
    plain = run(*probed(folder, "--csv", places / "places.csv", *target), "--json")
    layered = run(*probed(folder, "--file", places / "places.gpkg", *target, "--layer", "stations"), "--json")
    assert plain["results"] == layered["results"]


def test_files_of_a_probe(run, folder, places, tmp_path):
    files = {name: tmp_path / name for name in ("p.csv", "s.csv", "r.html")}
    report = run(
        *probed(folder, "--csv", places / "places.csv", "--target", "warmth"), "--predictions", files["p.csv"],
        "--scores", files["s.csv"], "--report", files["r.html"], "--embedder", "unigeoclip", "--seed", "3", "--json",
    )  # fmt: skip
    rows = pd.read_csv(files["p.csv"], comment="#")
    assert len(rows) == N
    assert "encoder: unigeoclip" in files["p.csv"].read_text()
    scores = list(csv.DictReader(files["s.csv"].open()))
    for row in scores:
        assert float(row["r2"]) == pytest.approx(report["results"][row["split"]][row["encoder"]]["mean"], rel=1e-4)
    folds = [
        1 - ((part["truth"] - part["prediction"]) ** 2).sum() / ((part["truth"] - part["truth"].mean()) ** 2).sum()
        for _, part in rows.groupby("fold")
    ]
    assert np.mean(folds) == pytest.approx(report["results"]["blocks"]["unigeoclip"]["mean"], abs=1e-6)
    page = files["r.html"].read_text(encoding="utf-8")
    assert "seed=3" in page
    assert "read_labels(" in page


def test_what_was_left_out_is_in_the_report(run, folder, places, tmp_path):
    text = (places / "places.csv").read_text().splitlines()
    text[3] = "," + text[3].partition(",")[2]
    (tmp_path / "some.csv").write_text("\n".join(text))
    report = run(*probed(folder, "--csv", tmp_path / "some.csv", "--target", "warmth"), "--json")
    assert report["n"] == N - 1
    assert "Left out: 1 row without a value of 'warmth'." in report["notes"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--predictions", "p.xlsx"], "ends in .csv or"),
        (["--scores", "s.csv", "--report", "s.csv"], "ends in .html"),
        (["--scores", "s.csv", "--predictions", "s.csv"], "Two options name one file"),
        (["--scores", "none/s.csv"], "does not exist"),
        (["--embedder", "unigeoclip"], "says whose predictions"),
        (["--predictions", "p.csv", "--embedder", "geoclip"], "is not among --embedders"),
        (["--target", "nothing"], "no column 'nothing'"),
        (
            ["--crs", "EPSG:none", "--target", "warmth", "--lat", "lat", "--lon", "lon"],
            "no coordinate reference system",
        ),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    refused, folder, places, tmp_path, monkeypatch, options, words
):
    monkeypatch.chdir(tmp_path)
    assert words in refused(*probed(folder, "--csv", places / "places.csv"), *options)
    assert list(tmp_path.iterdir()) == []


def test_the_page_of_classes(run, folder, places, tmp_path):
    printed = run(
        *probed(folder, "--csv", places / "places.csv", "--target", "zone"), "--report", tmp_path / "r.html",
        "--predictions", tmp_path / "p.geojson",
    )  # fmt: skip
    assert "accuracy" in printed
    assert "Confusion matrix" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert len(json.loads((tmp_path / "p.geojson").read_text())["features"]) == N


def test_a_map_and_the_fitted_probe(run, folder, places, tmp_path):
    files = [tmp_path / name for name in ("m.tif", "f.json", "r.html", "z.tif")]
    command = [*probed(folder, "--csv", places / "places.csv", "--target", "warmth"), "--embedder", "coordinates"]
    run(
        *command, "--predict-everywhere", files[0], "--save-probe", files[1], "--report", files[2],
        "--only-near-labels", "--json",
    )  # fmt: skip
    fitted = load_probe(files[1])
    assert (fitted.facts.encoder, fitted.facts.target, fitted.facts.rows) == ("coordinates", "warmth", N)
    with rasterio.open(files[0]) as tiff:
        amounts, (lon, lat) = tiff.read(1), tiff.xy(*np.argwhere(np.isfinite(tiff.read(1)))[0])
        assert json.loads(tiff.tags()["PROVENANCE"])["model"][0].startswith("coordinates")
    vectors = load_embedder("coordinates").embed([(lat, lon)])
    assert amounts[np.isfinite(amounts)][0] == pytest.approx(fitted.predict(vectors)[0], abs=1e-3)
    assert "Predicted everywhere" in files[2].read_text(encoding="utf-8")
    run(*probed(folder, "--csv", places / "places.csv", "--target", "zone"), "--predict-everywhere", files[3])
    with rasterio.open(files[3]) as tiff:
        assert json.loads(tiff.tags(1)["CLASSES"]) == ["cold", "warm"]


def test_a_baseline_of_one_table_has_no_map(refused, run, folder, places, tmp_path):
    command = ["probe", "--csv", places / "places.csv", "--target", "warmth", "--atlas", folder]
    answer = refused(
        *command, "--embedders", "coordinates,mean", "--embedder", "mean", "--predict-everywhere", tmp_path / "m.tif"
    )
    assert "'mean' is made for the positions of one table" in answer
    assert list(tmp_path.iterdir()) == []
