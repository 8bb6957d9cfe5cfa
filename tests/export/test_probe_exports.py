"""What is written of a report of probes: predictions, tables of scores, the page, the lines that repeat it."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.export.made_reports import HOSTILE, report
from unigeoclip.atlas.provenance import ModelSource, Provenance
from unigeoclip.errors import InputError
from unigeoclip.evaluation.probing.everywhere import predict_everywhere
from unigeoclip.export import predictions
from unigeoclip.export.probe_report import probe_report
from unigeoclip.export.probe_snippets import probe_command, probe_lines
from unigeoclip.export.probe_tables import best_encoder, latex_escaped, score_rows, scores_csv, scores_latex
from unigeoclip.similarity.grid import Grid
from unigeoclip.tasks.label_files import read_labels

MADE = Provenance((), (ModelSource("toy", "", ""),), "boston", "abc", ("© somebody <b>",), "", "unigeoclip 1")


# Predictions


def test_predictions_in_every_format_are_the_same_rows(tmp_path):
    made = report(groups=True)
    for name in ("p.csv", "p.geojson", "p.parquet"):
        predictions.save_predictions(made, "blocks", "unigeoclip", tmp_path / name, MADE)
    plain = pd.read_csv(tmp_path / "p.csv", comment="#")
    assert list(plain) == ["lat", "lon", "truth", "prediction", "residual", "fold", "group"]
    np.testing.assert_array_equal(plain["truth"], made.table.target)
    np.testing.assert_allclose(plain["residual"], made.table.target - made.results["blocks"]["unigeoclip"].predictions)
    assert "# provenance" not in (tmp_path / "p.csv").read_text()
    assert "# atlas: boston" in (tmp_path / "p.csv").read_text()
    points = geopandas.read_parquet(tmp_path / "p.parquet")
    assert points.crs == "EPSG:4326"
    np.testing.assert_array_equal(points["prediction"], plain["prediction"])
    metadata = pq.read_schema(tmp_path / "p.parquet").metadata
    assert json.loads(metadata[b"probe"])["encoder"] == "unigeoclip"
    assert json.loads(metadata[b"provenance"])["atlas"] == "boston"
    collection = json.loads((tmp_path / "p.geojson").read_text(encoding="utf-8"))
    assert collection["probe"]["split"] == "blocks"
    first = collection["features"][0]
    assert first["geometry"]["coordinates"] == [plain["lon"][0], plain["lat"][0]]
    assert first["properties"]["group"] == "north"


def test_predictions_can_be_read_as_labels_again():
    made = report()
    data = predictions.predictions_csv(made, "random", "unigeoclip")
    table = read_labels(data, target="truth")
    np.testing.assert_array_equal(table.target, made.table.target)
    np.testing.assert_array_equal(table.latlon, made.table.latlon)


def test_predictions_of_classes():
    made = report("classification", target="use #1", name="a\n# evil: b")
    text = predictions.predictions_csv(made, "random", "unigeoclip").decode()
    assert "\n# evil" not in text
    frame = pd.read_csv(io.StringIO(text), comment="#")
    assert frame["correct"].tolist() == (frame["truth"] == frame["prediction"]).tolist()


def test_predictions_that_are_not_there(tmp_path):
    with pytest.raises(InputError, match="no split 'cities'; there are random, blocks"):
        predictions.predictions_csv(report(), "cities", "unigeoclip")
    with pytest.raises(InputError, match="no encoder 'satclip'; there are mean"):
        predictions.predictions_csv(report(), "random", "satclip")
    with pytest.raises(InputError, match=r"written as \.csv"):
        predictions.save_predictions(report(), "random", "unigeoclip", tmp_path / "p.xlsx")
    assert list(tmp_path.iterdir()) == []


# Scores


def test_what_has_seen_the_task_wins_nothing():
    rows = score_rows(report())
    assert [(row.split, row.encoder) for row in rows[:3]] == [
        ("random", "geoclip"), ("random", "unigeoclip"), ("random", "mean"),
    ]  # fmt: skip
    assert [row.encoder for row in rows if row.best] == ["unigeoclip", "unigeoclip"]
    assert best_encoder(report(), "blocks") == "unigeoclip"


def test_scores_as_csv():
    rows = list(csv.DictReader(io.StringIO(scores_csv(report()).decode())))
    assert len(rows) == 6
    best = rows[1]
    assert (best["encoder"], best["n"], best["baseline"]) == ("unigeoclip", "120", "mean")
    assert float(best["r2"]) == pytest.approx(0.45)
    assert float(best["r2_std_error"]) == pytest.approx(np.std([0.4, 0.5, 0.45, 0.5, 0.4], ddof=1) / 5**0.5, rel=1e-5)
    assert (best["difference_low"], best["difference_high"]) == ("0.3", "0.5")
    assert rows[0]["seen_in_training"] == "its captions name it"
    assert rows[2]["difference"] == ""


def test_scores_as_latex():
    text = scores_latex(report(name="a%\n\\input{/etc/passwd}"))
    lines = text.splitlines()
    assert lines[0].startswith("% a%")
    assert sum(line.startswith("%") for line in lines) == 1
    assert r"\input" not in "\n".join(lines[1:])
    assert text.count(r"\mathbf{0.450}") == 2
    assert r"$+0.400$ $[+0.300, +0.500]$" in text
    assert latex_escaped(HOSTILE) in text
    assert latex_escaped(HOSTILE) == '<script>alert(1)</script> \\$x\\textasciicircum{}\\{ \\& "quoted" \\_50\\%'
    body = [line for line in lines if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in body} == {4}


# The page


class Page(HTMLParser):
    """The elements of a page, what they fetch, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.fetched, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.fetched += [value for name, value in attributes if name in ("src", "href", "xlink:href") and value]

    def handle_data(self, data):
        self.words.append(data)


