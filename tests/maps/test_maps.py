"""Maps for notebooks: what they show, where it lies, clicks that query, and pages that open without a network."""

import html
import re

import numpy as np
import pytest

from tests.explorable import use_hashed_sentences, write_explorable_atlas
from unigeoclip import maps
from unigeoclip.errors import InputError
from unigeoclip.maps.cards import card, escaped, popup
from unigeoclip.maps.contents import picture_url
from unigeoclip.search.explorer import Explorer, QueryItem

EVIL = "<b>{{ 6 * 7 }}</b></script>`${x}"


@pytest.fixture(scope="module")
def explorer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    with pytest.MonkeyPatch.context() as patch:
        use_hashed_sentences(patch)
        yield Explorer.open(write_explorable_atlas(folder / "tiny"), cache_dir=folder / "cache")


@pytest.fixture(scope="module")
def query(explorer):
    return explorer.query([QueryItem("location", (20.0, 10.0))])


def click(shown, lat, lon):
    """What ipyleaflet receives from the browser when somebody clicks."""
    shown._handle_leaflet_event(shown, {"event": "interaction", "type": "click", "coordinates": [lat, lon]}, [])


def layer(shown, name):
    (found,) = [each for each in shown.layers if each.name == name]
    return found


def markers(shown):
    return layer(shown, "Results").layers


def widgets(shown):
    return [each.widget for each in shown.controls if hasattr(each, "widget")]


def card_of(shown):
    (found,) = [each.widget.value for each in shown.controls if hasattr(each, "widget") and each.position == "topright"]
    return found


def test_a_heatmap_lies_on_the_picture_of_its_atlas(explorer, query):
    heatmap = explorer.heatmap(query)
    shown = heatmap.to_leafmap(explorer.atlas, name="Like this")
    assert type(shown).__module__ == "leafmap.leafmap"
    south, west, north, east = heatmap.bounds
    overlay = layer(shown, "Like this")
    assert overlay.bounds == [[south, west], [north, east]]
    assert overlay.url == picture_url(heatmap.png(low_opacity=0.3))
    assert shown.layers[0].name == explorer.atlas.title
    assert shown.layers[0].url.startswith("data:image/webp;base64,")


def test_nothing_is_fetched_unless_tiles_are_asked_for(explorer, query):
    heatmap = explorer.heatmap(query)
    assert not [each for each in heatmap.to_leafmap().layers if getattr(each, "url", "").startswith("http")]
    with_tiles = heatmap.to_leafmap(explorer.atlas, tiles="OpenStreetMap")
    assert "openstreetmap.org" in with_tiles.layers[0].url
    assert with_tiles.layers[1].name == explorer.atlas.title
    assert "openstreetmap.org" in heatmap.to_leafmap(backend="folium", tiles="OpenStreetMap").to_html()


def test_a_page_brings_all_that_it_shows(explorer, query):
    page = explorer.map(query, backend="folium").to_html()
    urls = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']?([^\"' >]+)", page)
    assert [url for url in urls if not url.startswith("data:")] == []
    assert not re.findall(r"url\((?!data:)", re.sub(r"url\(#default#VML\)", "", page))
    assert "L.tileLayer" not in page.partition("</head>")[2]
    assert page.count("L.imageOverlay(") == 2
    found = sum(map(len, explorer.search(query, 3).values()))
    assert page.count("bindPopup({") == 0
    assert len(re.findall(r"\.bindPopup\(\"", page)) == found + 1


def test_the_legend_and_the_slider_belong_to_the_heatmap(explorer, query):
    heatmap = explorer.heatmap(query)
    shown = heatmap.to_leafmap(opacity=0.4, scale="absolute", limits=(-0.25, 0.75))
    legend = next(each.value for each in widgets(shown) if "linear-gradient" in getattr(each, "value", ""))
    assert "<span>-0.25</span>" in legend
    assert "<span>0.75</span>" in legend
    slider = next(each for each in widgets(shown) if type(each).__name__ == "FloatSlider")
    assert slider.value == layer(shown, "Similarity").opacity == 0.4


def test_a_click_queries_the_point(explorer):
    shown = explorer.map(k=2)
    assert len(markers(shown)) == 0
    assert "Click the map" in card_of(shown)
    click(shown, 20.0, 10.0)
    expected = explorer.query([QueryItem("location", (20.0, 10.0))])
    first = layer(shown, "Similarity").url
    assert first == picture_url(explorer.heatmap(expected).png(low_opacity=0.3))
    results = explorer.search(expected, 2)
    assert len(markers(shown)) == sum(map(len, results.values())) + 1
    for matches in results.values():
        assert html.escape(matches[0].name or matches[0].place_id) in card_of(shown)
    click(shown, -10.0, 30.0)
    assert layer(shown, "Similarity").url != first
    assert "-10.0000, 30.0000" in card_of(shown)


def test_a_click_beside_the_first_turn_of_the_world_is_the_same_point(explorer):
    one, other = explorer.map(), explorer.map()
    click(one, 20.0, 10.0)
    click(other, 20.0, 370.0)
    assert layer(one, "Similarity").url == layer(other, "Similarity").url


def test_other_events_and_points_without_an_answer_change_nothing(explorer, query):
    shown = explorer.map(query)
    before = layer(shown, "Similarity").url
    shown._handle_leaflet_event(shown, {"event": "interaction", "type": "mousemove", "coordinates": [1, 2]}, [])
    click(shown, 95.0, 10.0)
    assert layer(shown, "Similarity").url == before
    assert "No answer" in card_of(shown)


def test_results_have_cards_with_pictures(explorer, query):
    shown = explorer.map(query, modalities=["aerial"], k=1)
    result, asked = markers(shown)
    (match,) = explorer.search(query, 1, ["aerial"])["aerial"]
    assert result.location == pytest.approx([match.lat, match.lon])
    assert "data:image/jpeg;base64," in result.popup.value
    assert f"similarity {match.similarity:.2f}" in result.popup.value
    assert asked.location == [20.0, 10.0]


def test_text_of_others_is_neither_html_nor_a_template(explorer):
    marker = maps.Marker(0.0, 0.0, EVIL, (EVIL,), color=EVIL)
    contents = maps.MapContents((-1, -1, 1, 1), markers=(marker,), title=EVIL, notes=(EVIL,))
    for shown in (popup(marker), card(contents)):
        assert "<b>{{" not in shown
        assert escaped(EVIL) in shown
    page = maps.draw_map(contents, "folium").to_html().partition("</head>")[2]
    assert page.count(r"\u0026#123;\u0026#123; 6 * 7 \u0026#125;") == 9
    assert EVIL not in page


def test_the_frame_holds_the_bounds(explorer):
    for bounds in [(42.2, -71.2, 42.4, -71.0), (-60.0, -180.0, 85.0, 180.0), (-10.0, 170.0, 10.0, 190.0)]:
        contents = maps.MapContents(bounds)
        width_px = 256 * 2**contents.zoom * (bounds[3] - bounds[1]) / 360
        assert 0.2 * 700 < width_px <= 700
    assert contents.on_this_map(-175.0) == pytest.approx(185.0)
    assert np.allclose(contents.center, (0.0, 180.0))


def test_unknown_backends_are_errors(explorer, query):
    with pytest.raises(InputError, match="no map backend 'bokeh'; choose among ipyleaflet, folium"):
        explorer.map(query, backend="bokeh")
    with pytest.raises(InputError, match="cannot react to clicks"):
        maps.draw_map(maps.MapContents((-1, -1, 1, 1)), "folium", on_point=lambda lat, lon: None)
