"""A visitor's own points on page Explore."""

import time

import pytest

PATIENCE_S = 60
GOOD = "name,lat,lon\nhere,48.85,2.35\nthere,abc,10\nfar,-33.9,151.2\n"


def bring(app, name, data):
    app.session_state["points-popover"] = True
    app.run()
    (field,) = [each for each in app.file_uploader if "table" in each.label]
    return field.upload(name, data, "text/csv").run()


def said(app):
    return [each.value.replace("\\", "") for each in (*app.markdown, *app.warning, *app.error, *app.caption)]


def run_until(app, is_there):
    """Run the page again until the process that reads files has answered."""
    end = time.monotonic() + PATIENCE_S
    while not is_there() and time.monotonic() < end:
        app.run()


def test_points_are_on_the_map_and_bad_rows_are_told(app, drawn):
    app = bring(app, "mine.csv", GOOD.encode())
    assert not app.exception
    run_until(app, lambda: "with a position" in " ".join(said(app)))
    words = " ".join(said(app))
    assert "3 rows, 2 with a position." in words
    assert "Row 2: 'abc', '10' is no latitude and longitude" in words
    overlay = drawn["panes"][0]["points"]
    assert "/private/" in overlay["url"]
    assert overlay["bounds"][0] < -33.9 < 48.85 < overlay["bounds"][2]
    assert "mine" not in str(app.query_params)
    app.button(key="points-remove").click().run()
    assert "points" not in drawn["panes"][0]


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n", b"a,b\n1,2\n", b"lat,lon\nx,y\n" * 3, b"PK\x03\x04rubbish"])
def test_a_hostile_file_is_a_sentence(app, drawn, data):
    app = bring(app, "bad.csv", data)
    run_until(app, lambda: any(each.value for each in app.error))
    assert not app.exception
    assert any(each.value for each in app.error)
    assert "points" not in drawn["panes"][0]
