"""What the command line says when something is wrong."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.test_other_commands import stand_in
from unigeoclip.cli.main import main
from unigeoclip.errors import InputError

pytestmark = pytest.mark.usefixtures("surroundings")


# Failures


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (ZeroDivisionError("by nothing"), "fault of unigeoclip, not of yours (ZeroDivisionError: by nothing). Please"),
        (
            OSError(28, "No space left on device", "/full/a.tif"),
            "/full/a.tif: No space left on device; free some space",
        ),
        (PermissionError(13, "Permission denied", "a.tif"), "a.tif: Permission denied; change its permissions"),
        (OSError("a library's words"), "a library's words; check that it is there"),
        (MemoryError(), "not enough memory"),
        (RecursionError("maximum"), "nested too deeply"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "save it as UTF-8"),
        (UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range"), "PYTHONIOENCODING"),
        (InputError("two\nlines\x1b[31m and " + "x" * 5000), "error: two lines\\x1b[31m and xxx"),
    ],
)
def test_every_failure_is_one_line(refused, monkeypatch, failure, words):
    def run_bench(atlas, *, quick):
        raise failure

    stand_in(monkeypatch, "unigeoclip.bench", "run_bench", run_bench)
    line = refused("bench")
    assert words in line
    assert len(line) < 1600


def test_tracebacks_are_for_those_who_ask(monkeypatch, capsys):
    def run_bench(atlas, *, quick):
        raise ZeroDivisionError

    stand_in(monkeypatch, "unigeoclip.bench", "run_bench", run_bench)
    monkeypatch.setenv("UNIGEOCLIP_DEBUG", "1")
    assert main(["bench"]) == 2
    printed = capsys.readouterr().err
    assert "Traceback" in printed
    assert printed.splitlines()[-1].startswith("error: ")


def test_a_person_may_stop_it(monkeypatch, capsys):
    def run_bench(atlas, *, quick):
        raise KeyboardInterrupt

    stand_in(monkeypatch, "unigeoclip.bench", "run_bench", run_bench)
    assert main(["bench"]) == 130
    assert capsys.readouterr().err == "stopped\n"


def run_child(*arguments, stdout=subprocess.PIPE, **environment):
    command = [sys.executable, "-m", "unigeoclip", *arguments]
    done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, env=os.environ | environment, check=False)
    return done.returncode, done.stderr.decode()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [("atlases", "--json"), ("--help",)])
def test_output_that_is_full_is_one_line(arguments):
    with Path("/dev/full").open("w") as full:
        code, error = run_child(*arguments, stdout=full)
    assert code == 2
    assert error.splitlines() == ["error: the output cannot be written: No space left on device; free some space, or "
                                  "write elsewhere."]  # fmt: skip


def test_output_in_ascii_stays_json(folder, tmp_path, monkeypatch):
    """A terminal without Unicode gets escapes that JSON knows, not an error and not other text."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    assert main(["search", "--atlas", str(folder), "--text", "café ☃", "--top", "1", "--json"]) == 0
    assert json.loads(stream.buffer.getvalue())["query"]["value"] == "café ☃"
    assert main(["search", "--atlas", str(folder), "--item", "text:café", "--top", "1"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "--text", "\udcff"],
        ["search", "--item", "text:\udcff"],
        ["search", "--latlon", "1,\udcff"],
        ["embed", "--csv", "a.csv", "--lat", "\udcff", "--out", "a.parquet"],
        ["train", "--config", "\udcff"],
        ["build", "city", "--name", "\udcff", "--tiles", "t"],
    ],
)
def test_words_that_are_not_utf8(refused, folder, arguments):
    assert "is not UTF-8" in refused(*arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--seed", "-1"], "must be 0 or more"),
        (["train", "--seed", str(2**70)], "must be 4,294,967,295 or less"),
        (["train", "--seed", "9" * 5000], "invalid number"),
        (["build", "city", "--name", "a", "--tiles", "t", "--seed", "-1"], "must be 0 or more"),
        (["train", "--steps", "99999999999"], "must be 10,000,000 or less"),
        (["search", "--text", "a", "--top", "1000000000"], "must be 100,000 or less"),
        (["search", "--text", "a", "--text", "b"], "given more than once"),
        (["search", "--item", "--"], "--item needs a value"),
        (["search", "--text=--"], "--text needs a value"),
        (["train", "--atlas", "world", "--atlas", "boston"], "given more than once"),
        (["search", "--text", "a", "--atlas", "x" * 5000], "xxx…xxx"),
    ],
)
def test_values_out_of_range(refused, arguments, words):
    assert words in refused(*arguments)


