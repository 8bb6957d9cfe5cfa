"""Options of ``build city`` that have real data fetched: plans, agreement, what does not go together."""

import pytest

from tests.sources import pictures
from tests.sources.local_services import BLOB, stac_item
from unigeoclip.cli.cities.real_data import prepare
from unigeoclip.cli.main import main
from unigeoclip.errors import InputError
from unigeoclip.sources import plan as plans

BOX = (42.335, -71.110, 42.345, -71.095)
BBOX = ["--bbox", ",".join(map(str, BOX))]
NOTHING = {"aerial": (), "surface": (), "street": ()}


def refused(capsys, *line):
    assert main(["build", "city", *line]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.strip().splitlines()[-1]


@pytest.fixture
def naip(services):
    services.items["naip"].append(stac_item("naip", "a", (42.3, -71.2, 42.4, -71.0), f"https://{BLOB}/a.tif"))
    pictures.write_raster(services.folder / BLOB / "a.tif", BOX)
    return services


def ready(given, *, tiles="t", bounds=BOX, stated=(), preset=None, plan=False, yes=False):
    return prepare({**NOTHING, **given}, tiles, bounds, stated=dict(stated), preset=preset, plan=plan, yes=yes)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["--tiles", "t"], "the new atlas needs a name"),
        (["--name", "a", "--out", "OUT"], "give vector tiles with --tiles, or a --preset"),
        (["--plan", "--aerial", "stac:naip"], "give it with --bbox"),
        (["--plan", "--preset", "any"], "--preset any needs --bbox"),
        (["--plan", "--preset", "paris"], "There is no preset 'paris'"),
        (["--plan", "--aerial", "stac:nope", *BBOX], "stac:nope is unknown"),
        (["--plan", "--aerial", "panoramax:", *BBOX], "is no source of that kind"),
        (["--plan", "--street", "mapillary:", *BBOX], "MAPILLARY_TOKEN"),
        (["--plan", "--aerial", "gone.tif"], "does not exist"),
    ],
)
def test_what_does_not_go_together(services, capsys, tmp_path, line, said):
    assert said in refused(capsys, *(str(tmp_path / "out") if word == "OUT" else word for word in line))
    assert services.count() == 0


def test_a_preset_says_what_it_chose_and_why(naip, capsys, tmp_path):
    assert main(["build", "city", "--preset", "any", *BBOX, "--plan"]) == 0
    out = capsys.readouterr().out
    assert "aerial from stac:naip: 1 raster, 100% of the area" in out
    assert "stac:naip is taken: aerial photographs of 0.3 to 1 m, public domain; 100% of the area." in out
    assert "surface: rendered from the map" in out
    assert "mapillary is not asked: MAPILLARY_TOKEN is not set." in out
    assert "map, texts: OpenFreeMap" in out
    assert naip.count(f"/{BLOB}") == 0


def test_a_large_download_needs_a_yes(naip, monkeypatch):
    monkeypatch.setattr(plans, "LIMIT_REQUESTS", 1)
    with pytest.raises(InputError, match="add --yes"):
        ready({"aerial": ("stac:naip",)})
    assert naip.count(f"/{BLOB}") == 0
    real = ready({"aerial": ("stac:naip",)}, yes=True)
    assert (real.tiles, real.bounds) == ("t", BOX)
    (folder,) = real.words["aerial"]
    assert folder.endswith(plans.make_plan("stac:naip", "aerial", BOX, None, None).folder.name)


def test_files_and_sources_keep_their_order(naip, tmp_path):
    mine = pictures.write_raster(tmp_path / "mine.tif", BOX)
    real = ready({"aerial": (str(mine), "stac:naip")})
    assert real.words["aerial"][0] == str(mine)
    assert real.words["surface"] == real.words["street"] == ()


def test_tiles_need_a_license(services):
    word = "xyz:https://tiles.test/{z}/{x}/{y}.png"
    with pytest.raises(InputError, match="state it with --aerial-license"):
        ready({"aerial": (word,)})
    assert services.count() == 0
    assert ready({"aerial": (word,)}, stated={"aerial": "CC BY 4.0"}).words["aerial"]


def test_a_plan_of_own_files(tmp_path, capsys):
    pictures.write_raster(tmp_path / "own" / "a-2019.tif", BOX)
    given = ["--aerial", str(tmp_path / "own"), "--aerial-license", "CC0 1.0", "--tiles", "map.mbtiles"]
    assert main(["build", "city", *given, "--plan"]) == 0
    out = capsys.readouterr().out
    assert "own: 1 raster, " in out
    assert "  CC0 1.0 (1)" in out
    assert "map, texts: map.mbtiles" in out


def test_files_alone_need_no_network(monkeypatch):
    monkeypatch.setattr("unigeoclip.sources.web.Web.__init__", lambda *_: pytest.fail("a client was made"))
    assert ready({"aerial": ("a.tif",)}, bounds=None).words["aerial"] == ("a.tif",)
