"""What strangers write into addresses: read in bounds, and what cannot be read is said in a short sentence."""

from types import SimpleNamespace

import pytest

from pages.ui import address, query_string
from pages.ui.explore.session import MAX_ITEMS
from pages.ui.rectangles import parse_box
from tests.attacks.links import tracebacks
from unigeoclip.errors import InputError

HUGE = "9" * 5000

HOSTILE_ITEMS = [
    "view:42.36,-71.06," + "9" * 400,
    "view:" + "9" * 400 + ",-71.06,45",
    "view:nan,inf,1",
    f"at:{HUGE},1",
    "at:1,1e308",
    "at:1," + "9" * 309,
    "at:1,541",
    f"{HUGE}*text:sea",
    "1e308*text:sea",
    "2.5*text:sea",
    "text:" + "x" * 401,
    "text:\ud800",
    f"place:{HUGE}",
    f"vec:aerial:{HUGE * 4}",
    f"{HUGE}",
    "\x00",
]


@pytest.mark.parametrize("text", HOSTILE_ITEMS)
def test_items_out_of_bounds_are_left_out_with_a_short_reason(text):
    with pytest.raises(InputError, match="left out") as caught:
        query_string.parse(text)
    assert len(str(caught.value)) < 400


def test_what_can_be_read_of_a_link_is_kept():
    items, problem = query_string.parse_all(["text:sea", "nonsense", "9*text:a", "at:23,8"], 8)
    assert [item.modality for item in items] == ["text", "location"]
    assert "'nonsense'" in problem
    assert "1 more of its parts" in problem


def test_more_items_than_a_query_holds_are_told():
    items, problem = query_string.parse_all([f"text:{number}" for number in range(5000)], MAX_ITEMS)
    assert len(items) == MAX_ITEMS
    assert "5000 items" in problem


@pytest.mark.parametrize(
    "values",
    [{"o": HUGE}, {"o": "²"}, {"o": "٣"}, {"o": "101"}, {"o": "-1"}, {"v": HUGE}, {"v": f"{HUGE},1,1"}, {"v": "1,1"},
     {"v": "1,1,1,1"}, {"v": "nan,1,1"}, {"v": "٣,1,1"}, {"v": "1,541,1"}, {"v": "91,1,1"}, {"v": "1,1,25"},
     {"b": HUGE}, {"t": HUGE}, {"t": "2"}, {"t": "0.12345"}, {"t": "1e-3"}, {"t": "٣"}, {"t": ""}],
)  # fmt: skip
def test_the_maps_part_of_an_address_is_bounded(values):
    assert 20 < len(query_string.map_problem(values)) < 200


@pytest.mark.parametrize(
    "values", [{}, {"v": "48.85,2.35,5"}, {"v": "0,-200.5,3.25", "b": "plain", "o": "75", "t": "0.425"}, {"t": "-0.1"}]
)
def test_what_the_browser_writes_is_read(values):
    assert query_string.map_problem(values) == ""


