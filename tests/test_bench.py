"""The benchmark: its arithmetic with fakes and a clock that obeys, its fresh process for real."""

import json
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.explorable import use_hashed_sentences, write_explorable_atlas
from unigeoclip import bench, devices
from unigeoclip.compare import regions
from unigeoclip.embedders import EMBEDDERS
from unigeoclip.errors import CheckpointError, UniGeoError
from unigeoclip.search.explorer import Explorer


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class FakeEmbedder:
    """Takes the next of its times whenever it is asked."""

    dim = 2

    def __init__(self, name, clock, seconds, log):
        self.name, self.clock, self.seconds, self.log = name, clock, list(seconds), log

    def embed(self, latlon):
        assert latlon.shape[1] == 2
        self.log.append((self.name, len(latlon)))
        self.clock.now += self.seconds.pop(0)


def test_rounds_are_interleaved_and_the_first_is_not_counted():
    clock, log = Clock(), []
    embedders = {
        "unigeoclip": FakeEmbedder("unigeoclip", clock, [99, 1, 2, 4], log),
        "geoclip": FakeEmbedder("geoclip", clock, [99, 2, 8, 2], log),
    }
    report = bench.measure_embedders(embedders, 100, 3, clock)
    assert log == [("unigeoclip", 100), ("geoclip", 100)] * 4
    assert report["batch"] == 100
    assert report["location_points_per_s"] == {"unigeoclip": 50, "geoclip": 50}
    # Ratios are taken within a round (2, 4, 0.5): a slow moment of the machine falls on both.
    assert report["ratio_to_geoclip"] == {"unigeoclip": 2, "geoclip": 1}


def test_an_encoder_is_measured_against_the_machines_own_products(monkeypatch):
    monkeypatch.setattr(bench, "GEMM_SIDE", 100)  # two million operations
    # Of a product and of the encoder in turn; the first round is not counted.
    ends = iter([0.9, 0.9, 0.001, 0.004, 0.002, 0.002, 0.001, 0.002])
    now, turns = [0.0], iter([False, True] * 8)

    def clock():
        now[0] += next(ends) if next(turns) else 0
        return now[0]

    found = bench.measure_gemm_share(torch.nn.Linear(50, 100), torch.ones(200, 50), 3, clock)
    assert found["gemm_gflops"] == 2
    assert found["encoder_gflops"] == 1
    assert found["share"] == 0.5


def test_without_the_reference_there_are_no_ratios():
    clock = Clock()
    report = bench.measure_embedders({"other": FakeEmbedder("other", clock, [1, 1], [])}, 10, 1, clock)
    assert report["location_points_per_s"] == {"other": 10}
    assert report["ratio_to_geoclip"] == {}


class FakeAtlas:
    def __init__(self):
        import pandas as pd

        self.places = pd.DataFrame({"lat": np.linspace(-50, 50, 40), "lon": np.linspace(-170, 100, 40)})


class FakeHeatmap:
    def __init__(self, clock):
        self.clock = clock

    def png(self):
        self.clock.now += 0.002
        return b""


class FakeExplorer:
    """Ten milliseconds to encode a location, 20 a text, 30 a picture; two for the map, one for the search."""

    def __init__(self, clock, modalities=("location", "aerial", "surface", "text")):
        self.encoding_s = {"location": 0.010, "text": 0.020, "aerial": 0.030}
        self.clock, self.modalities, self.atlas, self.asked = clock, modalities, FakeAtlas(), []

    def picture(self, modality, latlon, px=224):
        self.clock.now += 5  # drawing the picture to be uploaded is no part of the query
        return Image.new("RGB", (px, px))

    def input_px(self, modality):
        return 16

    def query(self, items):
        (item,) = items
        self.asked.append(item)
        self.clock.now += self.encoding_s[item.modality]
        return item

    def heatmap(self, query):
        return FakeHeatmap(self.clock)

    def search(self, query, k=10, modalities=None):
        assert k == 10
        self.clock.now += 0.001
        return {}


def test_queries_are_timed_from_input_to_answer():
    clock = Clock()
    explorer = FakeExplorer(clock)
    assert bench.measure_queries(explorer, 3, clock) == {"location": 13.0, "text": 23.0, "image": 33.0}
    assert [item.modality for item in explorer.asked] == ["location", "text", "aerial"] * 4
    texts = [item.value for item in explorer.asked if item.modality == "text"]
    assert len(set(texts)) == len(texts)
    pictures = [item.value for item in explorer.asked if item.modality == "aerial"]
    assert all(picture.shape == (3, 16, 16) and picture.dtype == np.uint8 for picture in pictures)