def everywhere():
    class Probe:
        def predict(self, features):
            return features[:, 0].astype(np.float64)

    grid = Grid((42.2, -71.2, 42.4, -71.0), np.ones((20, 20), bool))
    return predict_everywhere(Probe(), lambda latlon: latlon.astype(np.float32), grid, report().table)


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_the_page_fetches_nothing_and_escapes_everything(kind):
    made = report(kind, name=HOSTILE, target=HOSTILE, unit=HOSTILE, classes=(HOSTILE, "b", "c"))
    text = probe_report(made, code=f"# {HOSTILE}\n", everywhere=everywhere(), provenance=MADE)
    page = Page(text)
    assert "script" not in page.tags
    assert all(value.startswith(("data:", "#")) for value in page.fetched)
    assert len(text.encode()) < 1_500_000
    assert page.tags.count("svg") == (6 if kind == "regression" else 5)
    words = " ".join(page.words)
    for expected in ("<script>alert(1)", "Left out: 3 rows", "A note.", "0.450 ± 0.0",
                     "+0.400 [+0.300, +0.500] to mean",
                     "cluster in space (Moran's I = 0.31", "its captions name it", "© somebody <b>"):  # fmt: skip
        assert expected in words, expected
    assert ("Confusion matrix" in words) == (kind == "classification")


def test_the_same_report_gives_the_same_page():
    assert probe_report(report(), everywhere=everywhere()) == probe_report(report(), everywhere=everywhere())


def test_many_rows_and_classes_stay_small():
    text = probe_report(report("classification", n=60_000, classes=tuple(f"class {i:03d}" for i in range(300))))
    assert len(text.encode()) < 1_500_000
    assert "288 others" in text
    assert len(probe_report(report(n=60_000)).encode()) < 1_500_000


def test_the_page_of_another_encoder():
    assert "Predictions of UniGeoCLIP" in probe_report(report())
    assert "Predictions of Mean of the training rows" in probe_report(report(), split="random", encoder="mean")
    with pytest.raises(InputError, match="no split"):
        probe_report(report(), split="cities")


# Lines that repeat it


def test_lines_of_python_compile_and_quote():
    columns = {"lat": "y", "target": 'x"; import os', "groups": None}
    options = {"seed": 3, "splits": ("random",)}
    code = probe_lines('a"b.csv', "boston", ["unigeoclip"], columns=columns, options=options)
    compile(code, "<lines>", "exec")
    assert 'read_labels("a\\"b.csv", lat="y", target="x\\"; import os")' in code
    assert "seed=3, splits=('random',))" in code
    assert 'load_task("temperature")' in probe_lines("temperature", "world", ["geoclip"])


def test_the_command_is_quoted_for_a_shell():
    command = probe_command("my file.csv", "world", ["unigeoclip", "geoclip"], {"target": "$(rm)", "groups": "ward"})
    assert command == (
        "python -m unigeoclip probe '--csv=my file.csv' '--target=$(rm)' --folds-column=ward --atlas=world"
        " --embedders=unigeoclip,geoclip --json\n"
    )
    assert "--task temperature" in probe_command("temperature", "world", ["geoclip"])
