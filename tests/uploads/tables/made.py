"""Files of labels, made for tests: the same rows in every format, and files that mean harm."""

import io
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import shapely

N = 60
RNG = np.random.default_rng(0)
LAT, LON = RNG.uniform(42, 43, N), RNG.uniform(-72, -71, N)
RENT, USE = RNG.uniform(500, 3000, N).round(2), np.array(["homes", "shops", "park"])[np.arange(N) % 3]
PROJECTED = "EPSG:26986"  # Massachusetts, meters


def points():
    columns = {"rent": RENT, "use": USE, "ward": np.arange(N) % 5}
    return geopandas.GeoDataFrame(columns, geometry=geopandas.points_from_xy(LON, LAT), crs="EPSG:4326")


def squares(side_m=200.0, crs=PROJECTED):
    """Squares around the points, in meters."""
    frame = points().to_crs(crs)
    frame["geometry"] = shapely.buffer(frame.geometry.to_numpy(), side_m / 2, cap_style="square")
    return frame


def lines(half_deg=0.01):
    frame = points()
    frame["geometry"] = [
        shapely.LineString([(x - half_deg, y), (x + half_deg, y)]) for x, y in zip(LON, LAT, strict=True)
    ]
    return frame


def csv(rows=None, header="lat,lon,rent,use,ward"):
    """CSV of the rows, as bytes; ``rows`` replaces them."""
    if rows is None:
        rows = [[LAT[i], LON[i], RENT[i], USE[i], i % 5] for i in range(N)]
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]).encode() + b"\n"


def written(frame, folder: Path, name, **options):
    path = folder / name
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_file(path, **options)
    return path


def zipped(files, **options):
    """A ZIP archive of names and contents."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def shapefile(frame, folder: Path, without=()):
    """A zipped shapefile in a folder of the archive."""
    written(frame, folder, "labels.shp")
    return zipped(
        {f"data/{path.name}": path.read_bytes() for path in folder.glob("labels.*") if path.suffix not in without}
    )
