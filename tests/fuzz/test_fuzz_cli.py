"""Command lines of any options and values: exit code 0 or 2, one line of error that is no fault of ours, no traceback.

The commands run in this process; what trains, builds, measures or opens an atlas with its model is a stand-in, so that
what is tried is the reading of options and files, and that every refusal is said.
"""

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from tests.explorable import use_hashed_sentences, write_explorable_atlas
from unigeoclip.cli import main

FILES = [
    "table.csv",
    "empty.csv",
    "noise.bin",
    "photo.png",
    "folder",
    "missing",
    "pipe",
    "no/such/folder.csv",
    "x" * 300,
]
OUTS = [
    "out.parquet",
    "out.tif",
    "out.geojson",
    "out.csv",
    "out.png",
    "out",
    "table.csv",
    "folder",
    "a" * 240 + ".csv",
    "no/x.tif",
]
COMMANDS = [["search"], ["heatmap"], ["embed"], ["evaluate"], ["bench"], ["train"], ["atlases"], ["build", "world"],
            ["build", "city"], ["baselines", "download"], ["build"], ["serve"], []]  # fmt: skip

WORDS = st.one_of(
    st.text(max_size=12),
    st.text(st.characters(codec=None, categories=["Cs", "Cc", "Cf", "So"]), max_size=4),
    st.sampled_from(
        ["", " ", "-1", "--", "nan", "9" * 5000, "x" * 5000, "../..", "%s%n", "\udcff", "text:", "at:95,0"]
    ),
)
NUMBERS = st.one_of(st.integers(-5, 5).map(str), st.integers().map(str), st.floats().map(repr), WORDS)
POINTS = st.one_of(st.tuples(st.floats(-99, 99), st.floats(-999, 999)).map(lambda p: f"{p[0]},{p[1]}"), WORDS)
ITEMS = st.one_of(
    st.tuples(NUMBERS, st.sampled_from(["*text:", "*at:", "*place:", "*view:", "*vec:"]), WORDS).map("".join),
    POINTS.map("at:{}".format), WORDS.map("text:{}".format), WORDS,
)  # fmt: skip
EMBEDDERS = st.one_of(
    st.sampled_from(["unigeoclip", "coordinates", "fourier", "satclip", "unigeoclip-without-1"]), WORDS
)
ATLASES = st.one_of(st.just("TINY"), st.sampled_from(FILES), WORDS)
VALUES = {
    "--atlas": ATLASES, "--text": WORDS, "--latlon": POINTS, "--item": ITEMS, "--image": st.sampled_from(FILES),
    "--modality": st.one_of(st.sampled_from(["aerial", "street", "surface"]), WORDS), "--top": NUMBERS,
    "--out": st.sampled_from(OUTS), "--embedder": EMBEDDERS, "--weights": st.sampled_from(FILES),
    "--csv": st.sampled_from(FILES), "--lat": st.one_of(st.just("lat"), WORDS),
    "--lon": st.one_of(st.just("lon"), WORDS),
    "--config": WORDS, "--split": WORDS, "--seed": NUMBERS, "--steps": NUMBERS, "--baseline": WORDS, "--name": WORDS,
    "--title": WORDS, "--tiles": WORDS, "--bbox": POINTS, "--model": st.sampled_from(FILES), "--elsewhere": ATLASES,
    "--images": st.sampled_from([*FILES, "pictures"]),
    "--surface": st.sampled_from(FILES), "--from": st.sampled_from(FILES),
}  # fmt: skip
FLAGS = ["--json", "--resume", "--quick", "--record", "--ablations", "--unknown", "--skip-unreadable"]
OPTIONS = st.one_of(
    st.sampled_from(sorted(VALUES)).flatmap(lambda name: VALUES[name].map(lambda value: [name, value])),
    st.sampled_from(FLAGS).map(lambda name: [name]),
    WORDS.map(lambda word: [word]),
)
# A command with what it needs, so that the search does not end at the first missing option.
USUAL = {
    ("search",): [["--atlas", "TINY"], ["--text", "sea"]],
    ("heatmap",): [["--atlas", "TINY"], ["--latlon", "1,2"], ["--out", "out.tif"]],
    ("embed",): [["--embedder", "coordinates"], ["--csv", "table.csv"], ["--out", "out.parquet"]],
    ("build", "city"): [["--name", "town"], ["--tiles", "folder"]],
    ("train",): [["--atlas", "TINY"], ["--out", "out"]],
    ("evaluate",): [["--atlas", "TINY"]],
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_explorable_atlas(tmp_path_factory.mktemp("atlases") / "tiny")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a few files, and stand-ins for what takes long or goes to the network."""

    def no_work(*_arguments, **_options):
        return {"splits": {}, "queries": [], "retrieval": {}}

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    use_hashed_sentences(monkeypatch)
    for module, name in (
        ("training", "train"), ("training.baselines", "train_baseline"), ("training.ablations", "ablate"),
        ("build.world.builder", "build_world"), ("evaluation", "evaluate"), ("bench", "run_bench"),
        ("embedders.satclip", "download_satclip"), ("embedders.geoclip_images", "download_geoclip_images"),
    ):  # fmt: skip
        __import__(f"unigeoclip.{module}")
        monkeypatch.setattr(f"unigeoclip.{module}.{name}", no_work)
    monkeypatch.setattr("unigeoclip.build.city.builder.build_city", _tiles_only)
    (tmp_path / "table.csv").write_text("lat,lon,name\n1,2,a\n3,4,b\n")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)))
    (tmp_path / "folder").mkdir()
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (20, 20), "green").save(tmp_path / "pictures" / "a.png")
    os.mkfifo(tmp_path / "pictures" / "pipe.png")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def _tiles_only(name, source, out, *, bbox, **_options):
    """The checks of `build_city` that come before the work."""
    from unigeoclip.build.city import builder, tile_sources

    builder._check_name(name)
    if "://" not in source:
        tile_sources.open_tiles(source, bbox, None, lambda _text, _share: None)
    raise builder.InputError("Enough.")


def run(argv, capsys):
    try:
        code = main.main(argv)
    except SystemExit as stopped:
        code = stopped.code
    printed = capsys.readouterr()
    assert code in (0, 2), argv
    errors = [line for line in printed.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == (code == 2), printed.err
    assert "Traceback" not in printed.err
    assert "fault of unigeoclip" not in printed.err, argv
    return code


@given(command=st.sampled_from(COMMANDS), usual=st.booleans(), options=st.lists(OPTIONS, max_size=6))
@example(command=["search"], usual=True, options=[["--top", "3"]])
@example(command=["embed"], usual=True, options=[])
@example(
    command=["embed"],
    usual=False,
    options=[["--atlas", "TINY"], ["--csv", "table.csv"], ["--text", "name"], ["--out", "out.parquet"]],
)
@example(
    command=["embed"],
    usual=False,
    options=[["--atlas", "TINY"], ["--images", "pictures"], ["--modality", "aerial"], ["--out", "out.parquet"]],
)
@example(command=["heatmap"], usual=True, options=[])
@example(command=["embed"], usual=False, options=[["--embedder", "satclip"], ["--weights", "empty.csv"],
                                                  ["--csv", "table.csv"], ["--out", "out.parquet"]])  # fmt: skip
def test_any_command_line(tiny, here, capsys, command, usual, options):
    given_names = {option[0] for option in options}
    needed = [option for option in USUAL.get(tuple(command), []) if usual and option[0] not in given_names]
    words = [word for option in (*needed, *options) for word in option]
    before = (here / "table.csv").read_bytes()
    run([*command, *(str(tiny) if word == "TINY" else word.replace("\0", "") for word in words)], capsys)
    if command != ["search"]:  # which may write results over an older file of results
        assert (here / "table.csv").read_bytes() == before


@given(item=ITEMS)
@example(item="--")
def test_any_item(tiny, here, capsys, item):
    item = item.replace("\0", "")
    run(["search", "--atlas", str(tiny), "--top", "1", "--item", item, "--json"], capsys)
