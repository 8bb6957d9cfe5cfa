"""Damage every file of a warm cache in turn, kill trainings and builds: what breaks, lies, gets lost or stays behind?

    python -m tests.attacks.kills [--kills 6] [--shipped --warm FOLDER]

works on made-up atlases in a temporary folder, and prints counts as JSON. With ``--shipped`` it damages a copy of the
cache of the shipped atlases instead, each file once, the kinds of damage taking turns: that takes some minutes.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from unittest import mock

import numpy as np

from tests.explorable import HashedSentences, write_explorable_atlas, write_explorable_city
from unigeoclip.city import raster_storage
from unigeoclip.files import cache
from unigeoclip.files.atomic import owner_of_temporary
from unigeoclip.modalities import text
from unigeoclip.search.explorer import Explorer
from unigeoclip.search.query_items import QueryItem

KINDS = ("cut", "empty", "flip", "directory")
TRAINING = """
import sys
from pathlib import Path
from dataclasses import replace
from tests.explorable import CONFIG, HashedSentences
from unigeoclip.atlas import load_atlas
from unigeoclip.modalities import text
from unigeoclip.training import TrainConfig, loop, train
text.sentence_encoder = loop.sentence_encoder = HashedSentences
config = TrainConfig(model=CONFIG, steps=40, batch=16, evaluate_every=20, checkpoint_every=5)
print("begins", flush=True)
train(load_atlas(sys.argv[1]), config, Path(sys.argv[2]), resume=(Path(sys.argv[2]) / "run.json").exists())
"""
BUILD = """
import sys
from pathlib import Path
from tests.explorable import write_explorable_city
print("begins", flush=True)
write_explorable_city(Path(sys.argv[1]), model=False)
"""


class Counts(dict):
    """What is reported."""

    def __init__(self) -> None:
        super().__init__(
            damages=0, kills=0, mended=0, tracebacks=0, silent_wrong_answers=0, lost_files=0, leftovers=0, details=[]
        )

    def note(self, what: str, detail: str) -> None:
        self[what] += 1
        self["details"].append(f"{what}: {detail}")


def damage(path: Path, kind: str) -> None:
    data = bytearray(path.read_bytes())
    status = path.stat()
    if kind == "directory":
        path.unlink()
        path.mkdir()
        return
    if kind == "flip":
        data[len(data) * 2 // 3] ^= 1
    path.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "flip": data}[kind])
    if kind == "flip":  # as a failing disk would: size and time stay
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def another_start() -> None:
    """Forget what this process knows of the cache, as a new one would."""
    cache._state = cache._State()
    raster_storage._in_memory.clear()


def answer(atlas: Path | str, point: tuple[float, float]) -> str:
    """Open an atlas and ask it once: a checksum of the heatmap, the matches and the drawn rasters."""
    explorer = Explorer.open(atlas)
    query = explorer.query([QueryItem("location", point)])
    digest = hashlib.sha256(np.round(explorer.heatmap(query).values, 4).tobytes())
    for matches in explorer.search(query, 5).values():
        digest.update(repr([(match.place_id, round(match.similarity, 4)) for match in matches]).encode())
    for name in ("land", "surface"):
        if name == "land" or name in explorer.atlas.manifest.modalities:
            south, west, north, east = explorer.atlas.manifest.bounds
            lats, lons = np.linspace(north, south, 200), np.linspace(west, east, 200)
            digest.update(explorer.atlas.raster(name).values_on_grid(lats, lons).tobytes())
    return digest.hexdigest()


def damage_all(root: Path, atlases: dict, counts: Counts, *, every_kind: bool) -> None:
    """Damage each file of a warm cache, open what it belongs to, and compare the answer with the good one."""
    good = {name: answer(*asked) for name, asked in atlases.items()}
    pristine = root.with_name(root.name + "-pristine")
    shutil.copytree(root, pristine)
    files = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    for number, file in enumerate(files):
        # Of a file of a checksum one kind is enough: it is compared as a whole.
        all_kinds = every_kind and file.suffix != ".sha256"
        for kind in KINDS if all_kinds else [KINDS[number % len(KINDS)]]:
            shutil.rmtree(root)
            shutil.copytree(pristine, root)
            damage(root / file, kind)
            another_start()
            counts["damages"] += 1
            of = [name for name in atlases if str(file).startswith(name)] or list(atlases)
            for name in of:
                try:
                    same = answer(*atlases[name]) == good[name]
                except Exception:  # every one is a finding
                    counts.note("tracebacks", f"{file} {kind}: {traceback.format_exc(limit=-1)}")
                    continue
                if not same:
                    counts.note("silent_wrong_answers", f"{file} {kind}")
            another_start()
            there = {path.relative_to(root) for path in root.rglob("*") if path.is_file()}
            for path in sorted(set(files) - there):
                counts.note("lost_files", f"{file} {kind}: {path}")
            for path in sorted(there - set(files)):
                counts.note("leftovers", f"{file} {kind}: {path}")
            counts["mended"] += not file.name.endswith(".sha256") and cache.is_sound(root / file)


def killed(code: str, arguments: list[str], after_s: float | None) -> tuple[int, str]:
    """Run Python code, killed so many seconds after it begins; its exit code and what it said."""
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        if after_s is not None:
            time.sleep(after_s)
            process.kill()
        _, said = process.communicate(timeout=300)
        return process.returncode, said


def kill_runs(folder: Path, atlas: Path, times: int, counts: Counts) -> None:
    """Kill a training and a build at random moments, then let them finish."""
    draw = random.Random(0)
    killed(TRAINING, [str(atlas), str(folder / "whole")], None)
    jobs = ((TRAINING, [str(atlas), str(folder / "run")]), (BUILD, [str(folder / "killed-city")]))
    for code, arguments in jobs:
        for number in range(times + 1):
            after_s = draw.uniform(0.0, 3.0) if number < times else None
            status, said = killed(code, arguments, after_s)
            counts["kills"] += status == -9
            if status not in (0, -9):
                counts.note("tracebacks", said.strip().splitlines()[-1] if said.strip() else f"exit code {status}")
    for one in sorted(path for path in (folder / "whole" / "model").iterdir() if path.name != "metrics.json"):
        other = folder / "run" / "model" / one.name
        if not other.is_file():
            counts.note("lost_files", str(other))
        elif other.read_bytes() != one.read_bytes():
            counts.note("silent_wrong_answers", f"{other} differs from that of an unbroken training")
    for path in folder.rglob(".*"):
        if owner_of_temporary(path.name) is not None:
            counts.note("leftovers", str(path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=6, help="of the training and of the build, each")
    parser.add_argument("--shipped", action="store_true")
    parser.add_argument("--warm", type=Path, help="a cache folder to begin with")
    options = parser.parse_args()
    counts = Counts()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        root = folder / "cache"
        if options.warm:
            shutil.copytree(options.warm, root)
        with mock.patch.dict("os.environ", {"UNIGEOCLIP_CACHE": str(root)}):
            if options.shipped:
                atlases = {"boston": ("boston", (42.3601, -71.0589)), "world": ("world", (27.0, 10.0))}
                damage_all(root, atlases, counts, every_kind=False)
            else:
                with mock.patch.object(text, "sentence_encoder", HashedSentences):
                    plain, city = write_explorable_atlas(folder / "tiny"), write_explorable_city(folder / "madeup")
                    atlases = {"tiny": (plain, (20.0, 40.0)), "madeup": (city, (42.343, -71.106))}
                    damage_all(root, atlases, counts, every_kind=True)
                kill_runs(folder, plain, options.kills, counts)
    print(json.dumps(counts, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
