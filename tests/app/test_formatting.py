"""Words beside pictures: where they come from."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from pages.ui.atlas.limitations import limits
from pages.ui.formatting import origin, street_origin
from unigeoclip.atlas import load_atlas
from unigeoclip.atlas.origins import upper_bound
from unigeoclip.atlas.schema import OVERTURE


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


def test_what_is_said_of_a_city_names_its_map():
    manifest = load_atlas("boston").manifest
    overture = [*manifest.sources, replace(manifest.sources[0], name=OVERTURE)]
    for sources, name in ((manifest.sources, "OpenStreetMap"), (overture, OVERTURE)):
        said = replace(manifest, sources=tuple(sources))
        assert f"come from {name}, with its gaps" in limits(said)
        assert f"come from {name}: what" in upper_bound(
            replace(said, pictures=manifest.pictures | {"aerial": "photographed"})
        )
