"""Page Compare through app.py, without a browser."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from pages.ui.compare import scatter
from pages.ui.compare.explanation import SIMILARITY_SPAN
from pages.ui.compare.model import ColorScheme
from pages.ui.compare.panes import ComparePane
from pages.ui.services import services
from pages.ui.services.compare_jobs import Job
from tests.app import fake
from tests.app.services.test_compare_service import service
from tests.embedders.test_embedders import make as make_embedder
from unigeoclip.compare import disagreement
from unigeoclip.compare.disagreement import Example, Neighbor
from unigeoclip.embedders.coordinates import FourierEmbedder
from unigeoclip.errors import InputError
from unigeoclip.similarity import calibration
from unigeoclip.similarity.calibration import Calibration, Spread

PATIENCE_S = 120.0  # the worker may still be compiling UMAP, for an earlier test


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
    assert "**SatCLIP**: the published model" in " ".join(text.value for text in page.markdown)
    assert "Fetch it with" in " ".join(caption.value for caption in page.caption)
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


def test_clusters_are_named_by_what_is_said_of_their_places(page, drawn, monkeypatch):
    monkeypatch.setattr(Job, "use_words", lambda job, explorer: None)  # as while the explorer is being opened
    page.segmented_control(key="color-by").set_value("clusters")
    settled(page)
    page.slider(key="clusters").set_value(2)
    settled(page)
    legend = drawn["panes"][1]["legend"]  # plain coordinates: the Old World and the New World
    names = [label for _, label, _ in legend["swatches"]]
    assert legend["named"]
    assert any(label.endswith(("hot desert", "big city by the sea")) for label in names)
    assert not any("Himalaya" in label for label in names), "that is said everywhere"


def test_clusters_and_components_are_named_in_words_once_the_explorer_is_open(page, drawn):
    page.segmented_control(key="color-by").set_value("clusters")
    settled(page)
    page.slider(key="clusters").set_value(2)
    settled(page)
    assert services().explorers.opening("world").wait(30)
    page.run()
    for pane in drawn["panes"][:2]:  # whichever model drew them
        legend = pane["legend"]
        names = [label for _, label, _ in legend["swatches"]]
        assert [label[3:] for label in names].count("northern lands · taiga") == 1, names
        assert legend["words"].startswith("In words: UniGeoCLIP’s vectors of their cells")
    page.segmented_control(key="color-by").set_value("component")
    settled(page)
    legend = drawn["panes"][0]["legend"]
    assert "low: northern lands · taiga" in str(legend["swatches"]) or "high: northern" in str(legend["swatches"])
    assert legend["words"] == "In words: UniGeoCLIP’s vectors of the cells at either end."


def test_a_lasso_says_what_is_inside_and_gives_it_away(page, drawn, monkeypatch):
    monkeypatch.setattr(scatter, "selected_cells", lambda comparison, scheme: comparison.region.grid.cells[:, 1] > -30)
    settled(page)
    body = " ".join(element.proto.body for element in page.get("html"))
    assert "cells selected" in body
    assert "hot desert" in body
    assert "Himalaya" not in body
    assert body.count("<img") == scatter.MOST_PICTURES
    labels = {button.label for button in page.get("download_button")}
    assert {"CSV", "GeoJSON", "Selection as GeoParquet"} <= labels
    assert "Typical places: the selection in groups by Random Fourier features" in body


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
    figures = ["Figure PNG, 300 dpi", "Figure SVG", "Figure PDF"]
    assert labels == ["PNG", "GeoTIFF", "Map page", "GeoParquet", *figures, "Table as CSV", "Table as LaTeX"]
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
    monkeypatch.setattr(FourierEmbedder, "picture_kinds", ("aerial", "street", "surface"), raising=False)
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


def test_disagreement_is_a_color_scheme_with_its_pair_in_the_link(page, drawn):
    page.segmented_control(key="color-by").set_value("disagreement")
    settled(page)
    assert not page.exception
    fourier, coordinates, constant = drawn["panes"]
    assert fourier["legend"]["title"] == "Disagreement with Plain coordinates"
    assert coordinates["legend"]["title"] == "Disagreement with Random Fourier features"
    assert fourier["overlay"]["url"] == coordinates["overlay"]["url"], "it is the same from either side"
    assert [0.0 <= float(label) <= 1.0 for _, label in fourier["legend"]["ticks"]] == [True] * 5
    assert "hardly varies" in constant["legend"]["words"]
    assert "overlay" not in constant
    assert address(page) == {"atlas": "world", "color": "disagreement"}
    assert "5,000 cells" in " ".join(caption.value for caption in page.caption)
    assert 'disagreement(embedded["fourier"], embedded["coordinates"])' in page.code[0].value
    page.selectbox(key="compared-pair").set_value(("fourier", "constant"))
    settled(page)
    assert address(page)["pair"] == "fourier,constant"
    assert drawn["panes"][1]["legend"]["title"] == "Disagreement with Random Fourier features"
    assert "hardly varies" in drawn["panes"][0]["legend"]["words"]


def test_examples_of_disagreement_go_to_the_maps(page, drawn, monkeypatch):
    def found(one, other, cells):
        """These two models agree too well to have examples of their own."""
        sides = [Neighbor(int(cells[row]), (0.9, 0.1), (0.004, 0.8), 2e6) for row in (5, 9)]
        return [Example(int(cells[0]), 0.97, *sides)]

    monkeypatch.setattr(disagreement, "examples", found)
    page.query_params.update({"atlas": "world", "color": "disagreement", "pair": "coordinates,fourier"})
    settled(page)
    assert page.selectbox(key="compared-pair").value == ("fourier", "coordinates")
    body = " ".join(element.proto.body for element in page.get("html"))
    assert "Similar only under Plain coordinates" in body
    assert "similarity 0.90</span><span>rank 0.4 %" in body
    assert "rank 80 %" in body
    assert body.count("<img") == 3
    assert drawn["focus"] is None
    page.button(key="show-example-0").click()
    settled(page)
    kinds = [[marker["kind"] for marker in pane["markers"]] for pane in drawn["panes"]]
    assert kinds == [["query", "best"], ["query", "best"], ["query"]]
    south, west, north, east = drawn["focus"]
    for marker in drawn["panes"][0]["markers"] + drawn["panes"][1]["markers"]:
        assert south <= marker["lat"] <= north
        assert west <= marker["lng"] <= east
    page.button(key="show-example-0").click()
    settled(page)
    assert drawn["focus"] is None
    assert not drawn["panes"][0]["markers"]


def test_a_region_too_small_for_disagreement_says_so(page, drawn):
    page.query_params.update({"atlas": "world", "color": "disagreement", "box": "24.9,9,25.2,90"})
    settled(page)
    assert not page.exception
    assert not page.error
    assert "500 or more" in drawn["panes"][0]["legend"]["words"]


@pytest.mark.parametrize("pair", ["fourier", "fourier,nobody", "fourier,fourier", "a,b,c", ""])
def test_a_bad_pair_in_a_link_is_told(page, drawn, pair):
    page.query_params.update({"atlas": "world", "color": "disagreement", "pair": pair})
    settled(page)
    assert not page.exception
    assert "'pair' was left out" in page.error[0].value
    assert "Disagreement with" in drawn["panes"][0]["legend"]["title"]
