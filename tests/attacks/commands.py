"""Hostile command lines: ``python -m tests.attacks.commands`` runs them and prints what became of them, as JSON.

Every call is a process of its own with at most 3 GB of address space beyond what PyTorch maps, in a folder of its own.
Counted are tracebacks, other exit codes than 0 and 2, more than one line of error, failures that are called faults of
ours, files of the person that are not what they were, calls that did not end, and answers known to be wrong.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import itertools
import json
import lzma
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 120
MEMORY_BYTES = 8_000_000_000  # of address space: importing PyTorch and its threads map some 5 GB without using them
GENERATED = 100
SEED = 0


def prepare(folder: Path) -> None:
    """Files that are damaged, packed, endless or strange."""
    rows = b"lat,lon\n" + b"42.3,-71.0\n" * 50
    (folder / "x.csv").write_bytes(rows)
    (folder / "shifted.csv").write_bytes(b"lat,lon\n42.3,-71.0,15.2\n")
    (folder / "bool.csv").write_bytes(b"lat,lon\nTrue,False\n")
    (folder / "comma.csv").write_bytes(b'lat,lon\n"42,3","-71,0"\n')
    (folder / "semicolon.csv").write_bytes(b"lat;lon\n42.3;-71.0\n")
    (folder / "huge.csv").write_bytes(b"lat,lon,id\n1,2," + b"9" * 30 + b"\n")
    (folder / "mixed.csv").write_text("lat,lon,k\n" + "1,2,3\n" * 600_000 + "1,2,word\n")
    (folder / "cut.csv.gz").write_bytes(gzip.compress(rows)[:-12])
    (folder / "double.csv.gz").write_bytes(gzip.compress(gzip.compress(rows)))
    (folder / "bad.csv.xz").write_bytes(lzma.compress(rows)[:40] + b"\0" * 20)
    (folder / "bad.csv.bz2").write_bytes(bz2.compress(rows)[:20] + b"\0" * 20)
    (folder / "bad.zip").write_bytes(b"PK\x03\x04 broken")
    with zipfile.ZipFile(folder / "two.zip", "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.writestr(name, rows)
    (folder / "bad.tar").write_bytes(b"no archive" * 100)
    (folder / "x.csv.zst").write_bytes(b"\x28\xb5\x2f\xfd\x00")
    with gzip.open(folder / "bomb.csv.gz", "wb", compresslevel=9) as bomb:
        bomb.write(b"lat,lon\n")
        for _ in range(30):
            bomb.write(bytes(100_000_000))
    (folder / "empty").touch()
    (folder / "empty.csv").touch()
    (folder / "file").write_bytes(b"mine")
    (folder / "mine.parquet").write_bytes(b"mine")
    (folder / "deep").mkdir()
    (folder / "deep" / "atlas.json").write_text("[" * 100_000)
    (folder / "digits").mkdir()
    (folder / "digits" / "atlas.json").write_text('{"format": ' + "9" * 5000 + "}")
    (folder / "same.parquet").symlink_to(folder / "x.csv")
    (folder / "hard.parquet").hardlink_to(folder / "x.csv")
    os.mkfifo(folder / "pipe")


def embed(csv: str | bytes, *options: str | bytes, out: str = "o.parquet") -> list[str | bytes]:
    return ["embed", "--embedder", "coordinates", "--csv", csv, "--out", out, *options]


TRACEBACKS: list[list[str | bytes]] = [  # what ended in one at commit 5194794
    ["search", "--text", b"\xff"],
    ["search", "--item", b"text:\xff"],
    ["heatmap", "--text", b"\xff", "--out", "h.tif"],
    embed("bad.zip"), embed("two.zip"), embed("bad.csv.xz"), embed("bad.tar"), embed("cut.csv.gz"), embed("x.csv.zst"),
    embed("double.csv.gz"), embed("mixed.csv"), embed("huge.csv"),
    ["embed", "--embedder", "satclip", "--weights", "empty", "--csv", "x.csv", "--out", "o.parquet"],
    ["baselines", "download", "satclip-vit16-l40", "--from", "empty"],
    ["train", "--seed", str(2**70)],
    ["build", "city", "--name", "a", "--tiles", "t", "--seed", str(2**70)],
    ["train", "--out", "file"],
    ["build", "world", "--out", "file/below"],
    ["evaluate", "--atlas", "boston", "--ablations", "--out", "file"],
    ["search", "--text", "a", "--out", "x" * 300 + ".csv"],
    ["search", "--atlas", "x" * 5000, "--text", "a"],
    ["search", "--atlas", "deep", "--text", "a"],
    ["search", "--atlas", "digits", "--text", "a"],
    ["train", "--seed", "-1"],
]  # fmt: skip
OTHERS: list[list[str | bytes]] = [
    embed("x.csv", out="x.csv"), embed("x.csv", out="same.parquet"), embed("x.csv", out="hard.parquet"),
    embed("x.csv", out="mine.parquet"), embed("shifted.csv"), embed("bool.csv"), embed("comma.csv"),
    embed("semicolon.csv"), embed("bomb.csv.gz"), embed("bad.csv.bz2"), embed("empty.csv"), embed("pipe"),
    embed("/dev/zero"), embed("."), embed("x.csv", "--lat", "lon"),
    ["search", "--image", "/dev/zero", "--modality", "aerial"],
    ["search", "--image", "pipe", "--modality", "aerial"],
    ["search", "--text", "a", "--top", "9" * 400],
]  # fmt: skip
# Tables and outputs that must be refused, since any answer would be wrong.
WRONG_TABLES = {"shifted.csv", "bool.csv", "comma.csv", "bomb.csv.gz", "cut.csv.gz", "double.csv.gz"}
WRONG_OUTS = {"x.csv", "same.parquet", "hard.parquet", "mine.parquet"}
# Output that takes nothing, and output in ASCII.
FULL: list[list[str | bytes]] = [["atlases", "--json"], ["--help"], ["embed", "--help"]]
ASCII: list[list[str | bytes]] = [["search", "--atlas", "world", "--text", "café", "--json", "--top", "1"], ["atlases"]]

_PARTS: dict[str, list[str | bytes]] = {
    "command": ["search", "heatmap", "embed", "evaluate", "bench", "train", "atlases", "build", "baselines", "serve",
                ""],
    "option": ["--atlas", "--text", "--latlon", "--image", "--item", "--modality", "--top", "--out", "--csv", "--lat",
               "--embedder", "--weights", "--json", "--seed", "--steps", "--split", "--config", "--resume", "--help"],
    "value": ["", " ", "-1", "0", "nan", "1e999", "95,0", "1,2", "9" * 5000, "x" * 5000, b"\xff\xfe", "\u202e", "%s",
              "text:sea", "at:95,0", "-0*text:a", "place:", "vec:aerial:AAAA", "x.csv", "empty", "file", "pipe", "deep",
              "o.parquet", "o.tif", "o.csv", "no/o.csv", "/dev/zero", "/dev/full", "coordinates", "satclip", "a\nb"],
}  # fmt: skip


def generated(count: int) -> list[list[str | bytes]]:
    """Command lines of known options and hostile values; none that would train, build or measure for long."""
    draw = random.Random(SEED)
    calls: list[list[str | bytes]] = []
    while len(calls) < count:
        call = [draw.choice(_PARTS["command"])]
        for _ in range(draw.randint(0, 4)):
            call.append(draw.choice(_PARTS["option"]))
            if draw.random() < 0.8:
                call.append(draw.choice(_PARTS["value"]))
        if call[0] in ("bench", "evaluate", "train") and not {"-1", "x" * 5000, b"\xff\xfe"} & set(call):
            call += ["--atlas", "deep"]  # an option that ends it before minutes are spent
        calls.append(call)
    return calls


def fenced() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def run(folder: Path, call: list[str | bytes], *, full: bool = False, **environment: str) -> dict[str, object]:
    """Run a command line; what became of it."""
    command = [sys.executable, "-m", "unigeoclip", *call]
    with contextlib.ExitStack() as stack:
        stdout = stack.enter_context(Path("/dev/full").open("wb")) if full else subprocess.PIPE
        started = time.monotonic()
        try:
            done = subprocess.run(
                command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)} | environment, stdout=stdout,
                stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=TIMEOUT_S, check=False, preexec_fn=fenced,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return {"call": shown(call), "code": None, "error": "did not end", "seconds": TIMEOUT_S}
    return {
        "call": shown(call),
        "code": done.returncode,
        "error": done.stderr.decode(errors="replace"),
        "seconds": round(time.monotonic() - started, 1),
        "json": full or "--json" not in call or done.returncode != 0 or is_json(done.stdout or b""),
    }


def is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def shown(call: list[str | bytes]) -> str:
    words = (word if isinstance(word, str) else repr(word) for word in call)
    return " ".join(word if len(word) <= 40 else f"{word[:40]}…" for word in words)


def wrong(done: dict[str, object]) -> bool:
    """Whether a call gave an answer that cannot be right."""
    words = str(done["call"]).split()
    named = {word for before, word in itertools.pairwise(words) if before == "--csv"} & WRONG_TABLES
    named |= {word for before, word in itertools.pairwise(words) if before == "--out"} & WRONG_OUTS
    if words[:1] == ["embed"] and named and done["code"] != 2:
        return True
    return done.get("json") is False and not {"--help", "-h"} & set(words)


def main() -> None:
    """Run all of them and print the counts."""
    if not sys.platform.startswith("linux"):
        sys.exit("The attacks need Linux: /dev/full, pipes and limits of memory.")
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as pool:
        folder = Path(name)
        prepare(folder)
        mine = {file: (folder / file).read_bytes() for file in ("x.csv", "file", "mine.parquet", "shifted.csv")}
        calls = [*TRACEBACKS, *OTHERS, *generated(GENERATED)]
        done = list(pool.map(lambda call: run(folder, call), calls))
        done += [run(folder, call, full=True) for call in FULL]
        done += [run(folder, call, PYTHONIOENCODING="ascii") for call in ASCII]
        overwritten = [file for file, content in mine.items() if (folder / file).read_bytes() != content]
        left = [str(path.relative_to(folder)) for path in folder.rglob(".*.tmp*")]
    kinds = {
        "tracebacks": [one for one in done if "Traceback" in str(one["error"])],
        "other_exit_codes": [one for one in done if one["code"] not in (0, 2)],
        "not_one_line": [
            one for one in done
            if one["code"] == 2 and [line[:7] for line in str(one["error"]).splitlines()].count("error: ") != 1
        ],
        "faults_of_ours": [one for one in done if "fault of unigeoclip" in str(one["error"])],
        "wrong_answers": [one for one in done if wrong(one)],
    }  # fmt: skip
    report = {
        "calls": len(done),
        "refused": sum(one["code"] == 2 for one in done),
        **{kind: len(found) for kind, found in kinds.items()},
        "overwritten_files": overwritten,
        "left_behind": left,
        "slowest_s": max(float(str(one["seconds"])) for one in done),
        "details": {kind: found for kind, found in kinds.items() if found},
    }
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
