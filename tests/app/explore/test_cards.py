"""What a card of a street photo says of the photo itself."""

from types import SimpleNamespace

from pages.ui.explore.cards import _camera


def camera(streets, monkeypatch, origin):
    monkeypatch.setattr("pages.ui.explore.cards.urls", SimpleNamespace(street_templates=lambda _atlas: {}))
    atlas = SimpleNamespace(manifest=SimpleNamespace(pictures={"street": origin}, sources=[]))
    return _camera(SimpleNamespace(atlas=atlas, streets=streets), 42.0, -71.0, 90.0)


def test_a_photo_names_whose_it_is(monkeypatch):
    said = {"credit": "Jane Doe", "license": "CC BY-SA 4.0", "time": "2023-06-01T10:00:00Z"}
    streets = SimpleNamespace(is_rendered=False, photo_of=lambda *_: said)
    shown = camera(streets, monkeypatch, "photographed")
    assert shown["origin"].endswith("Jane Doe, CC BY-SA 4.0, 2023-06-01")
    assert not shown["turns"]


def test_a_rendered_view_names_nobody(monkeypatch):
    shown = camera(SimpleNamespace(is_rendered=True, photo_of=lambda *_: {}), monkeypatch, "rendered")
    assert shown["turns"]
    assert "," not in shown["origin"]
