"""The check of recorded answers, on items that are made."""

import json

import pytest

from tests import recordings
from tests.sources.local_services import BLOB, stac_item
from unigeoclip.sources.web import MIRROR

BOUNDS = (42.30, -71.10, 42.34, -71.05)


@pytest.fixture
def read(tmp_path, monkeypatch, capsys):
    """Read a recording of one item, with this said of it; returns the exit status and what was printed."""
    monkeypatch.setenv(MIRROR, "")  # so that it is put back

    def go(**said):
        item = stac_item("naip", "m_1", BOUNDS, f"https://{BLOB}/naip/m_1.tif") | said
        (tmp_path / "naip.json").write_text(json.dumps([item]), encoding="utf-8")
        return recordings.main([str(tmp_path)]), capsys.readouterr().out

    return go


def test_an_item_that_is_understood(read):
    assert read() == (0, "1 items of naip: 2023, EPSG:26919, public domain\n")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"assets": {"photo": {"href": f"https://{BLOB}/naip/m_1.tif", "type": "image/tiff"}}}, "have no GeoTIFF"),
        ({"geometry": None}, "FAILED"),
        ({"collection": "unheard-of"}, "unheard-of is none of naip"),
        ({"properties": {"datetime": "2023-08-01T16:00:00Z", "proj:epsg": 26919}}, "naip has no {'"),
    ],
)
def test_what_is_not_understood_fails(read, said, why):
    status, printed = read(**said)
    assert status == 1
    assert "naip.json FAILED" in printed
    assert why in printed


def test_a_folder_without_recordings(tmp_path, capsys):
    with pytest.raises(SystemExit):
        recordings.main([str(tmp_path)])
    assert "no JSON file is there" in capsys.readouterr().err
