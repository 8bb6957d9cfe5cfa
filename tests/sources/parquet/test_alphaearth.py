import numpy as np
import pytest
import rasterio
from rasterio.warp import transform as warp

from tests.sources.parquet import aef
from tests.sources.parquet.aef import AEF_HOST, BOSTON, write_file, write_index
from unigeoclip.embedders import load_embedder
from unigeoclip.errors import DownloadError, InputError
from unigeoclip.sources.parquet.alphaearth import CREDIT, write_mosaic
from unigeoclip.sources.plan import fetch, make_plan

WEST_M, NORTH_M = 327_400.0, 4_691_000.0  # of a file round BOSTON


@pytest.fixture
def boston(services):
    bands = aef.vectors(np.random.default_rng(1))
    rows = [write_file(services, year, "19N", f"x{year}-0000000000-0000008192", 32619, WEST_M, NORTH_M, bands)
            for year in (2023, 2024)]  # fmt: skip
    write_index(services, rows)
    return bands


def planned(web, tmp_path, word="alphaearth:2024", bounds=BOSTON):
    return make_plan(word, "embeddings", bounds, tmp_path / "cache", web)


def mosaic(plan, web, out, bounds=BOSTON):
    fetch(plan, web)
    write_mosaic([plan.path(item) for item in plan.found.items], out, bounds, "2024")
    return out


