"""Whatever stands in an address: pages read it or say in a short sentence what they left out, and never break."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.ui import query_string
from pages.ui.explore.session import MAX_ITEMS
from pages.ui.map import component
from pages.ui.rectangles import parse_box
from pages.ui.services import serving
from pages.ui.view_options import KINDS as COLOR_SCHEMES
from tests.app import fake
from tests.attacks.links import hostile_links
from tests.fuzz.test_fuzz_points import told

NUMBERS = st.one_of(
    st.floats().map(repr),
    st.integers(-(10**400), 10**400).map(lambda value: hex(value)[2:] if value % 2 else f"{value:x}"),
    st.integers(1, 6000).map(lambda count: "9" * count),
    st.sampled_from(["", "²", "٣", "1_0", "inf", "nan", "-0", "1e308", "1e-400", "0x10", "+5", " 5 "]),
    st.floats(-400, 400).map(lambda value: f"{value:.3f}"),
)
LISTS = st.lists(NUMBERS, max_size=6).map(",".join)
KINDS = st.sampled_from(["text", "at", "place", "view", "vec", "vec:aerial", "image", ""])
ITEMS = st.one_of(
    st.text(max_size=80),
    st.builds("{}:{}".format, KINDS, LISTS),
    st.builds("{}*{}:{}".format, NUMBERS, KINDS, st.one_of(LISTS, st.text(max_size=600))),
)
VALUES = st.one_of(st.text(max_size=60), LISTS, NUMBERS)


@given(ITEMS)
@example("view:42.36,-71.06," + "9" * 400)
@example("view:" + "9" * 400 + ",1,1")
def test_an_item_is_read_or_left_out_with_a_short_sentence_and_stays_as_it_is(text):
    item, problem = told(query_string.parse, text)
    assert len(problem) < 400
    if problem:
        return
    written = query_string.write(item)
    again = query_string.parse(written)
    assert (again.modality, again.value, again.weight) == (item.modality, item.value, item.weight)
    assert query_string.write(again) == written
    assert abs(item.weight) <= query_string.MAX_WEIGHT


@given(st.lists(ITEMS, max_size=20))
def test_a_list_of_items_is_read_as_far_as_it_can_be(parts):
    items, problem = query_string.parse_all(parts, MAX_ITEMS)
    assert len(items) <= MAX_ITEMS
    assert len(problem) < 700
    assert bool(problem) or len(items) == len(parts)


@given(st.dictionaries(st.sampled_from(query_string.MAP_KEYS), VALUES))
@example({"o": "9" * 5000})
def test_the_maps_part_never_breaks(values):
    assert len(query_string.map_problem(values)) < 250


@given(st.dictionaries(st.sampled_from(["best", "outline", "colors", "items"]), VALUES))
def test_the_displays_part_never_breaks(values):
    display, count, problem = query_string.parse_display(values, ("location", "text"))
    assert query_string.display_parameters(display, count).items() <= values.items()
    assert len(problem) < 200


@given(st.one_of(VALUES, st.builds("{}:{}".format, st.sampled_from([*COLOR_SCHEMES]), NUMBERS)))
@example("clusters:²")
@example("component:³")
@example("clusters:" + "9" * 5000)
def test_the_parts_of_compare_never_break(text):
    for read in (
        query_string.parse_color,
        parse_box,
        query_string.parse_at,
        lambda text: query_string.parse_models(text, ("unigeoclip", "geoclip")),
        lambda text: query_string.parse_pair(text, ("unigeoclip", "geoclip")),
    ):
        assert len(told(read, text)[1]) < 400


@given(st.tuples(st.floats(-90, 89), st.floats(-180, 179), st.floats(0.001, 1), st.floats(0.001, 1)))
def test_a_rectangle_goes_into_the_address_and_back(corner):
    south, west, height, width = corner
    bounds = parse_box(f"{south:.7f},{west:.7f},{south + height:.7f},{west + width:.7f}")
    assert parse_box(",".join(map(query_string.degrees, bounds))) == bounds


@pytest.fixture
def visit(monkeypatch, tmp_path):
    """Open a page over the fake atlases at an address, with nothing kept from before."""
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    monkeypatch.setattr(component, "_component", lambda: lambda **options: None)
    fake.put_titles(monkeypatch.setattr, ("boston", "world"))
    shown = {}

    def go(page, query):
        app = shown.get("") or AppTest.from_file(str(fake.ROOT / "app.py"), default_timeout=60).run()
        if shown.get("page", "explore") != page:
            app = app.switch_page(f"pages/{page}.py").run()
            shown["page"] = page
        app.query_params.clear()
        for key, values in query.items():
            app.query_params[key] = values
        shown[""] = app = app.run()
        return app

    with serving(fake.services(("boston", "world"))):
        yield go


@pytest.mark.slow
@pytest.mark.parametrize("page", ["explore", "compare", "modalities", "atlas"])
def test_no_hostile_link_shows_an_exception(visit, page):
    for query in hostile_links(page, count=30):
        app = visit(page, query)
        assert not app.exception, f"{page} broke at {str(query)[:200]}"
        assert all(len(error.value) < 1500 for error in app.error)
