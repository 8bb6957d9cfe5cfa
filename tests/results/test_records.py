"""Figures of quality: intervals, what is collected of records and of reports, and what ships."""

import json

import pytest

from unigeoclip.errors import InputError
from unigeoclip.paths import IMPORT_ROOT
from unigeoclip.results.collect import collect
from unigeoclip.results.page import filled, sections
from unigeoclip.results.probe_reports import add_report, kept_reports
from unigeoclip.results.probe_tables import wins
from unigeoclip.results.records import (
    Figure,
    Gain,
    Record,
    Records,
    fold_interval,
    measured,
    share_interval,
    write_measured,
)

REPORT = {
    "task": "station-temperature",
    "n": 3076,
    "metric": "r2",
    "results": {
        "random": {"unigeoclip": {"mean": 0.9, "std": 0.01, "folds": [0.89, 0.9, 0.91], "title": "UniGeoCLIP"}},
        "blocks": {"unigeoclip": {"mean": 0.8, "std": 0.0, "folds": [0.8]}},
    },
    "settings": {"seed": 3, "protocol": "coordbench", "atlas": "world", "atlas_data": "8b66a569270e"},
    "seen_by": {"unigeoclip": "its captions name the climate"},
}


def probe_record(**changes):
    figures = [Figure("UniGeoCLIP", "r2", 0.999, 0.998, 1.0, 3076)]
    known = {"subject": "station-temperature", "kind": "probe", "where": "world", "split": "blocks", "seeds": [0]}
    known |= {"command": None, "date": None, "data": None, "outdated": False, "protocol": "coordbench", "seen_by": []}
    return Record(**known | changes, figures=figures)


def test_wilsons_interval():
    """Values of the formula for 8 of 10, 0 of 10 and 10 of 10."""
    assert share_interval(80, 10) == pytest.approx((49.02, 94.33), abs=0.01)
    assert share_interval(0, 10) == pytest.approx((0, 27.75), abs=0.01)
    assert share_interval(100, 10) == pytest.approx((72.25, 100), abs=0.01)


def test_interval_over_folds():
    """Student's t with 2 degrees of freedom is 4.303 at 97.5 %."""
    low, high = fold_interval([0.89, 0.90, 0.91])
    assert (low + high) / 2 == pytest.approx(0.9)
    assert (high - low) / 2 == pytest.approx(4.3027 * 0.01 / 3**0.5, rel=1e-4)
    assert fold_interval([0.9]) is None


