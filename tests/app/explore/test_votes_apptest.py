"""Thumbs on result cards refine the query, without a browser."""

from pages.ui.explore.composing import controls
from pages.ui.explore.composing.scope import MAX_VOTES


def session(app):
    return app.session_state["sessions"]["world"]


def press(app, card, vote):
    """Press a thumb as the cards' script reports it."""
    values = {name: card[name] for name in ("modality", "place_id", "window", "name")}
    controls.vote(session(app), {**values, "vote": vote, "nonce": ""})
    return app.run()


def cards(shown, group):
    return next(each["cards"] for each in shown["groups"] if each["title"] == group)


def test_thumbs_refine_the_query_are_chips_and_can_be_undone(ask, drawn, shown):
    app = ask(words="sea")
    before = drawn["panes"][0]["overlay"]
    assert {card["vote"] for card in cards(shown, "Aerial image")} == {""}
    first, second = cards(shown, "Aerial image")[:2]
    app = press(app, first, "up")
    app = press(app, cards(shown, "Text")[0], "down")
    assert not app.error
    link = app.query_params["q"]
    assert link[0] == "text:sea"
    assert link[1] == f"0.75*item:aerial:{first['place_id']}"
    assert link[2].startswith("-0.25*item:text:")
    assert drawn["panes"][0]["overlay"] != before
    labels = [block.proto.popover.label for block in app.get("popover")]
    assert any(label.replace("\\", "").startswith("+0.75\u2002") for label in labels)
    assert next(card for card in cards(shown, "Aerial image") if card["place_id"] == first["place_id"])["vote"] == "up"
    python, _ = (block.value for block in app.code)
    assert "import GalleryItem" in python
    compile(python, "taken", "exec")

    app = app.button(key="undo-vote").click().run()
    assert len(session(app).pending) == 2
    app = app.button(key="undo-vote").click().run()
    assert [item.value for item in session(app).pending] == ["sea"]
    assert drawn["panes"][0]["overlay"] == before
    assert not [button for button in app.button if button.key == "undo-vote"]

    app = press(app, second, "up")
    app = press(app, second, "up")
    assert [item.value for item in session(app).pending] == ["sea"], "the same thumb again takes it back"


def test_a_link_with_thumbs_is_read_and_names_its_places(app, shown):
    app.query_params["q"] = ["text:sea", "0.75*item:aerial:w000007", "-0.15*item:text:w000008"]
    app = app.run()
    assert not app.error
    assert [item.weight for item in session(app).pending] == [1.0, 0.75, -0.15]
    assert ":" not in session(app).pending[1].label
    assert app.query_params["q"] == ["text:sea", "0.75*item:aerial:w000007", "-0.15*item:text:w000008"]


def test_there_are_so_many_thumbs_and_the_next_is_a_sentence(ask, shown):
    app = ask(words="sea")
    for card in cards(shown, "Aerial image")[:MAX_VOTES]:
        controls.vote(session(app), {**card, "vote": "up", "nonce": ""})
    app = app.run()
    assert len(session(app).pending) == 1 + MAX_VOTES
    app = press(app, cards(shown, "Text")[0], "up")
    assert f"at most {MAX_VOTES} thumbs" in app.error[0].value
    app.segmented_control(key="join").set_value("plus").run()
    app = ask(words="himalaya")
    assert len(session(app).pending) == 2 + MAX_VOTES, "thumbs take no room of other items"


def test_a_change_of_the_query_leaves_nothing_to_undo(ask, shown):
    app = ask(words="sea")
    app = press(app, cards(shown, "Text")[0], "up")
    app = app.button(key="remove-0").click().run()
    assert session(app).before_votes == ()
