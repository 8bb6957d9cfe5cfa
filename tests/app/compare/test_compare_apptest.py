"""Page Compare through app.py, without a browser."""

import io
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from pages.ui.compare import scatter
from pages.ui.compare.explanation import SIMILARITY_SPAN
from pages.ui.compare.model import ColorScheme
from pages.ui.compare.panes import ComparePane
from pages.ui.services import waiters
from pages.ui.services.compare_service import CompareService
from pages.ui.services.compare_work import Work
from pages.ui.services.compare_worker import run_act
from pages.ui.services.priority import Priority
from tests.app import fake
from tests.embedders.test_embedders import make as make_embedder
from unigeoclip.compare import regions
from unigeoclip.embedders.coordinates import FourierEmbedder
from unigeoclip.errors import InputError
from unigeoclip.similarity import calibration
from unigeoclip.similarity.calibration import Calibration, Spread

PATIENCE_S = 120.0  # the worker may still be compiling UMAP, for an earlier test


class Recorder:
    """A queue whose work nobody does."""

    def __init__(self):
        self.queued = []

    def submit(self, rank, work, act):
        self.queued.append((work, act))


def service(load_embedders=fake.embedders, **options):
    """The service of page Compare, over made-up embedders."""
    return CompareService(options.pop("priority", Priority()), load_embedders=load_embedders, **options)