def test_a_report_of_a_probe_is_added_once(tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.dumps(REPORT))
    first = add_report(path, tmp_path / "results")
    assert add_report(path, tmp_path / "results") == first
    assert first.relative_to(tmp_path).as_posix() == "results/probes/station-temperature-world-coordbench-seed-3.json"
    kept = json.loads(first.read_text())
    assert kept["seeds"] == [3]
    assert kept["data"] == "8b66a569270e"
    assert kept["date"]
    records = {record.split: record for record in kept_reports(tmp_path / "results")}
    assert records["random"].seen_by == ["UniGeoCLIP"]
    assert records["random"].figures[0].low < 0.9 < records["random"].figures[0].high
    assert records["blocks"].figures[0].low is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"task": None}, '"task" must be a name'),
        ({"n": "3076"}, "number of rows"),
        ({"results": {}}, "must hold splits"),
        ({"results": {"random": {"a": {"folds": []}}}}, 'needs "folds"'),
        ({"results": {"random": {"a": {"folds": [0.5, None]}}}}, "has no value"),
    ],
)
def test_what_is_no_report_is_refused_and_nothing_is_written(tmp_path, change, words):
    path = tmp_path / "report.json"
    path.write_text(json.dumps(REPORT | change))
    with pytest.raises(InputError, match=words):
        add_report(path, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_records_are_read_as_they_were_written(tmp_path):
    records = Records("a command", [probe_record(), probe_record(split="random", date="2026-11-27")])
    write_measured(records, tmp_path)
    assert measured(tmp_path) == records


def test_our_probe_by_the_same_protocol_stands_beside_the_published_ones():
    table = sections(Records("", [probe_record()]))["coordbench"]
    row = next(line for line in table.split("\n") if line.startswith("| satclip-air-temp | spatial"))
    assert row.endswith("| **0.999 ± 0.001** |")
    other = sections(Records("", [probe_record(protocol="nested")]))["coordbench"]
    assert "ours" not in other


def boston(task, seed=0, variant="", split="blocks", seen=(), **values):
    """A probe in Boston; the gain of ours on the best of the others is sure from 0.1 on."""
    titles = {"unigeoclip": "UniGeoCLIP", "geoclip": "GeoCLIP", "fourier-64": "Waves", "ensemble": "Mean of ours"}
    best = max(value for name, value in values.items() if name not in ("unigeoclip", "ensemble") and name not in seen)
    figures = [
        Figure(
            titles.get(name, name), "r2", value, value - 0.1, value + 0.1, 300, name,
            Gain("geoclip", value - best, value - best - 0.1, value - best + 0.1),
        )
        for name, value in {key.replace("_", "-"): value for key, value in values.items()}.items()
    ]  # fmt: skip
    known = {"subject": task, "split": split, "where": "boston", "protocol": "nested", "seeds": [seed]}
    record = probe_record(**known, variant=variant, seen_by=[titles.get(name, name) for name in seen])
    return Record(**{**record.__dict__, "figures": figures})


def test_wins_are_counted_against_everything_that_is_not_ours_and_has_not_seen_the_task():
    records = [
        boston("boston-income", unigeoclip=0.5, ensemble=0.6, geoclip=0.3, fourier_64=0.45),
        boston("boston-degrees", unigeoclip=0.5, ensemble=0.6, geoclip=0.3, fourier_64=0.55),
        boston("boston1970-rooms", unigeoclip=0.1, ensemble=0.6, geoclip=0.3, fourier_64=0.2),
        boston("boston-building-height", seen=("unigeoclip", "ensemble"), unigeoclip=0.9, ensemble=0.9, geoclip=0.3),
        boston("boston-airbnb-price", seen=("geoclip",), unigeoclip=0.2, ensemble=0.2, geoclip=0.9, fourier_64=0.1),
    ]
    assert wins(records, "unigeoclip") == (4, 2, 0, 1)
    assert wins(records, "ensemble") == (4, 4, 2, 0)
    around = boston("boston1970-rooms", variant="neighborhoods", unigeoclip=0.4, geoclip=0.5)
    assert wins([*records, around], "unigeoclip", variant="neighborhoods") == (1, 1, 0, 0)
    assert wins([*records, around], "unigeoclip", variant="neighborhoods", against="neighborhoods") == (1, 0, 0, 0)


def test_a_row_says_what_the_best_of_the_others_and_of_the_floors_reach():
    row = boston("boston-income", unigeoclip=0.5, ensemble=0.6, geoclip=0.3, satclip=0.2, fourier_64=0.45)
    seen = boston("boston-tree-cover", seen=("unigeoclip",), unigeoclip=0.9, geoclip=0.3, fourier_64=0.1)
    lines = sections(Records("", [seen, row]))["probes-boston"].strip().split("\n")
    assert lines[2] == (
        "| Income | blocks | 300 | no | 0.50 (0.40 to 0.60) | **0.60 (0.50 to 0.70)** | GeoCLIP: 0.30 (0.20 to 0.40) | "
        "Waves: 0.45 (0.35 to 0.55) | 0.05 (-0.05 to 0.15) |"
    )
    assert "| yes | 0.90 (0.80 to 1.00) | – | **GeoCLIP: 0.30 (0.20 to 0.40)** |" in lines[3]


def test_only_the_first_seed_of_the_folds_is_a_row_but_all_are_counted():
    records = [boston("boston-income", seed=seed, unigeoclip=0.4 + seed, geoclip=0.5) for seed in (1, 0)]
    found = sections(Records("", records))
    assert found["probes-boston"].count("| Income |") == 1
    assert "| 0.40 (0.30 to 0.50) |" in found["probes-boston"]
    assert "| 1 | 0, 1 | 0, 1 | 0, 1 | 0 |" in found["probe-wins"]
    other = boston("boston-degrees", unigeoclip=0.4, geoclip=0.5)
    assert "| 2 | 0 | 0 | 0 | 0 |" in sections(Records("", [*records, other]))["probe-wins"]


def test_a_page_with_other_markers_is_refused():
    with pytest.raises(InputError, match="it should have"):
        filled("# Results\n\n<!-- results: something -->\n<!-- end -->\n", Records("", []))


def test_the_page_of_the_documentation_is_written_from_what_ships():
    page = (IMPORT_ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert page == filled(page, measured()), "run python -m unigeoclip results --write"


@pytest.mark.slow
def test_what_ships_is_what_the_records_say():
    assert measured() == collect(), "run python -m unigeoclip results --write"


def test_every_figure_lies_in_its_interval_and_says_what_repeats_it():
    for record in measured().records:
        assert record.seeds
        assert record.data
        for figure in record.figures:
            assert figure.n > 0
            if record.kind in ("retrieval", "text queries", "probe"):
                assert figure.low is not None
            if figure.low is not None:
                assert figure.low - 1e-9 <= figure.value <= figure.high + 1e-9, (record.subject, figure)