def test_an_atlas_is_asked_only_what_it_knows():
    clock = Clock()
    assert bench.measure_queries(FakeExplorer(clock, ("location",)), 1, clock) == {"location": 13.0}


class FakeStreets:
    """A view takes two milliseconds, the first one a second."""

    is_rendered = True
    latlon, headings_deg = np.zeros((40, 2)), np.zeros(40)

    def __init__(self, clock):
        self.clock, self.drawn, self.is_held = clock, 0, False

    def __len__(self):
        return len(self.latlon)

    @contextmanager
    def held(self):
        self.is_held = True
        yield
        self.is_held = False

    def draw(self, latlon, headings_deg, width, height):
        assert (latlon.shape, headings_deg.shape, width, height) == ((1, 2), (1, 1), 224, 160)
        assert self.is_held, "what is timed is the drawing, not the reading of the city"
        self.clock.now += 0.002 if self.drawn else 1.0
        self.drawn += 1


def test_street_views_are_timed_where_they_are_drawn():
    clock = Clock()
    assert bench.measure_views(SimpleNamespace(streets=FakeStreets(clock)), clock) == {"street_view_ms": 2.0}
    assert bench.measure_views(SimpleNamespace(streets=None), clock) == {}


def test_the_machine_is_described():
    machine = bench._machine()
    assert machine["processor"]
    assert machine["cores"] >= 1
    assert machine["threads"] >= 1
    assert machine["precision"] == "float32"


@pytest.mark.slow
def test_a_failed_start_tells_why(tmp_path):
    with pytest.raises(UniGeoError, match="fresh start with"):
        bench.measure_start(tmp_path / "nowhere")


def test_the_fresh_process_reports(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    use_hashed_sentences(monkeypatch)
    atlas = write_explorable_atlas(tmp_path / "tiny")
    for model in ([], [str(atlas / "model")]):
        bench.report_fresh_start(str(atlas), *model)
        report = json.loads(capsys.readouterr().out)
        assert report.keys() == {"ready_at", "first_answers_s", "memory_mb"}
        assert report["memory_mb"] > 50
    with pytest.raises(CheckpointError, match="elsewhere"):
        bench.report_fresh_start(str(atlas), str(tmp_path / "elsewhere"))


def test_the_whole_report_is_json(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    use_hashed_sentences(monkeypatch)
    monkeypatch.setattr(bench, "BATCH", 64)
    monkeypatch.setattr(bench, "SMALL_BATCH", 8)
    monkeypatch.setattr(bench, "GEMM_SIDE", 64)
    monkeypatch.setattr(regions, "LAYOUT", 200)
    start = {"start_s": 1.5, "first_answers_s": 0.5, "memory_mb": 700}
    monkeypatch.setattr(bench, "measure_start", lambda path, model: start)
    atlas = write_explorable_atlas(tmp_path / "tiny")
    report = json.loads(json.dumps(bench.run_bench(atlas, quick=True)))
    assert report["batch"] == 64
    assert report["small_batch"]["batch"] == 8
    assert report["location_points_per_s"].keys() | report["not_here"].keys() == EMBEDDERS.keys()
    assert report["ratio_to_geoclip"]["geoclip"] == 1
    assert report["location_of_gemm"]["share"] > 0
    assert report["query_ms"].keys() == {"location", "text", "image"}
    parts = {"first_opening", "opening", "clusters", "click", "umap_compiled", "umap", "rectangle_coarse", "rectangle"}
    assert report["compare_s"].keys() == parts
    assert start.items() <= report.items()
    assert isinstance(Explorer.open(atlas), Explorer)


@pytest.mark.parametrize("fast", [False, True])
def test_bfloat16_is_measured_where_it_is_fast(tmp_path, monkeypatch, fast):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(devices, "computes_bf16", lambda device: fast)
    explorer = Explorer.open(write_explorable_atlas(tmp_path / "tiny"))
    report = bench.measure_bf16(explorer, 1)
    if not fast:
        assert report == {}
        return
    assert report["encoding"] > 0 < report["training"]
    assert report["n"] == len(explorer.atlas.places)
    # The weights are random: what is found is an accident, but much the same in both precisions.
    assert report["recall_bf16"] == pytest.approx(report["recall_float32"], abs=10)
    assert all(parameter.grad is None for parameter in explorer.model.parameters())
