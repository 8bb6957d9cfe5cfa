import pyarrow.parquet as pq
import pytest

from tests.build import made_up_extracts, made_up_tiles
from tests.sources.parquet.conftest import BUCKET_HOST, INDEX_HOST, RELEASE, publish
from unigeoclip.build.city.extracts.overture_tags import COLUMNS
from unigeoclip.errors import DownloadError, InputError
from unigeoclip.sources.parquet import overture as remote
from unigeoclip.sources.parquet.overture import fetch_overture, plan_overture

BOX = made_up_tiles.bbox(100)


def planned(web, tmp_path, bounds=BOX, word="overture:"):
    return plan_overture(word, COLUMNS, bounds, tmp_path / "cache", web)


def long_row():
    """Houses in a row of 20 km, so that most row groups are elsewhere."""
    row, *_ = made_up_extracts.overture()["building"]
    return [{**row, "geometry": made_up_tiles.box(east, 20, 14, 10)} for east in range(-10_000, 10_000, 20)]


def test_the_size_is_said_before_and_only_the_area_is_read(services, web, tmp_path):
    tables = made_up_extracts.overture()
    publish(services, {**tables, "building": long_row()})
    plan = planned(web, tmp_path)
    (building,) = (file for file in plan.files if file.kind == "building")
    assert len(building.groups) < 10 < 1000 / 20, "of 50 row groups"
    assert plan.release == RELEASE
    assert "2026-07-22.0: building" in plan.lines()[0]
    assert "about 0.1 MB" in plan.lines()[0]
    before = services.sent.total()
    folder = fetch_overture(plan, web)
    read = services.sent.total() - before
    assert plan.bytes == plan.requests == 0, "nothing is missing now"
    assert read < 2 * sum(file.bytes for file in plan.files) + 300_000
    table = pq.read_table(folder / "building.parquet")
    assert 0 < table.num_rows < 100
    assert "id" not in table.column_names, "columns that nobody reads are not fetched"
    assert all(path.startswith((f"/{BUCKET_HOST}/", f"/{INDEX_HOST}/")) for path, _ in services.asked)


def test_what_is_there_is_not_fetched_again(services, web, tmp_path):
    publish(services)
    plan = planned(web, tmp_path)
    fetch_overture(plan, web)
    plan.path("water").unlink()
    asked = services.count()
    again = planned(web, tmp_path)
    assert again.missing == ["water"]
    assert 0 < again.bytes < sum(file.bytes for file in plan.files)
    planning = services.count() - asked
    fetch_overture(again, web)
    assert services.count(f"/{BUCKET_HOST}/release/{RELEASE}/theme=base/type=water") > 0
    assert services.count() - asked - planning <= 6
    assert planned(web, tmp_path).missing == []


def test_a_release_can_be_named(services, web, tmp_path):
    publish(services)
    assert planned(web, tmp_path, word=f"overture:{RELEASE}").release == RELEASE
    assert services.count(f"/{INDEX_HOST}/catalog.json") == 0
    with pytest.raises(DownloadError, match=r"2020-01-01\.0/collections\.parquet does not exist"):
        planned(web, tmp_path, word="overture:2020-01-01.0")


def test_the_index_cannot_lead_elsewhere(services, web, tmp_path):
    publish(services, host="evil.example/x/..")
    fetch_overture(planned(web, tmp_path), web)
    assert services.count("/evil.example") == 0


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("catalog.json", b"{}", "does not say which release is the latest"),
        ("catalog.json", b'{"latest": "../../x"}', "does not say which release is the latest"),
        ("catalog.json", b"<html>", "not JSON"),
        (f"{RELEASE}/collections.parquet", b"PAR1 no", "cannot be read as an index of Overture"),
    ],
)
def test_an_index_that_is_none(services, web, tmp_path, file, content, message):
    publish(services)
    (services.folder / INDEX_HOST / file).write_bytes(content)
    with pytest.raises(DownloadError, match=message):
        planned(web, tmp_path)


def test_a_file_that_is_none(services, web, tmp_path):
    release = publish(services)
    (release / "theme=base" / "type=water" / "part-0.parquet").write_bytes(b"no Parquet" * 1000)
    with pytest.raises(DownloadError, match=r"type=water/part-0\.parquet cannot be read as Parquet"):
        planned(web, tmp_path)


def test_a_failing_bucket(services, web, tmp_path):
    publish(services)
    plan = planned(web, tmp_path)
    begin = f"/{BUCKET_HOST}/release/{RELEASE}/theme=transportation"
    services.faults[begin] = [503, 429]
    fetch_overture(plan, web)
    plan.path("segment").unlink()
    services.faults[begin] = [503] * 20
    with pytest.raises(DownloadError, match="could not be fetched in 5 attempts"):
        fetch_overture(plan, web)
    assert not plan.path("segment").exists()
    assert plan.path("building").is_file(), "what was fetched before stays"
    assert not list(plan.folder.glob(".*"))


def test_boxes_that_cannot_be_used(services, web, tmp_path, monkeypatch):
    publish(services)
    with pytest.raises(InputError, match="wider than the 1 degrees"):
        planned(web, tmp_path, (40.0, -75.0, 45.0, -70.0))
    with pytest.raises(DownloadError, match="lists no file of Overture that touches the --bbox"):
        planned(web, tmp_path, (50.0, 0.0, 50.1, 0.1))
    monkeypatch.setattr(remote, "MOST_FILES", 2)
    with pytest.raises(InputError, match="Choose a smaller one"):
        planned(web, tmp_path)
