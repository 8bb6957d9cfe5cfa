"""Figures of embedders with their standard errors, and the table of them."""

import csv
import io

import numpy as np
import pytest

from unigeoclip.compare.block_bootstrap import DRAWS, blocks_of
from unigeoclip.compare.figure_table import Estimate, Row, method_of, ring_name, table_csv, table_latex, table_rows
from unigeoclip.compare.figures import STEPS, Sample, agreement, figures
from unigeoclip.errors import InputError, StoppedError
from unigeoclip.evaluation import structure
from unigeoclip.geo import METERS_PER_DEGREE, unit_xyz

SIDE_DEG = 0.4
LATLON = np.stack(np.meshgrid(np.linspace(10, 10.4, 24), np.linspace(20, 20.4, 24)), axis=-1).reshape(-1, 2)
SIDE_M = SIDE_DEG * METERS_PER_DEGREE


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def where(dim=16):
    """Position alone: slow waves."""
    phase = (LATLON - LATLON.mean(axis=0)) / SIDE_DEG @ np.random.default_rng(0).normal(size=(2, dim))
    return unit(np.concatenate([np.cos(phase), np.sin(phase)], axis=1))


def what(seed=1, dim=16):
    """Nothing about position."""
    return unit(np.random.default_rng(seed).normal(size=(len(LATLON), dim)))


@pytest.fixture(scope="module")
def sample():
    edges = np.array([0, 2500, 10_000])
    return Sample(LATLON, SIDE_M, edges, structure.rings(LATLON, edges.tolist()))


@pytest.fixture(scope="module")
def found(sample):
    models = {"where": where(), "what": what(), "constant": unit(np.ones((len(LATLON), 4)))}
    return {name: figures(vectors, sample) for name, vectors in models.items()}


def test_figures_tell_where_from_what(found):
    assert found["where"]["position_r2"] > 0.95 > 0.05 > found["what"]["position_r2"]
    assert found["where"]["smooth_share"] > 0.99 > 0.05 > found["what"]["smooth_share"]
    assert found["where"]["position_error_m"] < 3000 < found["what"]["position_error_m"] < SIDE_M
    assert found["where"]["moran"][0][1] > 0.9
    assert abs(found["what"]["moran"][0][1]) < 0.1


def test_every_figure_has_a_standard_error_and_says_how_it_was_made(found):
    for name in ("where", "what"):
        errors = found[name]["errors"]
        assert set(errors) == {"variance", "first_three", "effective_rank", "smooth_share", "position_r2", "moran"}
        assert all(0 < each < 2 for key, each in errors.items() if key != "moran"), errors
        assert all(each > 0 for each in errors["moran"])
        assert (found[name]["n"], found[name]["draws"], found[name]["seed"]) == (576, DRAWS, 0)
        assert 64 <= found[name]["blocks"] <= 90


def test_a_constant_model_has_no_figures_but_its_variance(found):
    constant = found["constant"]
    assert constant["variance"] == 0
    assert constant["smooth_share"] is None
    assert constant["position_r2"] is None
    assert [value for _, value in constant["moran"]] == [None, None]


def test_the_work_can_be_stopped(sample):
    seen = []

    def report(done, total):
        seen.append((done, total))
        return done < 3

    with pytest.raises(StoppedError):
        figures(what(), sample, report)
    assert seen == [(1, STEPS), (2, STEPS), (3, STEPS)]


def test_agreement_has_standard_errors(sample):
    same, other = agreement(where(), where(), sample), agreement(where(), what(), sample)
    assert (same["cka"], same["neighbors"]) == (pytest.approx(1), 1)
    assert same["errors"] == {"cka": pytest.approx(0, abs=1e-4), "neighbors": 0}
    assert other["neighbors"] < 0.1
    assert 0 < other["errors"]["neighbors"] < 0.02
    assert agreement(where(), unit(np.ones((len(LATLON), 4))), sample)["cka"] is None


def test_the_standard_error_of_a_mean_of_independent_points_is_the_usual_one():
    blocks = blocks_of(LATLON, SIDE_M, draws=2000)
    values = np.random.default_rng(3).normal(5, 1, len(LATLON))
    error = blocks.error_of_ratio(values, np.ones(len(values)))
    assert error == pytest.approx(1 / np.sqrt(len(values)), rel=0.25)
    alike = np.repeat(np.random.default_rng(4).normal(size=blocks.counts.shape[1]), 1)[blocks.of_points]
    assert blocks.error_of_ratio(alike, np.ones(len(alike))) > 2 * error, "points of a block are one draw"


def test_moments_of_a_draw_are_those_of_its_points():
    blocks, vectors = blocks_of(LATLON, SIDE_M, draws=3), what().astype(np.float64)
    rows = np.concatenate(
        [
            np.flatnonzero(blocks.of_points == block)
            for block, times in enumerate(blocks.counts[1])
            for _ in range(times)
        ]
    )
    expected = np.cov(vectors[rows].T, bias=True)
    np.testing.assert_allclose(list(blocks.moments(vectors, vectors))[1], expected, atol=1e-5)


def test_blocks_are_square_and_the_same_again():
    blocks = blocks_of(LATLON, SIDE_M)
    np.testing.assert_array_equal(blocks.counts, blocks_of(LATLON, SIDE_M).counts)
    assert (blocks.counts.sum(axis=1) == blocks.counts.shape[1]).all()
    for block in range(blocks.counts.shape[1]):
        extent = np.ptp(LATLON[blocks.of_points == block], axis=0)
        assert (extent <= SIDE_DEG / 8 * np.array([1, 1.03])).all()


