"""Names as they are compared: without case, accents and punctuation."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["fold"]

# Letters that Unicode does not take apart into a plain one and a mark.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})
_DROPPED = re.compile("['’ʼʻ`´.]")  # "St. John's" is "st johns"
_BETWEEN = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """A text in small letters without accents, its words separated by single spaces: "Saint-Lô" is "saint lo".

    Args:
        text: Of any script; letters that have no plain form stay.
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    marked = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return _BETWEEN.sub(" ", _DROPPED.sub("", marked.translate(_PLAIN))).strip()
