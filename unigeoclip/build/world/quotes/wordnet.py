"""WordNet's glosses of geographic names, matched to places by name, kind and country.

A name alone would bring in coffee for Java and a president for Washington. So a gloss is taken only from a synset that
is an instance of the right kind of thing (island, city, country...), and that WordNet says to be part of the country.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unigeoclip.build.debian import read_debian_member
from unigeoclip.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

__all__ = ["Gloss", "find_gloss", "fold_name", "read_glosses"]

MOST_LETTERS = 110
_MEMBER = "./usr/share/wordnet/data.noun"
_LOCATIONS_AND_OBJECTS = frozenset({"15", "17"})  # files of the lexicographers: noun.location, noun.object
_INSTANCE, _HYPERNYM, _PART_OF = "@i", "@", "#p"
_EXAMPLE = re.compile(r'"[^"]*"?')
_PARENTHESES = re.compile(r"\s*\([^()]*\)")
# What is no more, or is told about the past, says nothing about the land.
_PAST = re.compile(
    r"\b(?:ancient|former|formerly|historic|historical|battles?|wars?|century|was|were|had|became|began|founded|born|"
    r"conquered|independence|independent|treaty|Nazis?|Crusades?|empire|dynasty|killed|invaded|ruled|bombed|annexed|"
    r"settled|destroyed|abolished|[Ss]oviet|colony|colonized|originally|original|biblical|Bible|Old Testament|named|"
    r"until|fought|scene|site of|home of|mythology|legendary|earthquake|once|used to|restored|discovered|Confederate|"
    r"archeological|name|stronghold|owned by|culturally|expression)\b"
)
# Remarks that need the words before them, are of politics, or were true in 2006.
_UNWANTED = re.compile(
    r"^(?:drain|separated|abut|this|they|its\b)|populous country|communist|dictatorship|socialist|theocratic|Marxist|"
    r"terroris|official language|`|homeland of|drug"
)
_LEADING = re.compile(r"^(?:and|but|also|it is|it|which is|that is)\s+")
_NOT_ON_EARTH = frozenset({"sign of the zodiac", "constellation", "star", "planet", "satellite", "asteroid"})


@dataclass(frozen=True)
class Gloss:
    """What WordNet says of one place on Earth.

    Attributes:
        names: Its names, folded by `fold_name`.
        kinds: What it is an instance of, and the kinds right above.
        within: Folded names of all it is part of.
        clauses: Of the gloss, the definition first.
    """

    names: tuple[str, ...]
    kinds: frozenset[str]
    within: frozenset[str]
    clauses: tuple[str, ...]


@dataclass(frozen=True)
class _Synset:
    file: str
    words: tuple[str, ...]
    pointers: tuple[tuple[str, str], ...]
    gloss: str

    def targets(self, symbol: str) -> list[str]:
        return [target for known, target in self.pointers if known == symbol]


def fold_name(name: str) -> str:
    """A name without accents, capitals, article and punctuation: "the Côte d'Azur" and "Cote d Azur" are one."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    words = re.sub(r"[^\w]+", " ", plain.replace("'s", "s")).split()
    return " ".join("saint" if word == "st" else word for word in words if word != "the")


def read_glosses(package: Path) -> list[Gloss]:
    """Read the glosses of all geographic names whose definition speaks of the present.

    Args:
        package: Debian's ``wordnet-base``.

    Raises:
        DownloadError: The package is not readable or not of the expected form.
    """
    synsets = _parse(package)
    wholes = _wholes(synsets)
    glosses = []
    for offset, synset in sorted(synsets.items()):
        if synset.file not in _LOCATIONS_AND_OBJECTS or not synset.targets(_INSTANCE):
            continue
        kinds = _kinds(synsets, synset)
        if not kinds & _NOT_ON_EARTH and (clauses := _clauses(synset.gloss)):
            glosses.append(
                Gloss(
                    tuple(dict.fromkeys(fold_name(word) for word in synset.words)),
                    kinds,
                    frozenset(fold_name(word) for whole in wholes(offset) for word in synsets[whole].words),
                    clauses,
                )
            )
    return glosses


def find_gloss(candidates: Iterable[Gloss], kinds: Iterable[str], within: Iterable[str] | None = None) -> Gloss | None:
    """The one gloss of candidates of the same name that is of one of the kinds and part of something; None if several.

    Args:
        candidates: Glosses of one name.
        kinds: Kinds in the order of preference: the first one that any candidate has decides.
        within: Folded names, of a country or region; None where that does not matter.
    """
    inside = None if within is None else frozenset(within)
    fitting = [gloss for gloss in candidates if inside is None or gloss.within & inside]
    for kind in kinds:
        found = [gloss for gloss in fitting if kind in gloss.kinds]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _parse(package: Path) -> dict[str, _Synset]:
    """Synsets by their offsets in the file, as wndb(5WN) has them."""
    synsets = {}
    try:
        for line in read_debian_member(package, _MEMBER).decode("latin-1").splitlines():
            if line.startswith("  "):
                continue  # the license
            head, gloss = line.split(" | ", 1)
            fields = head.split()
            words = int(fields[3], 16)
            at = 4 + 2 * words
            pointers = int(fields[at])
            synsets[fields[0]] = _Synset(
                fields[1],
                tuple(fields[4 + 2 * i].replace("_", " ") for i in range(words)),
                tuple((fields[at + 1 + 4 * i], fields[at + 2 + 4 * i]) for i in range(pointers)),
                gloss.strip(),
            )
    except (ValueError, IndexError) as error:
        raise DownloadError(f"{package} is not the expected package ({error!r}). Delete it and try again.") from error
    return synsets


def _kinds(synsets: Mapping[str, _Synset], synset: _Synset) -> frozenset[str]:
    """First words of what a synset is an instance of and of the kinds above these; higher ones say too little."""
    direct = [synsets[target] for target in synset.targets(_INSTANCE)]
    above = [synsets[target] for kind in direct for target in kind.targets(_HYPERNYM)]
    return frozenset(kind.words[0] for kind in (*direct, *above))


def _wholes(synsets: Mapping[str, _Synset]) -> Callable[[str], set[str]]:
    """A function that gives all that a synset is part of, at any depth."""
    known: dict[str, set[str]] = {}

    def reach(offset: str) -> set[str]:
        if offset not in known:
            known[offset] = set()  # ends a circle, if the data should have one
            targets = synsets[offset].targets(_PART_OF)
            known[offset] = set(targets).union(*(reach(target) for target in targets))
        return known[offset]

    return reach


def _clauses(gloss: str) -> tuple[str, ...]:
    """Parts of a gloss without examples, remarks and figures; nothing if its definition is of the past."""
    parts = [part.strip(" .,:") for part in _PARENTHESES.sub("", _EXAMPLE.sub("", gloss)).split(";")]
    if not parts or _PAST.search(parts[0]):
        return ()
    return tuple(dict.fromkeys(_LEADING.sub("", part) for part in parts if _is_plain(part)))


def _is_plain(part: str) -> bool:
    figures = any(letter.isdigit() or letter in "()" for letter in part)
    return 5 < len(part) <= MOST_LETTERS and not (figures or _PAST.search(part) or _UNWANTED.search(part))
