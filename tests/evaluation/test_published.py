"""Published figures: they were typed in once, so everything in them that follows from the rest is checked."""

import pytest

from unigeoclip.evaluation.published import coordbench, paper


def test_intervals_of_coordbench_lie_round_their_values():
    """Each is a mean over folds with a symmetric interval: a slip in one of the three numbers shows."""
    scores = coordbench()
    for name, task in scores.tasks.items():
        assert set(task.results) == {"random", "spatial"}
        for split, results in task.results.items():
            assert set(results) == set(scores.models), (name, split)
            for model, (value, low, high) in results.items():
                assert low < value < high, (name, split, model)
                assert (low + high) / 2 == pytest.approx(value, abs=1.5e-4), (name, split, model)


def test_the_figures_that_our_protocol_is_checked_against():
    air = coordbench().tasks["satclip-air-temp"]
    assert (air.n, air.metric) == (3076, "r2")
    assert air.results["random"]["geoclip"][0] == pytest.approx(0.922, abs=1e-3)
    assert air.results["spatial"]["geoclip"][0] == pytest.approx(0.909, abs=1e-3)


def test_the_source_is_a_version_of_a_file():
    scores = coordbench()
    assert scores.commit in scores.url
    assert len(scores.commit) == 40


def test_the_papers_figures_say_that_they_are_not_comparable():
    assert paper().note == "their data, not comparable"
    assert {figure.metric for figure in paper().figures} == {"acc@100m", "mean r2"}
    ours = {figure.what: figure.value for figure in paper().figures if figure.model == "UniGeoCLIP" and figure.like}
    assert ours["street->ensemble"] == 91.0
    groups = {figure.model for figure in paper().figures if figure.what == "health"}
    for model in groups:  # the mean is of 27 regressions and lies within the means of the groups
        values = {figure.what: figure.value for figure in paper().figures if figure.model == model}
        mean = values["mean of 27 regressions"]
        assert min(values["health"], values["social"], values["environment"]) < mean
        assert mean < max(values["health"], values["social"], values["environment"])
