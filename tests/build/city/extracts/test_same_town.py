"""The same town as vector tiles and as an extract of OpenStreetMap and of Overture gives about the same atlas."""

import numpy as np
import pytest

from tests.build import made_up_extracts, made_up_tiles
from tests.build.city.test_builder import embed
from unigeoclip.atlas.store import load_atlas
from unigeoclip.build.city.builder import build_city

WRITERS = {
    "tiles": lambda folder: made_up_tiles.write_tiles(folder),
    "pbf": lambda folder: made_up_extracts.write_pbf(folder / "town.osm.pbf"),
    "overture": lambda folder: f"overture:{made_up_extracts.write_overture(folder / 'release')}",
}


@pytest.fixture(scope="module")
def atlases(tmp_path_factory):
    made = {}
    for kind, write in WRITERS.items():
        folder = tmp_path_factory.mktemp(kind)
        out = build_city("madeup", write(folder), folder / "atlas", bbox=made_up_tiles.bbox(), embed=embed)
        made[kind] = load_atlas(out)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in WRITERS if kind != "tiles"])
def test_the_atlases_are_about_the_same(atlases, kind):
    tiled, other = atlases["tiles"], atlases[kind]
    assert other.places["place_id"].tolist() == tiled.places["place_id"].tolist()
    assert len(other.views) == pytest.approx(len(tiled.views), rel=0.1)
    latlon = tiled.places[["lat", "lon"]].to_numpy()
    heights = [atlas.raster("surface").windows(latlon, 150.0, 64) for atlas in (tiled, other)]
    assert np.median(np.abs(heights[0] - heights[1])) < 0.5
    pictures = [atlas.raster("aerial").windows(latlon, 150.0, 64).astype(float) for atlas in (tiled, other)]
    assert np.corrcoef(pictures[0].ravel(), pictures[1].ravel())[0, 1] > 0.8
    said = [set(atlas.sentences["text"]) for atlas in (tiled, other)]
    assert len(said[0] & said[1]) > 0.8 * len(said[0] | said[1])
    assert {"Elm Street", "Madeup"} <= said[1]


@pytest.mark.slow
def test_credits_stay_when_an_interrupted_build_goes_on(tmp_path, monkeypatch):
    from unigeoclip.build.city import place_tables

    source = f"overture:{made_up_extracts.write_overture(tmp_path / 'release')}"
    options = {"bbox": made_up_tiles.bbox(), "embed": embed}
    with monkeypatch.context() as broken:
        broken.setattr(place_tables, "write_places", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            build_city("madeup", source, tmp_path / "atlas", **options)
    atlas = load_atlas(build_city("madeup", source, tmp_path / "atlas", **options))
    assert [source.licence for source in atlas.manifest.sources[:5]].count("ODbL 1.0") == 4
    assert "Microsoft ML Buildings" in " ".join(source.attribution for source in atlas.manifest.sources)