@pytest.mark.parametrize(
    "text", ["clusters:²", "component:³", f"clusters:{HUGE}", "clusters:", "component:0", "clusters:17", "component:-1",
             "clusters:٣", HUGE],
)  # fmt: skip
def test_colorings_are_bounded(text):
    with pytest.raises(InputError) as caught:
        query_string.parse_color(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "text", [HUGE, ",".join([HUGE] * 4), "1,2,3", "nan,0,1,1", "inf,0,1,1", "1_0,0,20,20", "٣,٣,٤,٤", "0,0,1e308,1",
             "10,20,10,30", "10,20,10.000001,30", "-91,0,0,1"],
)  # fmt: skip
def test_rectangles_are_bounded(text):
    with pytest.raises(InputError) as caught:
        parse_box(text)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    "text",
    ["42.33, -71.1, 42.38, -71.03", "42.33,-71.1,42.38,-71.03", "42,33 -71,1 42,38 -71,03", "42.33 -71.1 42.38 -71.03",
     "42,33; -71,1; 42,38; -71,03", "42,33, -71,1, 42,38, -71,03"],
)  # fmt: skip
def test_a_rectangle_in_either_decimal_sign(text):
    assert parse_box(text) == (42.33, -71.1, 42.38, -71.03)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"colour": ["clusters:8"]}, {"color": ["clusters:8"]}),
        ({"colours": ["viridis"], "q": ["text:a", "text:b"]}, {"colors": ["viridis"], "q": ["text:a", "text:b"]}),
        ({"colour": ["umap"], "color": ["clusters:3"]}, {"color": ["clusters:3"]}),
        ({"colour": ["umap"], "colours": ["magma"], "atlas": ["world"], "v": ["1,2,3"]},
         {"color": ["umap"], "colors": ["magma"], "atlas": ["world"], "v": ["1,2,3"]}),
    ],
)  # fmt: skip
def test_earlier_keys_are_read_under_their_present_name(monkeypatch, sent, read):
    monkeypatch.setattr(address, "current", lambda of_browser: sent)
    assert query_string.present() == read
    assert query_string.selected(read) == {key: values[-1] for key, values in read.items()}


@pytest.mark.parametrize("text", [HUGE, "here", "91,0", "1,541", "nan,nan"])
def test_points_of_compare_are_bounded(text):
    with pytest.raises(InputError) as caught:
        query_string.parse_at(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("value", "text"), [(48.85, "48.85"), (-0.0000001, "0"), (100.0, "100"), (0.123456, "0.12346")]
)
def test_a_coordinate_in_a_field(value, text):
    assert query_string.degrees(value) == text


def test_the_attack_counts_tracebacks_in_colors():
    plain, colored = (
        "Traceback (most recent call last)",
        "\x1b[31mTraceback \x1b[0m\x1b[2m(most recent call last)\x1b[0m",
    )
    assert tracebacks(f"{plain}:\nfine\n─ {colored} ─\n") == 2


@pytest.fixture
def run(monkeypatch):
    """``run(sent, fragment=)`` begins a run of the page that the browser asked for with this address."""
    params, context = QueryParams(), SimpleNamespace(fragment_ids_this_run=None)
    monkeypatch.setattr(address.st, "query_params", params)
    monkeypatch.setattr(address.st, "session_state", {})
    monkeypatch.setattr(address, "get_script_run_ctx", lambda: context)

    def begin(sent, *, fragment):
        params.clear()
        params.from_dict(sent)
        context.fragment_ids_this_run = ["page"] if fragment else None
        return params

    return begin


class QueryParams(dict):
    """Streamlit's, without a browser."""

    def get_all(self, key):
        return self[key]

    def from_dict(self, values):
        self.clear()
        self.update(values)


def test_an_address_that_the_browser_has_not_heard_of_yet_is_no_link_back(run):
    run({"atlas": ["world"], "q": ["at:1,2"], "v": ["1,2,3"]}, fragment=False)
    assert query_string.items() == ("at:1,2",)
    run({"atlas": ["world"], "q": ["at:1,2"], "v": ["1,2,3"]}, fragment=True)
    query_string.write_explore("world", ["text:sea"], {})
    params = run({"atlas": ["world"], "q": ["at:1,2"], "v": ["4,5,6"]}, fragment=True)  # sent before it heard
    assert query_string.items() == ("text:sea",)
    assert query_string.selected(["v"]) == {"v": "4,5,6"}
    query_string.write_explore("world", ["text:sea"], {})
    assert params["q"] == ["at:1,2"], "the browser has been told already"


def test_the_back_button_is_followed(run):
    run({"q": ["at:1,2"]}, fragment=False)
    query_string.write_explore("world", ["text:sea"], {})
    run({"q": ["at:1,2"]}, fragment=False)
    assert query_string.items() == ("at:1,2",)
    run({"q": ["at:1,2"]}, fragment=True)
    assert query_string.items() == ("at:1,2",)
