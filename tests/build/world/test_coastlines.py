"""Coasts and borders out of a small made-up topology."""

import io
import json
import tarfile

import pytest

from unigeoclip.build.world.coastlines import coast_and_borders
from unigeoclip.errors import DownloadError

# Two square countries: arc 0 is their border, arcs 1 and 2 their coasts; arc 3 is a cut at the date line.
TOPOLOGY = {
    "type": "Topology",
    "transform": {"scale": [0.1, 0.1], "translate": [0, 0]},
    "arcs": [
        [[100, 0], [0, 100]],
        [[100, 100], [-100, 0], [0, -100], [100, 0]],
        [[100, 0], [100, 0], [0, 100], [-100, 0]],
        [[1800, 0], [0, 100]],
    ],
    "objects": {
        "countries": {
            "type": "GeometryCollection",
            "geometries": [
                {"type": "Polygon", "arcs": [[0, 1]]},
                {"type": "MultiPolygon", "arcs": [[[-1, 2]], [[3]]]},
            ],
        }
    },
}


def write(path, topology):
    data = json.dumps(topology).encode()
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("package/countries-50m.json")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return path


def test_shared_arcs_are_borders_and_others_coast(tmp_path):
    coast, borders = coast_and_borders(write(tmp_path / "atlas.tgz", TOPOLOGY), 0.01)
    assert borders["features"][0]["geometry"]["coordinates"] == [[[10.0, 0.0], [10.0, 10.0]]]
    lines = coast["features"][0]["geometry"]["coordinates"]
    points = {tuple(point) for line in lines for point in line}
    assert points == {(0, 10), (0, 0), (10, 0), (20, 0), (20, 10)}  # corners: nothing on the border or at 180 degrees


def test_lines_are_simplified(tmp_path):
    topology = json.loads(json.dumps(TOPOLOGY))
    topology["arcs"][0] = [[100, 0], [0, 50], [0, 50]]
    _, borders = coast_and_borders(write(tmp_path / "atlas.tgz", topology), 0.01)
    assert len(borders["features"][0]["geometry"]["coordinates"][0]) == 2


@pytest.mark.parametrize("topology", [{}, {"arcs": []}])
def test_another_file(tmp_path, topology):
    with pytest.raises(DownloadError, match="not the expected Natural Earth package"):
        coast_and_borders(write(tmp_path / "atlas.tgz", topology), 0.01)


def test_no_archive(tmp_path):
    (tmp_path / "atlas.tgz").write_text("hello")
    with pytest.raises(DownloadError, match="not the expected"):
        coast_and_borders(tmp_path / "atlas.tgz", 0.01)