def test_moran_is_a_correlation_where_few_points_have_neighbors():
    """Two points far from the mean are neighbors, and 18 others have none: Moran's I is 9 with binary weights."""
    from libpysal.weights import W

    ring = W({0: [1], 1: [0], **{number: [] for number in range(2, 20)}}, silence_warnings=True)
    vectors = np.zeros((20, 2))
    vectors[:2, 0] = 1
    assert structure.morans_i(vectors, [ring], components=1)[0] == pytest.approx(1)
    for seed in range(30):
        values = np.random.default_rng(seed).normal(size=(20, 3))
        assert -1 <= structure.morans_i(values, [ring], components=1)[0] <= 1


def test_moran_is_the_sum_of_its_terms(sample):
    for vectors in (where(), what()):
        value = structure.morans_i(vectors, sample.rings)[1]
        above, below = structure.moran_terms(vectors, sample.rings)[1]
        assert above.sum() / below.sum() == pytest.approx(value)


def test_positions_are_predicted_in_blocks():
    blocks = blocks_of(LATLON, SIDE_M).of_points
    off, total = structure.position_errors(unit_xyz(LATLON), LATLON, blocks)
    assert off.sum() < 1e-4 * total.sum()
    with pytest.raises(InputError, match="5 blocks or more"):
        structure.position_errors(what(), LATLON, np.zeros(len(LATLON)))


def test_the_table_has_intervals_as_csv_and_latex(found, sample):
    alike = {"where": agreement(where(), where(), sample), "what": agreement(what(), where(), sample)}
    rows = table_rows(found, alike, "A & B")
    titles = {"where": "Where_1", "what": "100 % what", "constant": "Constant"}
    lines = list(csv.DictReader(io.StringIO(table_csv(rows, titles, found["where"]).decode())))
    assert len(lines) == 3 * len(rows)
    line = next(each for each in lines if (each["figure"], each["embedder"]) == ("variance", "where"))
    assert float(line["low"]) < float(line["value"]) == pytest.approx(found["where"]["variance"], rel=1e-4)
    half = 1.96 * found["where"]["errors"]["variance"]
    assert float(line["high"]) - float(line["value"]) == pytest.approx(half, rel=1e-2)
    assert (line["n"], line["draws"], line["seed"]) == ("576", "200", "0")
    latex = table_latex(rows, titles, found["where"], caption="Toy").decode()
    assert r"& Where\_1 & 100 \% what & Constant \\" in latex
    assert r"CKA with A \& B & $1.00 \pm 0.00$" in latex
    assert latex.count(r"\\") == len(rows) + 1
    assert latex.index(r"\toprule") < latex.index(r"\midrule") < latex.index(r"\bottomrule")
    assert "576 cells" in method_of(found["where"])


def test_intervals_end_at_one_where_values_do():
    values = (Estimate(0.98, 0.05), Estimate(0.5, 0.1), Estimate(0.3), None)
    row = Row("position_r2", "Position", "", 2, values)
    assert [row.interval(number) for number in range(4)] == [
        pytest.approx((0.93, 1.0)), pytest.approx((0.4, 0.6)), None, None
    ]  # fmt: skip
    assert Row("effective_rank", "Rank", "", 1, (Estimate(9.0, 2.0),)).interval(0) == (7.0, 11.0)


def test_values_that_are_not_defined_stay_empty():
    rows = table_rows({"a": {"variance": 0.0, "shares": [0.0] * 3, "effective_rank": 0.0, "smooth_share": None,
                             "position_r2": None, "moran": [[100.0, None]], "errors": {}}}, {}, "A")  # fmt: skip
    assert rows[0].values == (Estimate(0.0, None),)
    assert [row.key for row in rows] == [
        "variance", "first_three", "effective_rank", "smooth_share", "position_r2", "cka", "neighbors"
    ]  # fmt: skip
    assert rows[-1].values == (None,)


@pytest.mark.parametrize(("meters", "name"), [(120.4, "120 m"), (1500, "1.5 km"), (2_502_000, "2\u202f502 km")])
def test_distances_of_rings_are_short(meters, name):
    assert ring_name(meters) == name


def test_errors_of_the_spectrum_are_those_of_its_draws(sample):
    """More dimensions than are decomposed in each draw: beside a decomposition of all of them."""
    vectors = unit(np.concatenate([where(), 0.3 * what(dim=80)], axis=1))
    errors = figures(vectors, sample)["errors"]
    rng = np.random.default_rng(0)
    assert sample.blocks.counts.shape[0] == DRAWS
    found = []
    for times in sample.blocks.counts[rng.permutation(DRAWS)[:100]]:
        spectrum = structure.spectrum(np.repeat(vectors, times[sample.blocks.of_points], axis=0))
        found.append((spectrum.variance, spectrum.shares[:3].sum(), spectrum.effective_rank))
    expected = np.std(found, axis=0, ddof=1)
    got = [errors[key] for key in ("variance", "first_three", "effective_rank")]
    assert got[:2] == pytest.approx(expected[:2], rel=0.2)
    assert got[2] == pytest.approx(expected[2], rel=0.5)
