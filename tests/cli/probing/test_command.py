"""The command probe."""

import json

import numpy as np
import pytest

from unigeoclip import geo

pytestmark = pytest.mark.usefixtures("surroundings")


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    """A table whose target is warmer to the south, and whose state follows longitude."""
    rng = np.random.default_rng(0)
    points = geo.random_on_sphere(120, rng, (-50.0, -170.0, 70.0, 170.0))
    rows = [f"{a:.4f},{o:.4f},{30 - abs(a) / 2 + n:.2f},{'EWNS'[i % 4]}" for i, ((a, o), n) in
            enumerate(zip(points.tolist(), rng.normal(size=120).tolist(), strict=True))]  # fmt: skip
    path = tmp_path_factory.mktemp("labels") / "stations.csv"
    path.write_text("\n".join(["y,x,warmth,state", *rows]) + "\n")
    return path


def columns(labels):
    return ["--csv", labels, "--lat", "y", "--lon", "x", "--target", "warmth"]


def test_a_file_is_probed(run, folder, labels, tmp_path):
    out = tmp_path / "report.json"
    command = ["probe", *columns(labels), "--atlas", folder, "--embedders", "unigeoclip,coordinates", "--out", out]
    report = run(*command, "--json")
    assert (report["n"], report["metric"], report["target"]) == (120, "r2", "warmth")
    assert set(report["results"]) == {"random", "blocks"}
    for found in report["results"].values():
        assert {"unigeoclip", "coordinates", "mean", "sincos", "harmonics-16"} == set(found)
        assert found["mean"]["mean"] <= 0 < found["coordinates"]["mean"]
        for each in found.values():
            assert each["mean"] == pytest.approx(np.mean(each["folds"]))
            assert each["std"] == pytest.approx(np.std(each["folds"]))
    assert json.loads(out.read_text()) == report
    printed = run(*command)
    assert "Split blocks: 10 degrees" in printed
    assert "the best baseline" in printed


def test_groups_are_a_split_of_their_own(run, folder, labels):
    report = run(
        "probe", *columns(labels), "--atlas", folder, "--embedders", "coordinates", "--folds-column", "state",
        "--splits", "groups", "--json",
    )  # fmt: skip
    assert len(report["results"]["groups"]["coordinates"]["folds"]) == 4


def test_the_protocol_of_coordbench_is_an_option(run, folder, labels):
    report = run(
        "probe", *columns(labels), "--atlas", folder, "--embedders", "sincos", "--protocol", "coordbench", "--json"
    )
    assert report["settings"]["protocol"] == "coordbench"
    assert len(set(report["results"]["random"]["sincos"]["hyperparameter"])) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Say what to probe on"),
        (["--task", "moon-rocks"], "There is no task 'moon-rocks'"),
        (["--task", "airports-country", "--lat", "y"], "--lat is an option of a file"),
        (["--csv", "no.csv", "--target", "a"], "no.csv"),
        (["--csv", "no.csv", "--own-model", "m"], "name it with --atlas"),
        (["--csv", "a", "--model", "forest"], "invalid choice 'forest'"),
        (["--csv", "a", "--folds", "1"], "must be 3 or more"),
    ],
)
def test_bad_options_are_refused_with_one_line(refused, words, message):
    assert message in refused("probe", *words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--embedders", "oracle"], "Unknown encoder 'oracle'"),
        (["--embedders", "street", "--splits", "random"], "has no 'street'"),
        (["--embedders", "sincos", "--splits", "moon"], "Unknown split 'moon'"),
        (["--embedders", "sincos", "--cell", "s2:99"], "S2 level 99"),
        (["--embedders", "sincos", "--baseline", "geoclip"], "'geoclip' is not among the encoders"),
        (["--embedders", "sincos", "--model", "logistic"], "this target is a number"),
    ],
)
def test_what_cannot_be_probed_is_refused_with_one_line(capsys, folder, labels, words, message):
    from unigeoclip.cli.main import main

    assert main([str(each) for each in ["probe", *columns(labels), "--atlas", folder, *words]]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err.splitlines()[-1]
