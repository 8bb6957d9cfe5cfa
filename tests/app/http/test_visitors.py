"""Several visitors at once, and one who asks much: everybody gets their own answer, and nothing is kept for ever."""

import gc
import threading

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.services.overlays import OverlayStore
from tests import load
from tests.app import server
from tests.app.conftest import APP


@pytest.mark.slow
def test_visitors_who_click_at_the_same_time_get_their_own_answers():
    with server.running() as served:
        found = load.measure_visitors(served.address, "world", visitors=3, seconds=5.0, pause_s=0.2)
    assert found["failed"] == []
    assert found["clicks"] >= 3
    assert found["others"] == 0


def test_forty_queries_keep_as_much_as_a_few(serve, drawn):
    served = serve(overlays=OverlayStore(max_overlays=8))
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    kept = []
    for number in range(40):
        app.text_input(key="latitude").set_value(str(-50.0 + number))
        app.text_input(key="longitude").set_value(str(8.0))
        app.button(key="ask-button").click()
        app.run()
        assert not app.exception
        assert 0 < len(served.overlays) <= 8
        kept.append(len(app.session_state._state.filtered_state))  # AppTest has no public way to count
    assert list(app.session_state["sessions"]) == ["world"]
    assert kept[-1] <= kept[4] + 1


def test_the_garbage_collector_is_spared_what_stays(serve):
    gc.unfreeze()
    opened = serve().explorers.opening("world")
    for thread in threading.enumerate():
        if thread.name == "open world":
            thread.join(60)
    assert opened.explorer is not None
    assert gc.get_freeze_count() > 0
