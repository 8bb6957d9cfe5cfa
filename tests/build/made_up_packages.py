"""Packages of the same form as those that the builders fetch, with a few made-up entries."""

import io
import json
import lzma
import tarfile
from pathlib import Path


def npm_package(path: Path, members: dict[str, object]) -> Path:
    """A tarball of npm whose members are JSON."""
    with tarfile.open(path, "w:gz") as archive:
        for name, value in members.items():
            _add(archive, f"package/{name}", json.dumps(value).encode())
    return path


def debian_package(path: Path, members: dict[str, bytes]) -> Path:
    """A package of Debian: an ar archive of three files, the last one with the members."""
    tarball = io.BytesIO()
    with tarfile.open(fileobj=tarball, mode="w") as archive:
        for name, content in members.items():
            _add(archive, name, content)
    out = b"!<arch>\n"
    files = {b"debian-binary": b"2.0\n", b"control.tar.xz": b"odd", b"data.tar.xz": lzma.compress(tarball.getvalue())}
    for name, content in files.items():
        out += name.ljust(16) + b"0".ljust(12) + b"0".ljust(12) + b"100644".ljust(8)
        out += str(len(content)).encode().ljust(10) + b"`\n" + content + b"\n" * (len(content) % 2)
    path.write_bytes(out)
    return path


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


SYNSETS = {
    # offset: (file of the lexicographers, words, pointers, gloss)
    "00000001": ("15", "country state", "", "the territory of a nation"),
    "00000002": ("15", "European_country", "@00000001", "any of the countries of Europe"),
    "00000003": ("15", "France French_Republic", "@i00000002", "a republic in western Europe; the empire was large"),
    "00000004": ("15", "city", "", "a large and densely populated urban area"),
    "00000005": ("15", "Lyon Lyons", "@i00000004 #p00000003", "a city in east-central France; noted for silk"),
    "00000006": ("15", "United_States US", "@i00000001", "North American republic containing 50 states"),
    "00000007": ("15", "state province", "", "part of a nation"),
    "00000008": ("15", "Illinois IL", "@i00000007 #p00000006", "a midwestern state"),
    "00000009": ("15", "Springfield", "@i00000004 #p00000008", "capital of the state of Illinois"),
    "00000010": ("15", "Missouri MO", "@i00000007 #p00000006", "a state in the middle"),
    "00000011": ("15", "Springfield", "@i00000004 #p00000010", "a city of southwestern Missouri (1 of 2)"),
    "00000012": ("17", "island", "", "land surrounded by water"),
    "00000013": ("17", "Java", "@i00000012", "an island in Indonesia; one of the world's most crowded regions"),
    "00000014": ("13", "coffee java", "", "a beverage"),
    "00000015": ("17", "range", "", "a series of mountains"),
    "00000016": ("17", "Alps the_Alps", "@i00000015", 'a large mountain system; "we climbed the Alps"; has glaciers'),
    "00000017": ("15", "region part", "", "an area"),
    "00000018": ("15", "sign_of_the_zodiac", "@00000017", "one of twelve equal areas"),
    "00000019": ("15", "Taurus", "@i00000018", "the second sign of the zodiac"),
    "00000020": ("15", "geographical_area", "@00000017", "a demarcated area"),
    "00000021": ("15", "Gaul Gallia", "@i00000020", "an ancient region of western Europe; rich in wine"),
}  # fmt: skip


def wordnet_package(path: Path) -> Path:
    """The nouns of a small WordNet, as wndb(5WN) writes them."""
    lines = ["  1 This is the license"]
    for offset, (file, words, pointers, gloss) in SYNSETS.items():
        names = words.split()
        counted = " ".join(f"{name} 0" for name in names)
        links = [(link[: -len(offset)], link[-len(offset) :]) for link in pointers.split()]
        pointed = " ".join(f"{symbol} {target} n 0000" for symbol, target in links)
        lines.append(f"{offset} {file} n {len(names):02x} {counted} {len(links):03d} {pointed} | {gloss}  ")
    return debian_package(path, {"./usr/share/wordnet/data.noun": "\n".join(lines).encode("latin-1")})


def factbook_package(path: Path) -> Path:
    """Profiles of France and the United States."""
    france = {
        "Geography": {
            "Climate": {
                "metropolitan France": {"text": "cool winters and mild summers; hot summers along the Mediterranean"},
                "Reunion": {"text": "tropical, but temperature moderates with elevation"},
            },
            "Terrain": {"text": "flat plains in north and west; Alps in east"},
            "Natural resources": {"text": "coal, iron ore, timber, fish", "note": {"text": "in 2010"}},
        },
        "Economy": {
            "Agriculture - products": {"text": "wheat, wine grapes (red); beef, dairy products; fish"},
            "Industries": {"text": "machinery, chemicals, and aircraft; tourism (85%)"},
        },
    }
    states = {
        "Geography": {"Climate": {"text": "mostly temperate, but tropical in Hawaii, arid in the southwest; 3 storms"}}
    }
    return npm_package(path, {"europe/fr.json": france, "north-america/us.json": states})