def test_places_that_cannot_be_written_are_refused_before_the_work(refused, folder, tmp_path, monkeypatch):
    def train(*_arguments, **_options):
        pytest.fail("the work was begun")

    for module, name in (
        ("training", "train"),
        ("build.world.builder", "build_world"),
        ("build.city.builder", "build_city"),
    ):
        monkeypatch.setattr(f"unigeoclip.{module}.{name}", train)
    file = tmp_path / "file"
    file.write_text("mine")
    city = ["build", "city", "--name", "a", "--tiles", "t"]
    for command in (["train", "--atlas", folder], ["build", "world"], city):
        assert "file is there and is none" in refused(*command, "--out", file)
        assert "file is there and is none" in refused(*command, "--out", file / "below" / "it")
        assert "at most 255 bytes" in refused(*command, "--out", tmp_path / ("é" * 200))
    for command in (["search", "--latlon", "1,2"], ["heatmap", "--latlon", "1,2"]):
        (tmp_path / "folder.geojson").mkdir(exist_ok=True)
        assert "it is a folder" in refused(*command, "--atlas", folder, "--out", tmp_path / "folder.geojson")
        name = "x" * 250 + ".geojson"
        assert "at most 255 bytes" in refused(*command, "--atlas", folder, "--out", tmp_path / name)
    assert file.read_text() == "mine"


def test_a_picture_that_is_asked_with_is_not_overwritten(refused, folder, tmp_path):
    picture = tmp_path / "photo.png"
    Image.new("RGB", (60, 60)).save(picture)
    before = picture.read_bytes()
    (tmp_path / "link.png").hardlink_to(picture)
    for out in (picture, tmp_path / "link.png"):
        options = ["--image", picture, "--modality", "aerial", "--out", out]
        assert "would overwrite it" in refused("heatmap", "--atlas", folder, *options)
    assert picture.read_bytes() == before


@pytest.mark.parametrize("option", ["--image", "--csv"])
def test_devices_and_pipes_are_not_read(refused, folder, tmp_path, option):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", tmp_path / "pipe", tmp_path):
        if option == "--image":
            line = refused("search", "--atlas", folder, "--image", path, "--modality", "aerial")
        else:
            line = refused("embed", "--embedder", "coordinates", "--csv", path, "--out", tmp_path / "o.parquet")
        assert "no regular file" in line


def test_a_table_does_not_overwrite_itself(refused, tmp_path):
    table = tmp_path / "x.csv"
    table.write_text("lat,lon\n1,2\n")
    (tmp_path / "link.parquet").symlink_to(table)
    (tmp_path / "hard.parquet").hardlink_to(table)
    (tmp_path / "notes.parquet").write_text("mine")
    embed = ["embed", "--embedder", "coordinates", "--csv", table, "--out"]
    assert "ends in .parquet" in refused(*embed, table)
    for name in ("link.parquet", "hard.parquet"):
        assert "is the table itself" in refused(*embed, tmp_path / name)
    assert "is no parquet file" in refused(*embed, tmp_path / "notes.parquet")
    assert table.read_text() == "lat,lon\n1,2\n"
    assert (tmp_path / "notes.parquet").read_text() == "mine"


def test_checkpoints_that_are_empty(refused, tmp_path):
    (tmp_path / "empty.ckpt").touch()
    (tmp_path / "x.csv").write_text("lat,lon\n1,2\n")
    options = ["--weights", tmp_path / "empty.ckpt", "--csv", tmp_path / "x.csv", "--out", tmp_path / "o.parquet"]
    assert "empty.ckpt is no checkpoint" in refused("embed", "--embedder", "satclip", *options)


@pytest.mark.parametrize(
    "content",
    ["[" * 100_000, '{"format": ' + "9" * 5000 + "}", '{"format": 1', "\udcff"],
    ids=["[", "9", "cut", "bytes"],
)
def test_manifests_that_are_damaged(refused, tmp_path, content):
    (tmp_path / "atlas.json").write_bytes(content.encode(errors="surrogateescape"))
    assert "fault of unigeoclip" not in refused("search", "--atlas", tmp_path, "--text", "a")


def test_a_reader_that_has_seen_enough_is_no_error():
    """As in ``... --json | head``: the pipe is closed before everything is printed."""
    child = subprocess.Popen(
        [sys.executable, "-m", "unigeoclip", "atlases", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    child.stdout.close()
    assert child.stderr.read() == b""
    assert child.wait() == 0
