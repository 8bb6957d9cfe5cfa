"""The World Factbook: profiles of countries, and what they say of land, climate and economy in short clauses."""

from __future__ import annotations

import json
import re
import tarfile
from typing import TYPE_CHECKING, Any

from unigeoclip.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import TypeAlias

    # Kind of sentence -> groups of clauses that the profile has in one breath: ("rice", "corn"), ("cattle", "sheep").
    Clauses: TypeAlias = dict[str, tuple[tuple[str, ...], ...]]

__all__ = ["FIELDS", "read_clauses", "read_profiles", "split_clauses", "split_items", "text_at"]

MOST_LETTERS = 100  # of a clause: longer ones are stories, and the sentence encoder reads the first words best
MOST_LETTERS_OF_ITEM = 40
# Kind of sentence -> where its text is in a profile.
FIELDS: dict[str, tuple[str, ...]] = {
    "factbook_climate": ("Geography", "Climate"),
    "factbook_terrain": ("Geography", "Terrain"),
    "resources": ("Geography", "Natural resources"),
    "crops": ("Economy", "Agriculture - products"),
    "industries": ("Economy", "Industries"),
}
_LISTS = frozenset({"resources", "crops", "industries"})
_COUNTRY = re.compile(r"package/[\w-]+/[a-z]{2}\.json")
_PARENTHESES = re.compile(r"\s*\([^()]*\)")
# What says of which part of the country a clause speaks: "in south", "along coast", "in Alaska".
_WHERE = re.compile(
    r"\b(?:in|along|on|at|to|inland|elsewhere)\b(?: the)?(?: far| extreme)? ?"
    r"(?:[A-Z]|north|south|east|west|cent|coast|interior|high|low|mountain|upland|hill|valley|plain|rest|other|$)"
)
# Statements about other things than what is there, or none at all.
_EMPTY = re.compile(
    r"^(?:none|na|negl|varies.*|other .*|n/a|extremely .*|highest .*|lesser .*|precipitation disprop.*|"
    r".*\b(?:remainder|elsewhere|others?|similar)\b.*)$",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(
    r"^(?:large|broad|high|small|wide|narrow|vast|long|low|average|central|moderate|humid and|sandy)$"
)
_LEADING = re.compile(
    r"^(?:(?:and|but|also|some|mainly|especially|including|small quantities of|small deposits of)\s+)+"
)
_NOT_AN_ITEM = re.compile(
    r"\b(?:world|leader|largest|among|exploited|discovered|declining|hinder|only|regions?|diversified|innovator)\b"
)


def read_profiles(tarball: Path) -> list[tuple[str, Any]]:
    """Code (GEC, once FIPS 10-4) and profile of every country.

    Raises:
        DownloadError: The file is not the package of the Factbook.
    """
    try:
        with tarfile.open(tarball) as archive:
            members = [member for member in archive.getmembers() if _COUNTRY.fullmatch(member.name)]
            opened = [(member.name[-7:-5], archive.extractfile(member)) for member in members]
            return [(code, json.load(file)) for code, file in opened if file]
    except (OSError, ValueError, tarfile.TarError) as error:
        raise DownloadError(f"{tarball} is not the expected package ({error!r}). Delete it and try again.") from error


def text_at(profile: Any, path: tuple[str, ...]) -> str:
    """The text of a field of a profile, empty if it has none."""
    value = profile
    for key in (*path, "text"):
        value = value.get(key) if hasattr(value, "get") else None
    return str(value or "")


def read_clauses(tarball: Path, iso_by_gec: Mapping[str, str], iso_by_name: Mapping[str, str]) -> dict[str, Clauses]:
    """What the profiles say of countries, in clauses.

    Args:
        tarball: The package of the Factbook.
        iso_by_gec: Code of a profile -> ISO code of two letters.
        iso_by_name: Name of a country -> ISO code: for profiles that speak of several, as France's does of Réunion.

    Returns:
        ISO code -> what is said of it.

    Raises:
        DownloadError: The file is not the package of the Factbook.
    """
    found: dict[str, Clauses] = {}
    for gec, profile in sorted(read_profiles(tarball), key=lambda pair: pair[0]):
        for kind, path in FIELDS.items():
            for code, text in _texts(profile, path, iso_by_gec.get(gec, ""), iso_by_name):
                groups = split_items(text) if kind in _LISTS else tuple((clause,) for clause in split_clauses(text))
                if code and groups:
                    found.setdefault(code, {}).setdefault(kind, groups)
    return found


def _texts(
    profile: Any, path: tuple[str, ...], own_code: str, iso_by_name: Mapping[str, str]
) -> Iterable[tuple[str, str]]:
    """ISO code and text of each part of a field: of the country, or of parts of it that have a code of their own."""
    if text := text_at(profile, path):
        yield own_code, text
        return
    parts = profile
    for key in path:
        parts = parts.get(key, {}) if hasattr(parts, "get") else {}
    for name, value in parts.items() if hasattr(parts, "items") else ():
        text = str(value.get("text", "")) if hasattr(value, "get") else str(value)
        for part in name.split(" and "):
            code = own_code if part.startswith("metropolitan ") else iso_by_name.get(part, "")
            if code and name != "note":
                yield code, text


def split_clauses(text: str) -> list[str]:
    """Split what a profile says of climate or terrain into clauses that are true on their own.

    Parts of a list that each say where ("equatorial in south, arid in north") become clauses of their own; remarks in
    parentheses, figures and long stories are left out.
    """
    clauses = []
    for part in _PARENTHESES.sub("", text).split(";"):
        pieces = part.split(", ")
        several = sum(_WHERE.search(piece) is not None for piece in pieces) > 1
        clauses += pieces if several else [part]
    cleaned = [_LEADING.sub("", clause.strip(" .,")).strip() for clause in clauses]
    return [clause for clause in cleaned if _is_plain(clause, MOST_LETTERS)]


def split_items(text: str) -> tuple[tuple[str, ...], ...]:
    """Split a list such as "cotton, rice; cattle, sheep" into groups of its items."""
    groups = []
    for part in _PARENTHESES.sub("", text).split(";"):
        items = [_LEADING.sub("", item.strip(" .")).strip() for item in part.split(",")]
        items = [item for item in items if _is_plain(item, MOST_LETTERS_OF_ITEM) and not _NOT_AN_ITEM.search(item)]
        if items:
            groups.append(tuple(dict.fromkeys(items)))
    return tuple(groups)


def _is_plain(clause: str, most_letters: int) -> bool:
    unwanted = any(letter.isdigit() or letter in "()%:" for letter in clause)
    return 2 < len(clause) <= most_letters and not (unwanted or _EMPTY.match(clause) or _FRAGMENT.match(clause))
