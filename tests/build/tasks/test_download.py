"""Bringing tasks to this machine: what is fetched is said first, what fails does not stop the rest."""

import hashlib

import numpy as np
import pytest

from unigeoclip.build.tasks import download as module
from unigeoclip.build.tasks import point_tables
from unigeoclip.errors import DownloadError, InputError
from unigeoclip.files.url_files import UrlFile
from unigeoclip.tasks.catalog import PACKS, load_task, pack_file
from unigeoclip.tasks.sources import SOURCES, FolderSource, Source

LISTINGS = (
    b"latitude,longitude,room_type,price\n42.3,-71.1,Entire home/apt,100\n42.3,-71.0,Private room,10\n"
    b"42.4,-71.1,Entire home/apt,1000\n"
)


@pytest.fixture(autouse=True)
def sources(monkeypatch, tmp_path):
    """Small sources under the names of the real ones; nothing is fetched over a network."""
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    listings = UrlFile("airbnb.csv", ("http://nowhere.invalid/a",), len(LISTINGS), hashlib.sha256(LISTINGS).hexdigest())
    photographs = FolderSource(
        "photographs", ("photos", "."), 10, folder_digest({"chips.csv": CHIPS, "aerial/a.tif": b"A"})
    )
    small = {"boston airbnb": listings, "socal trees": photographs}
    for key, file in small.items():
        monkeypatch.setitem(SOURCES, key, Source(key, file, "CC BY", "somebody", "2023"))

    def fetch_url(file, _folder, _say):
        raise DownloadError(f"{file.filename} could not be fetched.")

    monkeypatch.setattr(module, "fetch_url", fetch_url)
    at_hand = tmp_path / "at hand"
    at_hand.mkdir()
    return at_hand


CHIPS = b"file,city,year,epsg,lat,lon,trees\na.tif,town,2016,26911,34,-117,12\n"


def folder_digest(files):
    return hashlib.sha256(b"".join(files.values())).hexdigest()


def write_photographs(folder, picture=b"A"):
    (folder / "aerial").mkdir(parents=True)
    (folder / "chips.csv").write_bytes(CHIPS)
    (folder / "aerial" / "a.tif").write_bytes(picture)


def test_a_name_stands_for_packs():
    assert module.choose_packs("boston-airbnb-price") == [PACKS["boston-airbnb"]]
    assert module.choose_packs("boston-airbnb") == [PACKS["boston-airbnb"]]
    assert len(module.choose_packs("all")) == len(PACKS)
    with pytest.raises(InputError, match="no task"):
        module.choose_packs("../boston")


def test_a_pack_is_made_of_a_copy_at_hand(sources):
    (sources / "mine.csv").write_bytes(LISTINGS)
    said = []
    assert module.download([PACKS["boston-airbnb"]], said.append, sources) == {}
    assert load_task("boston-airbnb-price").target.tolist() == [2, 3]
    assert "airbnb.csv" in said[0]
    said.clear()
    assert module.download([PACKS["boston-airbnb"]], said.append) == {}
    assert said == []  # it is here


def test_the_size_is_said_before_anything_is_fetched(sources):
    said = []
    failed = module.download([PACKS["boston-airbnb"]], said.append)
    assert list(failed) == ["boston-airbnb"]
    assert "1 sources, 0 MB in all" in said[0]
    assert "CC BY" in said[1]
    assert not pack_file(PACKS["boston-airbnb"]).exists()


def test_what_fails_does_not_stop_the_rest(sources):
    write_photographs(sources / "photos")
    failed = module.download([PACKS["boston-airbnb"], PACKS["socal-trees"]], print, sources)
    assert list(failed) == ["boston-airbnb"]
    assert load_task("socal-trees").target.tolist() == [12]


def test_a_folder_with_other_files_is_refused(sources):
    write_photographs(sources, picture=b"B")
    with pytest.raises(InputError, match="take the pinned set"):
        module.download([PACKS["socal-trees"]], print, sources)


def test_a_folder_without_a_listed_file_is_refused(sources):
    write_photographs(sources)
    (sources / "aerial" / "a.tif").unlink()
    with pytest.raises(InputError, match=r"a\.tif cannot be read"):
        module.download([PACKS["socal-trees"]], print, sources)


def test_a_folder_is_asked_for_where_nobody_serves_one():
    failed = module.download([PACKS["socal-trees"]], print)
    assert "--from" in failed["socal-trees"]


def test_a_maker_must_give_the_tasks_of_its_pack(sources, monkeypatch):
    (sources / "mine.csv").write_bytes(LISTINGS)
    right = point_tables.boston_airbnb

    def wrong(files):
        table = right(files)
        table.targets = {"something": np.zeros(len(table.latlon))}
        return table

    monkeypatch.setattr(point_tables, "boston_airbnb", wrong)
    failed = module.download([PACKS["boston-airbnb"]], print, sources)
    assert "something" in failed["boston-airbnb"]
    assert not pack_file(PACKS["boston-airbnb"]).exists()
