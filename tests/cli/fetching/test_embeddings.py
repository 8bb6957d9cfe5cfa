import numpy as np
import pytest

from tests.sources.parquet import aef
from unigeoclip.cli.main import main
from unigeoclip.sources import plan as plans

BBOX = ["--bbox", ",".join(map(str, aef.BOSTON))]


@pytest.fixture
def boston(services):
    bands = aef.vectors(np.random.default_rng(1))
    aef.write_index(services, [aef.write_file(services, 2024, "19N", "a-0", 32619, 327_400.0, 4_691_000.0, bands)])
    return services


def test_the_size_is_said_first(boston, capsys):
    assert main(["fetch", "alphaearth", *BBOX, "--plan"]) == 0
    out = capsys.readouterr().out
    assert "embeddings from alphaearth: 1 raster, 100% of the area; " in out
    assert "CC BY 4.0: The AlphaEarth Foundations Satellite Embedding dataset is produced by Google" in out
    assert boston.count(f"/{aef.AEF_HOST}/{aef.ROOT}/2024") == 0


def test_what_is_fetched_is_read_as_an_embedder(boston, tmp_path, capsys):
    out = tmp_path / "aef.tif"
    assert main(["fetch", "alphaearth", *BBOX, "--year", "2024", "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    (tmp_path / "points.csv").write_text("lat,lon\n42.345,-71.08\n10,10\n")
    line = ["embed", "--embedder", f"file:{out}", "--csv", str(tmp_path / "points.csv")]
    assert main([*line, "--out", str(tmp_path / "points.parquet")]) == 0
    import pyarrow.parquet as pq

    table = pq.read_table(tmp_path / "points.parquet").to_pylist()
    assert len(table[0]["embedding"]) == 64
    assert table[1]["embedding"] is None


def test_a_large_download_needs_a_yes(boston, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(plans, "LIMIT_BYTES", 1000)
    line = ["fetch", "alphaearth", *BBOX, "--out", str(tmp_path / "aef.tif")]
    assert main(line) == 2
    assert "If that is meant, add --yes" in capsys.readouterr().err
    assert not (tmp_path / "aef.tif").exists()
    assert main([*line, "--yes"]) == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["alphaearth"], "give it with --bbox SOUTH,WEST,NORTH,EAST"),
        (["alphaearth", *BBOX], "--out names the GeoTIFF to write"),
        (["alphaearth", *BBOX, "--out", "aef.png"], "--out names the GeoTIFF to write"),
        (["alphaearth", *BBOX, "--out", "gone/aef.tif"], "the folder gone does not exist"),
        (["alphaearth", "--bbox", "1,2,3", "--plan"], "south,west,north,east"),
        (["alphaearth", "--bbox", "0,0,50,50", "--plan"], "wider than the 1 degrees"),
        (["alphaearth", *BBOX, "--year", "24"], "must be 2000 or more"),
        (["tessera"], "invalid choice 'tessera'"),
    ],
)
def test_what_cannot_be_used(services, tmp_path, monkeypatch, capsys, line, message):
    monkeypatch.chdir(tmp_path)
    assert main(["fetch", *line]) == 2
    assert message in capsys.readouterr().err
    assert services.count() == 0