def expected(bands, latlon, epsg=32619, west_m=WEST_M, north_m=NORTH_M):
    x, y = (np.array(each) for each in warp("EPSG:4326", f"EPSG:{epsg}", latlon[:, 1].tolist(), latlon[:, 0].tolist()))
    return bands[:, ((north_m - y) // 10).astype(int), ((x - west_m) // 10).astype(int)].T


def test_the_vectors_of_an_area_are_those_of_the_mirror(services, web, boston, tmp_path):
    plan = planned(web, tmp_path)
    (item,) = plan.found.items
    assert (item.year, item.license, item.credit) == ("2024", "CC BY 4.0", CREDIT)
    assert plan.found.coverage == pytest.approx(1.0)
    out = mosaic(plan, web, tmp_path / "aef.tif")
    rng = np.random.default_rng(2)
    latlon = rng.uniform(BOSTON[:2], BOSTON[2:], (200, 2))
    raw = expected(boston, latlon).astype(np.float32)
    wanted = np.sign(raw) * (raw / 127.5) ** 2
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    found = load_embedder(f"file:{out}").embed(latlon)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    with rasterio.open(out) as written:
        tags = written.tags()
        assert written.bounds.bottom < written.bounds.top, "north is up, as all programs read it"
        assert written.count == 64
    assert tags["license"] == "CC BY 4.0"
    assert tags["credit"] == CREDIT
    assert tags["year"] == "2024"


def test_only_what_is_needed_is_read(services, web, tmp_path):
    bands = aef.vectors(np.random.default_rng(1), 512)
    write_index(services, [write_file(services, year, "19N", "a", 32619, WEST_M, NORTH_M, bands)
                           for year in (2023, 2024)])  # fmt: skip
    small = (42.344, -71.084, 42.346, -71.081)
    index = services.folder / AEF_HOST / aef.ROOT / "aef_index.parquet"
    mosaic(planned(web, tmp_path, bounds=small), web, tmp_path / "aef.tif", small)
    sent = {path.rpartition("/")[2]: count for path, count in services.sent.items()}
    (file,) = (services.folder / AEF_HOST / aef.ROOT / "2024").rglob("*.tiff")
    assert sent[file.name] < 0.2 * file.stat().st_size
    assert sent[index.name] < 2 * index.stat().st_size
    assert not any("2023" in path for path in services.sent), "of one year only"


def test_the_newest_year_is_taken(services, web, boston, tmp_path):
    assert [item.year for item in planned(web, tmp_path, "alphaearth:").found.items] == ["2024"]
    with pytest.raises(InputError, match="AlphaEarth has 2023, 2024 in the --bbox, not 2017"):
        planned(web, tmp_path, "alphaearth:2017")
    with pytest.raises(InputError, match="alphaearth:YEAR"):
        planned(web, tmp_path, "alphaearth:last")


def test_an_area_in_two_zones(services, web, tmp_path):
    rng = np.random.default_rng(3)
    west, east = aef.vectors(rng, 256), aef.vectors(rng, 256)
    bounds = (42.005, -72.010, 42.015, -71.985)  # zones 18 and 19 meet at -72
    x18, y18 = (each[0] for each in warp("EPSG:4326", "EPSG:32618", [-72.0], [42.02]))
    x19, y19 = (each[0] for each in warp("EPSG:4326", "EPSG:32619", [-72.0], [42.02]))
    place18 = 10 * round(x18 / 10) - 2560.0, 10 * round(y18 / 10) + 0.0
    place19 = 10 * round(x19 / 10) + 0.0, 10 * round(y19 / 10) + 0.0
    rows = [write_file(services, 2024, "18N", "a-0", 32618, *place18, west),
            write_file(services, 2024, "19N", "b-0", 32619, *place19, east, south_up=False)]  # fmt: skip
    rows[0]["wgs84_east"], rows[1]["wgs84_west"] = -72.0, -72.0
    write_index(services, rows)
    plan = planned(web, tmp_path, bounds=bounds)
    assert [item.name for item in plan.found.items] == ["2024-19N-b-0", "2024-18N-a-0"], "the larger part first"
    with rasterio.open(mosaic(plan, web, tmp_path / "aef.tif", bounds)) as written:
        assert written.crs.to_epsg() == 32619
        values = written.read()
    assert (values[0] != -128).mean() > 0.9, "but for the slanted edges"
    pixels = {pixel.tobytes() for bands in (west, east) for pixel in np.ascontiguousarray(bands.reshape(64, -1).T)}
    found = np.ascontiguousarray(values[:, values[0] != -128].T)
    assert all(pixel.tobytes() in pixels for pixel in found), "vectors are copied, not mixed"


def test_where_there_is_nothing(services, web, boston, tmp_path):
    plan = planned(web, tmp_path, bounds=(0.0, 0.0, 0.1, 0.1))
    with pytest.raises(InputError, match="alphaearth:2024 has nothing that can be used in the --bbox"):
        fetch(plan, web)


def test_an_index_of_another_form(services, web, boston, tmp_path):
    index = services.folder / AEF_HOST / aef.ROOT / "aef_index.parquet"
    index.write_bytes(b"PAR1" + bytes(5000))
    with pytest.raises(DownloadError, match=r"aef_index\.parquet cannot be read as Parquet"):
        planned(web, tmp_path)
    aef.pq.write_table(aef.pa.table({"path": ["x"]}), index)
    with pytest.raises(DownloadError, match="has no column year: it has changed its form"):
        planned(web, tmp_path)


def test_rows_that_name_no_file_of_the_mirror_are_left_out(services, web, tmp_path):
    row = write_file(services, 2024, "19N", "a", 32619, WEST_M, NORTH_M, aef.vectors(np.random.default_rng(1), 64))
    odd = [{**row, "path": path} for path in ("s3://evil.example/a.tiff", "../../etc/passwd", "")]
    write_index(services, [{**each, "wgs84_west": -72.0, "wgs84_east": -71.0, "wgs84_south": 42.0, "wgs84_north": 43.0}
                           for each in odd])  # fmt: skip
    plan = planned(web, tmp_path)
    assert plan.found.items == []
    assert plan.found.left_out.total() == 3


def test_a_file_that_is_none_of_alphaearth(services, web, tmp_path):
    from tests.sources.pictures import write_raster

    path = write_raster(tmp_path / "rgb.tif", BOSTON, bands=3)
    with pytest.raises(InputError, match="has 3 bands of uint8, not 64 of int8"):
        write_mosaic([path], tmp_path / "out.tif", BOSTON, "2024")
    assert not (tmp_path / "out.tif").exists()
