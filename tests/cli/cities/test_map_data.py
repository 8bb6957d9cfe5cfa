"""Maps on the command line that are no vector tiles: plans, fetching, what does not go together."""

import pytest

from tests.build import made_up_extracts
from tests.sources.parquet.conftest import BUCKET_HOST, RELEASE, publish
from unigeoclip.cli.cities.real_data import prepare
from unigeoclip.cli.main import main
from unigeoclip.errors import InputError
from unigeoclip.sources import plan as plans

BOX = made_up_extracts.BBOX
BBOX = ["--bbox", ",".join(map(str, BOX))]
NOTHING = {"aerial": (), "surface": (), "street": ()}


def ready(tiles, bounds=BOX, plan=False, yes=False):
    return prepare(NOTHING, tiles, bounds, stated={}, preset=None, plan=plan, yes=yes)


def test_the_plan_says_what_overture_costs(services, capsys):
    publish(services)
    assert main(["build", "city", "--tiles", "overture:", *BBOX, "--plan"]) == 0
    out = capsys.readouterr().out
    assert f"map, texts from Overture Maps {RELEASE}: building, division, land, land_use, water, place, segment" in out
    assert "requests, about 0.1 MB" in out
    assert "ODbL 1.0: © OpenStreetMap contributors, Overture Maps Foundation; places CDLA-Permissive-2.0" in out
    assert "aerial: rendered from the map" in out
    whole = sum(path.stat().st_size for path in (services.folder / BUCKET_HOST).rglob("*.parquet"))
    assert services.sent.total() < 2 * whole


def test_overture_is_fetched_into_the_cache(services, tmp_path):
    publish(services)
    real = ready("overture:")
    assert real.tiles.startswith(f"overture:{tmp_path / 'cache' / 'sources' / 'overture-'}{RELEASE}-")
    asked = services.count(f"/{BUCKET_HOST}")
    assert ready(f"overture:{RELEASE}").tiles == real.tiles
    assert services.count(f"/{BUCKET_HOST}") < 2 * asked, "only the ends of files are read again"


def test_a_large_map_needs_a_yes(services, monkeypatch):
    publish(services)
    monkeypatch.setattr(plans, "LIMIT_BYTES", 100)
    with pytest.raises(InputError, match="from overture:. If that is meant, add --yes"):
        ready("overture:")
    assert ready("overture:", yes=True).tiles


def test_overture_needs_an_area(services, capsys):
    assert main(["build", "city", "--name", "madeup", "--tiles", "overture:"]) == 2
    assert "give it with --bbox SOUTH,WEST,NORTH,EAST" in capsys.readouterr().err
    assert services.count() == 0


def test_files_of_this_machine_are_named_with_their_size(services, tmp_path, capsys):
    made_up_extracts.write_overture(tmp_path / "overture")
    made_up_extracts.write_pbf(tmp_path / "town.osm.pbf")
    for word, said in (
        (f"overture:{tmp_path / 'overture'}", "map, texts from Overture Maps in"),
        (str(tmp_path / "town.osm.pbf"), "an extract of OpenStreetMap, 0.0 MB; ODbL 1.0"),
        ("https://tiles.test/{z}/{x}/{y}", "map, texts: https://tiles.test"),
    ):
        assert main(["build", "city", "--tiles", word, "--plan"]) == 0
        assert said in capsys.readouterr().out
    assert main(["build", "city", "--tiles", "gone.osm.pbf", "--plan"]) == 2
    assert "gone.osm.pbf does not exist" in capsys.readouterr().err
    assert services.count() == 0
