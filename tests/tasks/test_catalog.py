"""The table of tasks: complete, without a word on race, true about what encoders have seen."""

import re
from importlib import import_module

import numpy as np
import pytest

from unigeoclip.errors import InputError
from unigeoclip.tasks import boston_tasks, us_tasks
from unigeoclip.tasks.catalog import (
    PACKS,
    TASKS,
    available_tasks,
    find_task,
    is_available,
    load_pictures,
    load_task,
    pack_file,
    seen_in_training,
)
from unigeoclip.tasks.sources import SOURCES, FolderSource
from unigeoclip.tasks.stored import PackTable, write_pack


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    return tmp_path


def keep(pack_name, **targets):
    pack = PACKS[pack_name]
    pack_file(pack).parent.mkdir(parents=True, exist_ok=True)
    n = len(next(iter(targets.values())))
    latlon = np.stack([np.linspace(42, 43, n), np.full(n, -71.0)], axis=1)
    table = PackTable(latlon, {name.replace("_", "-"): values for name, values in targets.items()})
    write_pack(pack_file(pack), table, {"version": pack.version})


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_a_task_says_everything(task):
    assert task.n > 100
    assert task.title
    assert task.what[0].isupper()
    assert task.reading.endswith(".")
    assert task.pack is PACKS[task.pack.name]
    assert task.splits
    assert (task.kind == "classification") == (task.unit == "")
    for leak in task.leaks:
        assert leak.why.endswith(".")
    if task.sources:
        assert task.license
        assert task.attribution
    else:
        assert task.pack.atlas


@pytest.mark.parametrize("pack", PACKS.values(), ids=lambda pack: pack.name)
def test_a_pack_has_a_maker_and_known_sources(pack):
    module, _, function = pack.maker.partition(".")
    assert callable(getattr(import_module(f"unigeoclip.build.tasks.{module}"), function))
    assert set(pack.sources) <= set(SOURCES)
    assert [task for task in TASKS.values() if task.pack is pack]


@pytest.mark.parametrize("key", SOURCES)
def test_a_source_is_pinned(key):
    source = SOURCES[key]
    assert source.size_bytes > 1000
    assert source.license
    assert source.attribution
    if not isinstance(source.file, FolderSource):
        assert re.match(r"https://|pkg:(pypi|npm)/", source.url)
    assert re.fullmatch(r"[0-9a-f]{64}", source.sha256 or "0" * 64)
    if source.reached:
        assert source.sha256


def test_no_task_is_about_race():
    text = " ".join(
        f"{task.name} {task.title} {task.what} {task.reading}"
        for task in TASKS.values()
        if task.name != "world-country"
    ).lower()
    assert not re.search(r"\b(race|racial|ethnic|black|white|hispanic|nationality)", text)
    assert not {"B", "BB"} & set(boston_tasks.TRACT_COLUMNS)


def test_there_are_the_tasks_that_the_field_asks_for():
    by_scope = {scope: [task for task in TASKS.values() if task.scope == scope] for scope in ("world", "us", "boston")}
    assert len(by_scope["us"]) == len(us_tasks.COUNTY_COLUMNS) + 1 == 24
    assert len([name for name in TASKS if name.startswith("country-")]) >= 7
    assert len(by_scope["boston"]) >= 18


def test_a_task_is_loaded_once_it_is_here():
    assert available_tasks() == []
    with pytest.raises(InputError, match="unigeoclip tasks download boston-tracts"):
        load_task("boston-income")
    keep("boston-tracts", boston_income=np.array([1.0, np.nan, 3.0]))
    table = load_task("boston-income")
    assert table.target.tolist() == [1.0, 3.0]
    assert (table.name, table.kind, table.unit) == ("boston-income", "regression", "log10 US$")
    assert is_available(TASKS["boston-degrees"])
    assert "boston-income" in {task.name for task in available_tasks("boston")}
    assert available_tasks("world") == []


def test_a_damaged_pack_says_how_to_make_it_again():
    keep("boston-tracts", boston_income=np.array([1.0, 2.0]))
    pack_file(PACKS["boston-tracts"]).write_bytes(b"PAR1")
    with pytest.raises(InputError, match="Make it again: unigeoclip tasks download boston-tracts"):
        load_task("boston-income")


def test_an_unknown_task_is_refused():
    with pytest.raises(InputError, match="boston-income"):
        find_task("boston-incom")
    with pytest.raises(InputError, match="no task"):
        load_task("")


def test_positions_have_no_pictures():
    with pytest.raises(InputError, match="not pictures"):
        load_pictures("boston-income")


def test_what_was_seen_in_training():
    def seen(task, encoder, atlas):
        return seen_in_training(TASKS[task], encoder, atlas) is not None

    # Ours learned from all modalities of their atlas.
    assert seen("world-climate", "unigeoclip", "world")
    assert seen("world-climate", "ensemble", "world")
    assert seen("world-elevation", "geoclip+unigeoclip", "world")
    assert not seen("world-climate", "unigeoclip", "boston")
    assert not seen("world-climate", "geoclip", "world")
    # Baselines retrained on pictures saw no caption.
    assert not seen("world-climate", "satclip-retrained", "world")
    assert seen("world-land-cover", "satclip-retrained-city", "world")
    assert seen("boston-building-density", "geoclip-retrained", "boston")
    assert not seen("boston-transit-distance", "geoclip-retrained", "boston")
    # What no modality shows.
    for task in ("boston-income", "boston1970-house-value", "us-obesity", "world-night-lights", "country-fertility"):
        assert not seen(task, "ensemble", "boston")
        assert not seen(task, "ensemble", "world")