def settled(app):
    """Run the page until everything is embedded."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        app.run()
        if not [button for button in app.button if button.key == "stop-comparing"]:
            return app
        time.sleep(0.2)
    pytest.fail("the models were never ready")


@pytest.fixture
def page(app):
    return settled(app.switch_page("pages/compare.py"))


def test_a_pane_a_model_with_legend_and_explanation(page, drawn):
    assert not page.exception
    assert [pane["title"] for pane in drawn["panes"]] == ["Random Fourier features", "Plain coordinates", "Constant"]
    assert all(pane["overlay"]["url"].endswith(".webp") for pane in drawn["panes"])
    assert [pane["legend"]["fixed"] for pane in drawn["panes"]] == [False, True, True]
    assert "Gray is the mean" in " ".join(caption.value for caption in page.caption)
    assert "Fetch it with" in " ".join(text.value for text in page.markdown)
    body = " ".join(element.proto.body for element in page.get("html"))
    for words in ("Effective rank", "Smooth in position", "CKA with Random Fourier features", "Moran"):
        assert words in body


def test_the_map_stands_there_while_the_models_are_being_loaded(app, drawn, serve):
    seen = []

    def load(atlas):
        seen.append([pane["id"] for pane in drawn.get("panes", [])])
        return fake.embedders(atlas)

    serve(compare=service(load))
    app.switch_page("pages/compare.py").run()
    assert seen[0] == ["loading"]
    assert [pane["id"] for pane in drawn["panes"]] == ["fourier", "coordinates", "constant"]


def test_colors_change_and_none_is_stretched_over_a_constant_model(page, drawn):
    before = [pane["overlay"]["url"] for pane in drawn["panes"]]
    page.segmented_control(key="color-by").set_value("clusters")
    settled(page)
    assert not page.exception
    after = [pane["overlay"]["url"] for pane in drawn["panes"]]
    assert all(a != b for a, b in zip(before, after, strict=True))
    assert len(drawn["panes"][0]["legend"]["swatches"]) == 8
    page.segmented_control(key="color-by").set_value("component")
    settled(page)
    assert drawn["panes"][0]["legend"]["title"].startswith("Component 1")


def test_umap_comes_when_it_is_computed(page, drawn):
    page.segmented_control(key="color-by").set_value("umap")
    settled(page)
    assert not page.exception
    assert drawn["panes"][0]["legend"]["title"].startswith("UMAP")


def test_two_models_at_least(page, drawn):
    page.button_group(key="models-world").set_value(["fourier"])
    settled(page)
    assert len(drawn["panes"]) == 3
    assert "Choose 2 to 4" in " ".join(caption.value for caption in page.caption)
    page.button_group(key="models-world").set_value(["fourier", "constant"])
    settled(page)
    assert [pane["id"] for pane in drawn["panes"]] == ["fourier", "constant"]


def test_a_constant_model_is_told_to_be_one(serve, monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = serve().compare
    atlas = fake.FakeAtlas()
    job = compare.job(atlas)
    job.request(["fourier", "constant"], "somebody")
    end = time.monotonic() + PATIENCE_S
    while not all(work.complete for work in job.work.values()) and time.monotonic() < end:
        time.sleep(0.1)
    comparison = job.comparison(["fourier", "constant"])
    point = (25.0, 10.0)
    panes = [ComparePane(job, comparison, name, ColorScheme(point=point)).for_map() for name in ("fourier", "constant")]
    assert "similarity 1.00 to 1.00" in panes[1]["note"]
    assert panes[1]["legend"]["words"] == "This model hardly varies here."
    assert panes[0]["legend"]["words"] == "No absolute scale was measured for this model."
    ticks = [float(label.replace("−", "-")) for _, label in panes[1]["legend"]["ticks"]]
    assert ticks[-1] - ticks[0] == pytest.approx(SIMILARITY_SPAN, abs=0.011)
    rgb = ComparePane(job, comparison, "constant", ColorScheme()).colors
    assert np.ptp(rgb.astype(int)) <= 1


def test_what_was_stopped_stays_so_until_one_goes_on(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    recorder = Recorder()
    job = service(worker=recorder).job(fake.FakeAtlas())
    job.request(["fourier", "constant"], "somebody")
    job.stop("somebody")
    job.request(["fourier", "constant"], "somebody")
    assert len(recorder.queued) == 2
    assert not any(work.busy for work in job.work.values())
    job.resume("somebody")
    job.request(["fourier", "constant"], "somebody")
    assert len(recorder.queued) == 4
    assert all(work.busy for work in job.work.values())
    assert all(work.is_running() for work in job.work.values())


def test_nobody_stops_what_somebody_else_waits_for(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service(worker=Recorder())
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(waiters, "time", clock)
    job = compare.job(fake.FakeAtlas())
    for visitor in ("one", "other"):
        job.request(["fourier"], visitor)
    job.stop("one")
    work = job.work["fourier"]
    assert work.is_stopped_for("one")
    assert not work.is_stopped_for("other")
    assert work.report(1, 2)
    clock.now += 2 * waiters.GONE_S
    job.see(["fourier"], "one")  # who has stopped it, but looks at the page
    assert not work.report(1, 2), "the other one has closed the page"
    assert not work.is_stopped_for("other"), "who did not stop it"
    job.request(["fourier"], "one")
    assert job.work["fourier"] is work, "who stopped it does not begin it again"
    job.request(["fourier"], "other")
    assert job.work["fourier"].report(1, 2)
    assert job.work["fourier"].is_stopped_for("one")
    run_act(job.work["fourier"], lambda work: True)
    assert not job.work["fourier"].is_stopped_for("one"), "it is done"


def test_regions_that_somebody_waits_for_are_not_forgotten(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service(worker=Recorder(), max_bytes=1)
    atlas, part, other_part = fake.FakeAtlas(), (-60.0, -60.0, 60.0, 60.0), (-50.0, -50.0, 50.0, 50.0)
    whole = compare.job(atlas)
    whole.request(["fourier"], "somebody")
    old = compare.job(atlas, part)
    compare.job(atlas, other_part)
    assert compare.job(atlas) is whole
    assert whole.work["fourier"].is_running()
    assert compare.job(atlas, part) is not old, "nobody waited for it"


def worked_through(job, *names):
    """A job whose maps are complete."""
    job.request(list(names), "somebody")
    end = time.monotonic() + PATIENCE_S
    while not all(work.complete or work.error for work in job.work.values()) and time.monotonic() < end:
        time.sleep(0.05)
    return job.comparison(list(names))


def test_regions_in_memory_are_bounded_by_bytes_and_the_oldest_go(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service(worker=Recorder(), max_bytes=27_000_000)
    atlas = fake.FakeAtlas()
    parts = [(-60.0, -60.0, 60.0, 60.0 + number) for number in range(4)]
    jobs = [compare.job(atlas, part) for part in parts[:3]]
    for each in jobs:
        assert len(each.region.grid.cells)
        each.work["made-up"] = work = Work("made-up", waiters.Waiters())
        work.pictures["picture"] = bytes(10_000_000)
        assert 10_000_000 < each.nbytes < 13_000_000
    new = compare.job(atlas, parts[3])
    kept = compare.jobs
    assert kept == [jobs[1], jobs[2], new], "the least recently used went"
    assert sum(each.nbytes for each in kept) <= 27_000_000


def test_vectors_in_files_take_no_memory_of_their_own(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service()
    job = compare.job(fake.FakeAtlas())
    worked_through(job, "fourier")
    vectors = job.work["fourier"].embedded.vectors
    assert isinstance(vectors, np.memmap)
    assert job.work["fourier"].nbytes < vectors.nbytes


def test_what_failed_can_be_tried_again(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service()
    whole = regions.embed_region

    def too_large(*_, **__):
        raise MemoryError

    monkeypatch.setattr(regions, "embed_region", too_large)
    job = compare.job(fake.FakeAtlas())
    worked_through(job, "fourier")
    assert "not enough memory" in job.work["fourier"].error
    monkeypatch.setattr(regions, "embed_region", whole)
    job.try_again(["fourier"])
    worked_through(job, "fourier")
    assert job.work["fourier"].complete
    assert not job.work["fourier"].error


def test_progress_is_that_of_all_models_and_phases(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service(worker=Recorder())
    job, names = compare.job(fake.FakeAtlas()), ["fourier", "constant"]
    job.request(names, "somebody")
    words, before = job.progress(names)
    assert words == "Working through the map: Random Fourier features, 1 of 2"
    assert before == 0
    job.work["fourier"].report(1, 2)
    assert job.progress(names)[1] == pytest.approx(0.125)  # half of a map; two maps and two lots of figures
    assert job.progress(names, umap=True)[1] < 0.125
    for work in job.work.values():
        work.doing = ""
    assert job.progress(names) == ("", 1.0)


def test_measuring_and_umap_say_how_far_they_are(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service()
    job = compare.job(fake.FakeAtlas())
    comparison = worked_through(job, "fourier")
    said = []
    comparison._figures(comparison.embedded["fourier"], lambda done, total: said.append(done / total) or True)
    assert said == [0.25, 0.5, 0.75, 1.0]


def test_work_goes_on_without_visitors_if_nobody_stopped_it(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service(worker=Recorder())
    monkeypatch.setattr(waiters, "GONE_S", -1.0)
    job = compare.job(fake.FakeAtlas())
    job.request(["fourier"], "somebody")
    assert job.work["fourier"].is_running()


def test_what_can_wait_gives_way_to_maps(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    priority = Priority()
    compare = service(priority=priority)
    begun, go_on = threading.Event(), threading.Event()

    def embed(*_, **__):
        begun.set()
        assert go_on.wait(PATIENCE_S)
        raise InputError("enough")

    monkeypatch.setattr(regions, "embed_region", embed)
    priority.yield_priority()  # nobody waits for maps
    job = compare.job(fake.FakeAtlas())
    job.request(["fourier"], "somebody")
    assert begun.wait(PATIENCE_S)
    waiting = threading.Thread(target=priority.yield_priority)
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    go_on.set()
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()
    assert job.work["fourier"].error == "enough"


def address(app):
    return {key: ",".join(np.atleast_1d(value)) for key, value in app.query_params.items()}


def test_what_is_chosen_stands_in_the_address_and_comes_back_from_it(page, app, drawn):
    page.button_group(key="models-world").set_value(["fourier", "constant"])
    page.segmented_control(key="color-by").set_value("clusters")
    settled(page)
    page.slider(key="clusters").set_value(5)
    settled(page)
    assert address(page) == {"atlas": "world", "models": "fourier,constant", "color": "clusters:5"}
    page.query_params["color"] = "component:2"
    page.query_params["models"] = "coordinates,constant"
    page.query_params["at"] = "25,10"
    page.query_params["box"] = "0,-20,50,40"
    settled(page)
    assert [pane["id"] for pane in drawn["panes"]] == ["coordinates", "constant"]
    assert page.segmented_control(key="color-by").value == "similarity"
    assert all("similarity" in pane["note"] for pane in drawn["panes"])
    assert drawn["panes"][0]["overlay"]["bounds"] == (0, -20, 50, 40)
    page.button(key="forget-point").click()
    settled(page)
    assert "at" not in address(page)
    assert drawn["panes"][0]["legend"]["title"].startswith("Component 2")
    assert page.number_input(key="component").value == 2


def test_links_with_the_earlier_spelling_still_open(page, drawn):
    page.query_params.update({"atlas": "world", "models": "fourier,constant", "colour": "clusters:5", "scale": "rank"})
    settled(page)
    assert not page.error
    assert len(drawn["panes"][0]["legend"]["swatches"]) == 5
    assert address(page) == {"atlas": "world", "models": "fourier,constant", "color": "clusters:5", "scale": "rank"}


def test_the_control_says_what_the_maps_show(page, drawn):
    page.segmented_control(key="color-by").set_value("clusters")
    settled(page)
    assert "similarity" not in page.segmented_control(key="color-by").options
    page.query_params["at"] = "25,10"
    page.query_params["color"] = "clusters:8"
    settled(page)
    assert page.segmented_control(key="color-by").value == "similarity"
    assert drawn["panes"][0]["legend"]["title"] == "Similarity to the point, its own range"
    body = " ".join(element.proto.body for element in page.get("html"))
    assert "colours above" not in body
    page.segmented_control(key="similarity-scale").set_value("rank")
    settled(page)
    assert drawn["panes"][0]["legend"]["title"] == "Similarity to the point, by rank"
    assert "its own range" in drawn["panes"][2]["legend"]["title"], "ranks would tell apart what is constant"
    assert address(page)["scale"] == "rank"
    page.segmented_control(key="color-by").set_value("components")
    settled(page)
    assert page.segmented_control(key="color-by").value == "components"
    assert drawn["panes"][0]["legend"]["title"].startswith("Components")
    assert "at" not in address(page)
    assert not drawn["panes"][0]["markers"]


def test_our_model_has_the_absolute_scale_where_it_was_measured(app, serve, drawn, monkeypatch):
    ours = make_embedder("unigeoclip")
    found = {each.name: each for each in (ours, fake.ConstantEmbedder())}
    serve(compare=service(lambda atlas: (found, {})))
    measured = Calibration(1, "", "", "", 0, {"location": Spread(9, {"50": 0.8}, {"50": 0.1, "99.9": 0.5})})
    monkeypatch.setattr(calibration, "calibration", lambda atlas: measured)
    page = settled(app.switch_page("pages/compare.py"))
    page.query_params["at"] = "25,10"
    settled(page)
    first, other = (pane["legend"] for pane in drawn["panes"])
    assert first["title"].endswith("absolute")
    assert [stop[1] for stop in first["stops"][::16]] == pytest.approx([0.1, 0.8])
    assert other["title"].endswith("its own range")


def test_maps_show_the_region_that_is_compared(page, drawn):
    assert drawn["focus"] is None
    page.text_input(key="typed-region").set_value("0, -20, 50, 40")
    next(b for b in page.button if b.label == "Compare this region").click()
    settled(page)
    assert drawn["focus"] == (0, -20, 50, 40)
    page.text_input(key="typed-region").set_value("-89, 0, -80, 1")  # the sea
    next(b for b in page.button if b.label == "Compare this region").click()
    settled(page)
    assert "no land" in page.error[0].value
    assert drawn["focus"] == (0, -20, 50, 40), "what cannot be compared moves no map"


def test_clusters_are_named_by_what_is_said_of_their_places(page, drawn):
    page.segmented_control(key="color-by").set_value("clusters")
    settled(page)
    page.slider(key="clusters").set_value(2)
    settled(page)
    legend = drawn["panes"][1]["legend"]  # plain coordinates: the Old World and the New World
    names = [label for _, label, _ in legend["swatches"]]
    assert legend["named"]
    assert any(label.endswith(("hot desert", "big city by the sea")) for label in names)
    assert not any("Himalaya" in label for label in names), "that is said everywhere"


def test_a_lasso_says_what_is_inside_and_gives_it_away(page, drawn, monkeypatch):
    monkeypatch.setattr(scatter, "selected_cells", lambda comparison, scheme: comparison.region.grid.cells[:, 1] > -30)
    settled(page)
    body = " ".join(element.proto.body for element in page.get("html"))
    assert "cells selected" in body
    assert "hot desert" in body
    assert "Himalaya" not in body
    assert body.count("<img") == scatter.MOST_PICTURES
    assert {"CSV", "GeoJSON"} <= {button.label for button in page.get("download_button")}


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("models", "fourier,nobody", "Unknown model 'nobody'"),
        ("color", "clusters:99", "from 2 to 16"),
        ("color", "rainbow", "Unknown color scheme 'rainbow'"),
        ("box", "50,0,10,20", "south below north"),
        ("at", "here", "not a latitude and longitude"),
    ],
)
def test_a_bad_link_is_told_and_the_rest_of_it_holds(page, drawn, key, value, complaint):
    page.query_params["at"] = "25,10"
    page.query_params[key] = value
    settled(page)
    assert not page.exception
    assert complaint in " ".join(error.value for error in page.error)
    if key != "at":
        assert all("similarity" in pane["note"] for pane in drawn["panes"])


def test_a_region_is_typed(page, drawn):
    page.text_input(key="typed-region").set_value("0, -20, 50, 40")
    next(b for b in page.button if b.label == "Compare this region").click()
    settled(page)
    assert drawn["panes"][0]["overlay"]["bounds"] == (0, -20, 50, 40)
    page.text_input(key="typed-region").set_value("somewhere")
    next(b for b in page.button if b.label == "Compare this region").click()
    settled(page)
    assert "not 4 numbers" in page.error[0].value
    assert drawn["panes"][0]["overlay"]["bounds"] == (0, -20, 50, 40)


def test_scales_of_ours_are_switched_off_one_at_a_time(app, serve, drawn, monkeypatch):
    ours = make_embedder("unigeoclip")
    found = {each.name: each for each in (ours, ours.without_scale(0), ours.without_scale(1), fake.ConstantEmbedder())}
    serve(compare=service(lambda atlas: (found, {})))
    page = settled(app.switch_page("pages/compare.py"))
    assert [pane["id"] for pane in drawn["panes"]] == ["unigeoclip", "constant"]
    page.segmented_control(key="compared-world").set_value("scales")
    settled(page)
    assert [pane["id"] for pane in drawn["panes"]] == ["unigeoclip", "unigeoclip-without-1", "unigeoclip-without-2"]
    assert page.button_group(key="scales-world").value == ["unigeoclip-without-1", "unigeoclip-without-2"]
    assert address(page)["models"] == "unigeoclip,unigeoclip-without-1,unigeoclip-without-2"
    page.button_group(key="scales-world").set_value(["unigeoclip-without-2"])
    settled(page)
    assert [pane["id"] for pane in drawn["panes"]] == ["unigeoclip", "unigeoclip-without-2"]
    assert "switched off" in " ".join(caption.value for caption in page.caption)


def test_what_is_taken_away_is_what_is_shown(page, drawn):
    labels = [button.label for button in page.get("download_button")]
    assert labels == ["PNG", "GeoTIFF", "Map page", "GeoParquet"]
    assert 'models = ["fourier", "coordinates", "constant"]' in page.code[0].value


def picture_file():
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (120, 90, 60)).save(out, "PNG")
    return out.getvalue()


def test_models_that_read_pictures_are_asked_by_one_and_the_others_say_so(page, drawn, monkeypatch):
    def embed(self, data, kind):
        if data != picture_file():
            raise InputError("This is no picture.")
        vector = np.zeros(self.dim, np.float32)
        vector[0] = 1 if kind == "aerial" else -1
        return vector

    monkeypatch.setattr(FourierEmbedder, "embed_picture", embed, raising=False)
    colors = [pane["overlay"]["url"] for pane in drawn["panes"]]
    page.file_uploader[0].upload("notes.png", b"no picture", "image/png").run()
    assert page.error[0].value.replace("\\", "").endswith("kB): This is no picture.")
    assert [pane["overlay"]["url"] for pane in drawn["panes"]] == colors
    page.file_uploader[0].upload("field.png", picture_file(), "image/png").run()
    assert not page.exception
    assert not page.error
    first, *others = drawn["panes"]
    assert first["legend"]["title"] == "Similarity to the image, its own range"
    assert first["overlay"]["url"] not in colors
    assert all("supports points only" in pane["legend"]["words"] and "overlay" not in pane for pane in others)
    assert "embed_picture(picture" in page.code[0].value
    page.button(key="forget-point").click().run()
    assert [pane["overlay"]["url"] for pane in drawn["panes"]] == colors
