"""Links, colors, plots and sentences of page Probe."""

import numpy as np
import pytest

from pages.ui.probe import errors, maps, plots, scores
from pages.ui.probe.colors import ClassScale, scale_of
from pages.ui.probe.link import ProbeLink, parse_probe, probe_parameters
from tests.app import fake, fake_probe
from unigeoclip.evaluation.probing.results import ErrorPattern, Score
from unigeoclip.similarity.class_colors import class_colors
from unigeoclip.tasks.label_table import LabelTable


def numbers(target, latlon=None):
    latlon = fake_probe.positions(len(target)) if latlon is None else latlon
    return LabelTable("t", latlon, np.asarray(target, np.float64), "regression", "rent", "US$")


def classes(target):
    return LabelTable("t", fake_probe.positions(len(target)), np.array(target), "classification", "use")


@pytest.mark.parametrize("link", [ProbeLink(), ProbeLink("height", "a+b", "everywhere"), ProbeLink("height")])
def test_links_come_back(link):
    assert parse_probe(probe_parameters(link), ["height"]) == (link, "")


def test_without_a_task_nothing_is_in_the_address():
    assert probe_parameters(ProbeLink("", "unigeoclip", "everywhere")) == {}


def test_numbers_have_the_colors_of_their_legend():
    table = numbers(np.linspace(0, 100, 101))
    scale = scale_of(table)
    rgb = scale.rgb(np.array([-1e9, 2.0, 98.0, 1e9]))
    assert (rgb[0] == rgb[1]).all()
    assert (rgb[2] == rgb[3]).all()
    legend = scale.legend("Rent")
    assert legend["title"] == "Rent, US$"
    assert legend["stops"][0][2] == "#" + bytes(rgb[0].tolist()).hex()


def test_a_constant_target_has_colors():
    scale = scale_of(numbers(np.full(20, 3.0)))
    assert scale.low < scale.high
    assert np.ptp(scale.rgb(np.full(20, 3.0))) < 256


def test_no_residual_is_near_white_and_signs_differ():
    scale = scale_of(numbers(np.linspace(0, 100, 101)))
    right, high, low = scale.residual_rgb(np.array([5.0, 5.0, 90.0]), np.array([5.0, 90.0, 5.0])).astype(int)
    assert right.min() > 230
    assert high[2] > high[0], "predicted too high is blue"
    assert low[0] > low[2], "predicted too low is red"


def test_classes_have_the_colors_of_the_map_of_predictions():
    scale = scale_of(classes(["water"] * 5 + ["park"] * 3 + ["homes"] * 2))
    assert scale.names == ("homes", "park", "water")
    assert (scale.rgb(np.array(["water", "homes"])) == class_colors(3)[[2, 0]]).all()
    assert [swatch[1:] for swatch in scale.legend("Use")["swatches"]] == [
        ("water", "50 %"), ("park", "30 %"), ("homes", "20 %"),
    ]  # fmt: skip


def test_many_classes_are_counted_in_the_legend():
    names = tuple(f"class {number:02}" for number in range(30))
    assert ClassScale(names, tuple([1 / 30] * 30)).legend("Use")["words"] == "and 22 more classes"


def test_rare_classes_are_one_row_of_the_confusion_matrix():
    truth = np.repeat([f"c{number:02}" for number in range(30)], np.arange(31, 1, -1))
    labels, counts, shares = plots.confusion_counts(truth, truth)
    assert len(labels) == plots.MOST_CLASSES + 1
    assert labels[-1] == plots.OTHER
    assert counts.sum() == len(truth)
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.trace(counts) == len(truth)


def test_a_prediction_of_an_unknown_class_has_a_column():
    labels, counts, _ = plots.confusion_counts(np.array(["a", "b"]), np.array(["a", "z"]))
    assert labels == ["a", "b", plots.OTHER]
    assert counts[1, 2] == 1


def test_large_tables_are_drawn_as_a_sample():
    truth = np.arange(10_000.0)
    figure = plots.predicted_against_true(truth, truth, "Ours", "m", dark=False)
    assert len(figure["data"][0]["x"]) == plots.MOST_POINTS
    assert figure["data"][0]["type"] == "scatter", "scattergl compiles code, which the app forbids"


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (ErrorPattern(0.02, 0.3, 0.1, ()), "do not cluster"),
        (ErrorPattern(0.6, 0.3, 0.1, ()), "do not cluster"),  # may be chance
        (ErrorPattern(0.2, 0.005, 0.1, ()), "cluster somewhat"),
        (ErrorPattern(0.6, 0.0005, 0.25, ()), "some regions are predicted worse than others"),
    ],
)
def test_one_sentence_on_errors(pattern, words):
    assert words in errors.sentence(pattern)
    assert f"{100 * pattern.geo_bias:.0f} %" in errors.sentence(pattern)


def test_scores_have_a_true_minus_sign_and_no_nan():
    assert scores.score_text(Score.of([-0.5, -0.7])) == "−0.600 ± 0.100"
    assert scores.score_text(Score.of([0.5])) == "0.500"


def test_the_nearest_row_counts_only_if_it_is_near():
    table = numbers([1.0, 2.0], np.array([[10.0, 10.0], [20.0, 20.0]]))
    assert maps.nearest(table, 10.1, 10.0) == 0
    assert maps.nearest(table, 19.9, 20.0) == 1
    assert maps.nearest(table, 15.0, 15.0) is None


def test_rows_in_a_corner_are_shown_near_and_rows_everywhere_are_not():
    atlas = fake.FakeAtlas()
    south, west, north, east = maps.focus_of(numbers([1.0, 2.0], np.array([[10.0, 10.0], [20.0, 20.0]])), atlas)
    assert 9 < south < 10 < 20 < north < 21
    assert 9 < west < 10 < 20 < east < 21
    assert maps.focus_of(numbers([1.0, 2.0], np.array([[-60.0, -170.0], [60.0, 170.0]])), atlas) is None
