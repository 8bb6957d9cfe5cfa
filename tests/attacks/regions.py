"""Compare a thousand different regions: does the cache folder stay within its budget?

    python -m tests.attacks.regions [--count 1000] [--budget 2000]

embeds rectangles of the shipped atlases with the cheapest embedder, random Fourier features, into a temporary cache
folder. Prints counts as JSON: regions, megabytes written, the largest size of the folder, how many regions could be
read back right after they were written, and "over_budget", after how many of them the folder was over its budget.
"""

import argparse
import json
import os
import random
import sys
import tempfile
from pathlib import Path

from unigeoclip.atlas import load_atlas
from unigeoclip.compare.regions import Region, cached_region, embed_region
from unigeoclip.embedders import load_embedder
from unigeoclip.errors import InputError

ATLASES = ("boston", "world")


def rectangles(atlas, dice):
    """Random rectangles of an atlas that hold land, without end."""
    south, west, north, east = atlas.manifest.bounds
    while True:
        low, high = sorted(dice.uniform(south, north) for _ in range(2))
        left, right = sorted(dice.uniform(west, east) for _ in range(2))
        try:
            yield Region.rectangle(atlas, (low, left, high, right))
        except InputError:  # water, or too narrow
            continue


def megabytes(folder):
    """Size of a folder, MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def attack(count, budget_mb, folder):
    """Embed regions; returns the counts."""
    dice = random.Random(0)
    atlases = [load_atlas(name) for name in ATLASES]
    sources = [(load_embedder("fourier", atlas), rectangles(atlas, dice)) for atlas in atlases]
    written = most = 0.0
    over = read_again = 0
    for number in range(count):
        embedder, regions = sources[number % len(sources)]
        region = next(regions)
        written += embed_region(embedder, region).vectors.nbytes / 1e6
        read_again += cached_region(embedder, region) is not None
        held = megabytes(folder)
        most, over = max(most, held), over + (held > budget_mb)
    return {
        "regions": count, "budget_mb": budget_mb, "written_mb": round(written), "most_held_mb": round(most),
        "read_again": read_again, "over_budget": over, "lost_files": count - read_again,
    }  # fmt: skip


def main():
    """Run it and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--budget", type=int, default=2000, help="megabytes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"UNIGEOCLIP_CACHE": folder, "UNIGEOCLIP_CACHE_BUDGET_MB": str(arguments.budget)}
        counts = attack(arguments.count, arguments.budget, Path(folder))
    sys.stdout.write(json.dumps(counts, indent=1) + "\n")


if __name__ == "__main__":
    main()
