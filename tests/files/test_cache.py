"""The cache folder: everything in it is checked when it is read, and it does not outgrow its budget."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio

from tests.build.made_up_city import GRID
from unigeoclip.atlas import schema
from unigeoclip.city import raster_storage
from unigeoclip.compare.regions import Region, embed_region
from unigeoclip.errors import InputError
from unigeoclip.files import cache
from unigeoclip.files.cache import cache_array, cache_json, cached_array, cached_json, hold, is_sound, prune
from unigeoclip.similarity.grid import Grid

ARRAY = np.arange(600, dtype=np.float32).reshape(20, 30)
DAMAGES = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"0"),
    "one byte": lambda path: flip(path),
    "directory": lambda path: (path.unlink(), path.mkdir()),
    "no checksum": lambda path: seal(path).unlink(),
    "checksum cut": lambda path: seal(path).write_text("abc"),
    "checksum no text": lambda path: seal(path).write_bytes(b"\xff\xfe"),
    "checksum a directory": lambda path: (seal(path).unlink(), seal(path).mkdir()),
    "checksum empty": lambda path: seal(path).write_bytes(b""),
}


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_state", cache._State())
    return tmp_path / "cache"


def seal(path):
    return path.with_name(path.name + ".sha256")


def flip(path):
    """Flip a byte in the middle and hide it: size and time of change stay."""
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def used(path, seconds_ago):
    moment = path.stat().st_mtime - seconds_ago
    os.utime(seal(path), (moment, moment))


def size_of(folder):
    return sum(max(path.stat().st_size, path.stat().st_blocks * 512) for path in folder.rglob("*") if path.is_file())


def test_arrays_and_json_come_back(root):
    assert cache_array(root / "a" / "x.npy", ARRAY)
    np.testing.assert_array_equal(cached_array(root / "a" / "x.npy", ARRAY.shape, ARRAY.dtype), ARRAY)
    assert cache_json(root / "x.json", {"one": [1, None]})
    assert cached_json(root / "x.json") == {"one": [1, None]}
    assert cached_array(root / "none.npy", (1,), "f4") is None


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("opened_before", [True, False])
def test_any_damage_is_seen_and_mended(root, caplog, damage, opened_before, monkeypatch):
    path = root / "x.npy"
    cache_array(path, ARRAY)
    if not opened_before:
        monkeypatch.setattr(cache, "_state", cache._State())
    DAMAGES[damage](path)
    assert cached_array(path, ARRAY.shape, ARRAY.dtype) is None or "checksum" in damage, damage
    if opened_before and "checksum" in damage:
        return  # the file itself is good, and this process knows it
    assert "x.npy is damaged" in caplog.text
    assert "(None)" not in caplog.text
    assert cache_array(path, ARRAY)
    np.testing.assert_array_equal(cached_array(path, ARRAY.shape, ARRAY.dtype), ARRAY)
    assert {each.name for each in root.iterdir()} == {"x.npy", "x.npy.sha256"}


def test_another_shape_or_type_is_computed_again(root, caplog):
    cache_array(root / "x.npy", ARRAY)
    assert cached_array(root / "x.npy", (20, 31), np.float32) is None
    assert cached_array(root / "x.npy", ARRAY.shape, np.float16) is None
    assert "float32 (20, 30), not float16 (20, 30)" in caplog.text
    cache_json(root / "y.npy", [1])
    assert cached_array(root / "y.npy", ARRAY.shape, np.float32) is None
    assert cached_json(root / "x.npy") is None


def test_a_file_that_may_not_be_read_is_computed_again(root, caplog, monkeypatch):
    cache_array(root / "x.npy", ARRAY)
    monkeypatch.setattr(cache, "_state", cache._State())

    def refused(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(cache, "sha256_of", refused)
    assert cached_array(root / "x.npy", ARRAY.shape, np.float32) is None
    assert "Permission denied" in caplog.text


def test_a_file_is_hashed_once_in_a_process(root, monkeypatch):
    cache_array(root / "x.npy", ARRAY)
    monkeypatch.setattr(cache, "sha256_of", lambda path: pytest.fail(f"{path} was hashed again"))
    assert is_sound(root / "x.npy")


@pytest.mark.parametrize("at", ["data", "checksum"])
def test_a_full_disk_leaves_nothing_and_says_why(root, caplog, monkeypatch, at):
    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    where, name = (np.lib.format, "write_array_header_1_0") if at == "data" else (Path, "write_bytes")
    monkeypatch.setattr(where, name, full)
    assert not cache_array(root / "x.npy", ARRAY)
    assert "No space left on device. It will be computed again at the next start." in caplog.text
    assert list(root.iterdir()) == []


def test_a_directory_with_something_in_it_is_left_alone(root, caplog):
    (root / "x.npy").mkdir(parents=True)
    (root / "x.npy" / "thesis.txt").write_text("mine")
    assert not cache_array(root / "x.npy", ARRAY)
    assert "x.npy cannot be written: Directory not empty" in caplog.text
    assert [path.name for path in root.rglob("*")] == ["x.npy", "thesis.txt"]


# The budget


class Small:
    """An embedder that costs nothing."""

    name, title, dim = "small", "Small", 64
    provenance = SimpleNamespace(source="a test")

    def embed(self, latlon):
        return np.full((len(latlon), self.dim), self.dim**-0.5, np.float32)


def test_a_thousand_regions_stay_within_the_budget(root, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE_BUDGET_MB", "3")
    largest = 0
    for number in range(1000):
        region = Region("box", Grid((0.0, 0.0, 1.0, 1.0 + number / 1000), np.ones((10, 20), bool)))
        embed_region(Small(), region)
        if number % 25 == 0:
            largest = max(largest, size_of(root))
    assert 1_500_000 < largest <= 3_000_000
    assert embed_region(Small(), region).kept.is_file()


def test_what_was_not_used_for_longest_goes_first(root, monkeypatch):
    paths = [root / "compare" / f"{number}.npy" for number in range(8)]
    for age, path in enumerate(paths):
        cache_array(path, np.zeros(50_000, np.float32))
        used(path, 1000 - age)
    assert is_sound(paths[0])  # used just now
    monkeypatch.setenv("UNIGEOCLIP_CACHE_BUDGET_MB", "1")
    prune()
    assert [path.stem for path in paths if path.exists()] == ["0", "5", "6", "7"]
    assert [path.exists() for path in paths] == [seal(path).exists() for path in paths]


def test_folders_of_earlier_checkpoints_and_versions_go_too(root, monkeypatch):
    old = root / "boston-350ba6b4-a53ab5d78752" / "places_text.npy"
    drawn = root / "boston-2b535358d522-drawn1" / "land.tif"
    mine = [root / "notes.npy", root / "thesis" / "grid.npy", root / "downloads" / "a.whl", root / "tiles" / "1.pbf"]
    for path in (old, drawn, *mine):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(1_500_000))
    monkeypatch.setenv("UNIGEOCLIP_CACHE_BUDGET_MB", "1")
    prune()
    assert not old.parent.exists()
    assert not drawn.parent.exists()
    assert all(path.exists() for path in mine), "nothing but what the cache has written is removed"


def test_what_is_in_use_stays(root, monkeypatch, caplog):
    mapped, held, free = (root / "compare" / f"{name}.npy" for name in ("mapped", "held", "free"))
    for path in (mapped, held, free):
        cache_array(path, np.zeros(300_000, np.float32))
    array = cached_array(mapped, (300_000,), np.float32)
    hold(held)
    monkeypatch.setenv("UNIGEOCLIP_CACHE_BUDGET_MB", "1")
    prune()
    assert [path.exists() for path in (mapped, held, free)] == [True, True, False]
    assert "all of it is in use" in caplog.text
    del array
    prune()
    assert [path.exists() for path in (mapped, held)] == [False, True]


HOLDER = """
import sys
from pathlib import Path
from unigeoclip.files.cache import hold
hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_what_another_process_holds_stays(root, monkeypatch):
    path = root / "boston-drawn" / "land.tif"
    cache_array(path, np.zeros(300_000, np.float32))
    monkeypatch.setenv("UNIGEOCLIP_CACHE_BUDGET_MB", "1")
    command = [sys.executable, "-c", HOLDER, str(path)]
    environment = os.environ | {"PYTHONPATH": str(Path(cache.__file__).parents[2]), "UNIGEOCLIP_CACHE_BUDGET_MB": "100"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as other:
        assert other.stdout.readline() == "held\n"
        prune()
        assert path.exists()
        other.stdin.close()
    prune()
    assert not path.exists()


def test_leftovers_of_ended_processes_are_removed_at_the_start(root, tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (root / "compare").mkdir(parents=True)
    (root / "downloads" / f".fetching-{ended.pid}-abc").mkdir(parents=True)
    gone = [root / f".{'0' * 16}.{ended.pid}.3.tmp", root / "compare" / f".land.{ended.pid}.tmp.tif"]
    stay = [root / f".{'0' * 16}.{os.getpid()}.3.tmp", root / "compare" / "mine.tmp"]
    for path in (*gone, *stay, root / "downloads" / f".fetching-{ended.pid}-abc" / "half.whl"):
        path.write_bytes(b"half")
    assert cached_array(root / "x.npy", (1,), "f4") is None  # the first use of the cache in this process
    assert [path.exists() for path in (*gone, *stay)] == [False, False, True, True]
    assert list((root / "downloads").iterdir()) == []


@pytest.mark.parametrize("value", ["0", "-1", "2 GB", "1e3", "²", "9" * 5000])
def test_a_budget_that_is_no_number(root, monkeypatch, value):
    monkeypatch.setenv("UNIGEOCLIP_CACHE_BUDGET_MB", value)
    with pytest.raises(InputError, match="UNIGEOCLIP_CACHE_BUDGET_MB is"):
        cache_json(root / "x.json", 1)


# Drawn rasters


@pytest.fixture
def city(tmp_path):
    folder = tmp_path / "city"
    folder.mkdir()
    bare, buildings, roof = (np.zeros(GRID.shape, np.uint8) for _ in range(3))
    buildings[100:140, 100:140], roof[100:140, 100:140] = 1, 12
    raster_storage.write_city(folder / schema.CITY, GRID, bare, buildings, roof)
    return raster_storage.StoredCity(folder / schema.CITY, "made-up-" + "0" * 12)


@pytest.fixture(autouse=True)
def nothing_in_memory(monkeypatch):
    monkeypatch.setattr(raster_storage, "_in_memory", {})


def pixels(path):
    with rasterio.open(path) as dataset:
        return dataset.read(), dataset.read(out_shape=(1, 20, 20))  # the second from an overview


@pytest.mark.parametrize("name", ["land", "surface"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_drawn_raster_is_drawn_again(city, name, damage, monkeypatch):
    good = pixels(city.drawn_raster(name))
    path = city.drawn_raster(name)
    monkeypatch.setattr(cache, "_state", cache._State())  # another start
    DAMAGES[damage](path)
    again = city.drawn_raster(name)
    assert again == path
    for one, other in zip(good, pixels(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_drawn_raster_is_not_drawn_twice(city, monkeypatch):
    city.drawn_raster("land")
    monkeypatch.setattr(cache, "_state", cache._State())
    monkeypatch.setattr(raster_storage, "raise_city", lambda *_: pytest.fail("drawn again"))
    city.drawn_raster("land")
    city.drawn_raster("surface")


def test_a_city_opens_where_the_cache_cannot_be_written(city, root, caplog, monkeypatch):
    good = pixels(city.drawn_raster("surface"))
    root.parent.joinpath("file").write_text("no folder")
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(root.parent / "file"))
    path = city.drawn_raster("surface")
    for one, other in zip(good, pixels(path), strict=True):
        np.testing.assert_array_equal(one, other)
    assert city.drawn_raster("surface") == path
    assert pixels(city.drawn_raster("land"))[0].shape == good[0].shape
    assert "cannot be written: Not a directory" in caplog.text


def test_seals_can_be_checked_by_hand(root):
    cache_json(root / "x.json", {"a": 1})
    checksum, size = seal(root / "x.json").read_text().split()
    assert len(checksum) == 64
    assert int(size) == len(json.dumps({"a": 1}))
