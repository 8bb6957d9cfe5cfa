"""Growth at a size that takes seconds: every step, in processes of their own."""

import json
import re

import numpy as np
import pytest

from unigeoclip.cli.main import main
from unigeoclip.errors import InputError, UniGeoError
from unigeoclip.growth import measure, steps
from unigeoclip.growth.figure import growth_figure
from unigeoclip.growth.made import CHUNK, DIM, chunks, made_batches, made_queries
from unigeoclip.stores.lance_writer import write_batches


def test_made_up_places_are_the_same_at_every_run_and_size():
    (vectors, latlon), (again, where) = next(chunks(300)), next(chunks(300))
    np.testing.assert_array_equal(vectors, again)
    np.testing.assert_array_equal(latlon, where)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (np.abs(latlon) <= (90, 180)).all()
    lengths = [len(each) for each, _ in chunks(CHUNK + 10)]
    assert lengths == [CHUNK, 10]
    similar = vectors @ made_queries(5).T
    assert similar.max() > 0.5 > np.median(similar)
    (batch,) = made_batches(300)
    assert batch["place_id"].to_pylist()[299] == "p299"


@pytest.mark.slow
def test_every_step_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "steps_of", lambda size: ("index", "truth", "query", "flat", "heatmap", "colors"))
    said = []
    report = measure.measure_growth([2000], tmp_path / "out", said.append)
    (figures,) = report["sizes"]
    assert figures["query"]["recall_at_10"] == 1.0, "so few are searched exactly"
    assert all(figures[step]["peak_mb"] > 20 for step in ("index", "query", "flat", "heatmap", "colors"))
    assert figures["query"]["p95_ms"] >= figures["query"]["median_ms"] > 0
    assert json.loads((tmp_path / "out" / "growth.json").read_text()) == json.loads(json.dumps(report))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["growth.html", "growth.json"]
    lines = [(line.name, line.xaxis) for line in growth_figure(report).data]
    assert len(lines) == 13
    assert lines.count(("query, index", "x")) == lines.count(("query, index", "x2")) == 1
    page = (tmp_path / "out" / "growth.html").read_text()
    assert "query, index, in a box" in page
    assert not re.search(r"<script[^>]*\ssrc=", page), "it holds plotly.js"
    assert said[0] == "2,000 places: index"


def test_the_index_finds_nearly_what_the_flat_store_finds(tmp_path, monkeypatch):
    monkeypatch.setitem(write_batches.__kwdefaults__, "index_from", 1000)
    steps.index(3000, tmp_path)
    steps.truth(3000, tmp_path)
    assert steps.query(3000, tmp_path)["recall_at_10"] >= 0.95


def test_steps_that_need_all_vectors_in_memory_end_at_a_size():
    assert "flat" in steps.steps_of(1_000_000)
    assert "flat" not in steps.steps_of(1_000_001)
    assert DIM == 256


def test_bad_sizes_and_failed_steps_are_one_line(tmp_path, monkeypatch, capsys):
    with pytest.raises(InputError, match="from 1,000"):
        measure.measure_growth([10])
    monkeypatch.setattr(measure, "_BYTES_PER_PLACE", 10**15)
    with pytest.raises(InputError, match="GB are free"):
        measure.measure_growth([1000], tmp_path)
    with pytest.raises(UniGeoError, match="The step query with 1,000 places failed: .*index"):
        measure._step("query", 1000, tmp_path)
    assert main(["bench", "--sizes", "1e4"]) == 2
    assert "belong to --growth" in capsys.readouterr().err
    assert main(["bench", "--growth", "--atlas", "world"]) == 2
    assert "made-up" in capsys.readouterr().err
    assert main(["bench", "--growth", "--sizes", "x"]) == 2
    assert "A size" in capsys.readouterr().err
