"""Words beside pictures: where they come from."""

from types import SimpleNamespace

import pytest

from pages.ui.formatting import origin, street_origin


def manifest(*sources, **pictures):
    return SimpleNamespace(pictures=pictures, sources=[SimpleNamespace(name=name) for name in sources])


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (["OpenStreetMap"], "rendered from OpenStreetMap"),
        (["Overture Maps", "Overture Maps", "aerial"], "rendered from Overture Maps"),
    ],
)
def test_rendered_pictures_name_the_map_of_their_atlas(sources, said):
    assert origin(manifest(*sources, aerial="rendered"), "aerial") == said


def test_pictures_that_are_not_rendered_name_no_map():
    own = manifest("Overture Maps", aerial="photographed", surface="measured")
    assert [origin(own, name) for name in ("aerial", "surface", "street")] == ["photographed", "measured", ""]


def test_a_street_photo_names_its_maker():
    said = {"credit": "Jane Doe", "license": "CC BY-SA 4.0", "time": "2023-06-01T12:00:00Z"}
    assert street_origin(manifest(street="photographed"), said) == "photographed · Jane Doe, CC BY-SA 4.0, 2023-06-01"
    assert street_origin(manifest("OpenStreetMap", street="rendered"), {}) == "rendered from OpenStreetMap"
