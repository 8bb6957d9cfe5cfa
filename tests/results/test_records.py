"""Figures of quality: intervals, what is collected of records and of reports, and what ships."""

import json

import pytest

from unigeoclip.errors import InputError
from unigeoclip.paths import IMPORT_ROOT
from unigeoclip.results.collect import add_report, collect
from unigeoclip.results.page import filled, sections
from unigeoclip.results.records import Figure, Record, Records, fold_interval, measured, share_interval, write_measured

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
    assert first.relative_to(tmp_path).as_posix() == "results/probes/station-temperature-world-coordbench.json"
    kept = json.loads(first.read_text())
    assert kept["seeds"] == [3]
    assert kept["data"] == "8b66a569270e"
    assert kept["date"]


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


def test_a_task_seen_in_training_says_so():
    table = sections(Records("", [probe_record(seen_by=["UniGeoCLIP"])]))["probes"]
    assert "UniGeoCLIP (seen in training)" in table


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
            assert figure.low - 1e-9 <= figure.value <= figure.high + 1e-9, (record.subject, figure)
