"""Query items: what a query is a weighted sum of, and how each is spelled in an address or on the command line.

``text:hot desert``, ``at:48.85,2.35``, ``place:w000123``, ``view:42.3601,-71.0589,45`` (a street view that the atlas
itself shows: latitude, longitude, heading), ``item:aerial:w000123`` (one item of a place; ``item:aerial.2:w000123``
where it has several), ``vec:aerial:BASE64~label`` (a picture as its embedding). A weight may stand before each:
``-0.5*text:mountains``.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError, excerpt
from unigeoclip.parsing.coordinates import check_point, parse_point
from unigeoclip.parsing.numbers import MAX_CHARACTERS, bounded_float

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "ITEM",
    "MAX_WEIGHT",
    "PLACE",
    "VIEW",
    "GalleryItem",
    "PackedVector",
    "QueryItem",
    "parse_item",
    "parse_point",
    "space_of",
    "write_item",
]

PLACE = "place"  # a query item that stands for all modalities of a place at once
VIEW = "view"  # a query item that stands for what a camera of the atlas sees
ITEM = "item"  # a query item that stands for one item of a place
MOST_STEPS = 127  # a byte on either side of zero
MAX_LABEL_CHARACTERS = 60
MAX_WEIGHT = 1000.0  # of an item; a larger one leaves nothing of the others
MAX_DEG = 720.0  # of any angle of a view
MAX_ID_CHARACTERS = 200  # of a place
MAX_CODE_CHARACTERS = 16_384  # of a packed vector: 12,285 dimensions
_UNIT_ERROR = 1e-3
_TAG_BYTES = 3
_FOREIGN = "!"

_ITEM = re.compile(r"(?:(?P<weight>[^*:]*)\*)?(?P<kind>text|at|place|view|item|vec):(?P<value>.+)", re.DOTALL)
_VECTOR = re.compile(r"(?P<modality>[a-z]+):(?P<code>[A-Za-z0-9_-]+!?)(?:~(?P<label>.*))?", re.DOTALL)
_GALLERY_ITEM = re.compile(r"(?P<modality>[a-z]+)(?:\.(?P<window>[1-9][0-9]?))?:(?P<place>.+)", re.DOTALL)
_HOW = (
    "write text:WORDS, at:LAT,LON, place:ID, view:LAT,LON,HEADING, item:MODALITY:ID or vec:MODALITY:CODE, with its "
    "weight before it if that is not 1, as in -0.5*text:mountains"
)


@dataclass(frozen=True)
class QueryItem:
    """One term of a query.

    Attributes:
        modality: "location", "text", "aerial", "street", "surface"; "place" for all modalities of a place at once;
            "view" for what a camera of the atlas sees; or "item" for one item of a place.
        value: (lat, lon) degrees; a text; a decoded picture (see ``uploads``) or its `PackedVector`; a
            place_id; (lat, lon, heading) degrees of a view; or a `GalleryItem`.
        weight: Its share in the sum; negative for "not like this".
        label: What a person reads; free.
    """

    modality: str
    value: Any
    weight: float = 1.0
    label: str = ""


@dataclass(frozen=True)
class GalleryItem:
    """One item of a place: its vector in one modality.

    Attributes:
        modality: "location", "aerial", "street", "surface" or "text".
        place_id: The place.
        window: Which of its items, see `gallery_windows`; 0 is its center.
    """

    modality: str
    place_id: str
    window: int = 0


def space_of(item: QueryItem) -> str:
    """The modality whose vectors an item's is one of; "place" for all at once."""
    if item.modality == ITEM:
        modality: str = item.value.modality
        return modality
    return "street" if item.modality == VIEW else item.modality


@dataclass(frozen=True)
class PackedVector:
    """A unit vector in a byte a dimension, short enough to stand in an address.

    Attributes:
        codes: Signed bytes, (dim,), in proportion to the vector.
        model: Six hexadecimal digits, the first of the ``checkpoint_id`` of the model whose space it is in.
        is_foreign: Whether the picture looked like nothing in the atlas, which its vector no longer tells.
    """

    codes: bytes
    model: str
    is_foreign: bool = False

    @classmethod
    def of(cls, vector: ArrayLike, model: str, *, is_foreign: bool = False) -> PackedVector:
        """Pack a unit vector.

        Args:
            vector: (dim,) of length 1, give or take a thousandth.
            model: Identity of the model, at least six hexadecimal digits; the first six are kept.
            is_foreign: Whether the picture looked like nothing in the atlas.

        Raises:
            InputError: The vector is not one of length 1, or has a number that is not finite.
        """
        values = np.asarray(vector, np.float64)
        length = float(np.linalg.norm(values)) if values.ndim == 1 else float("nan")
        if not abs(length - 1) <= _UNIT_ERROR:
            raise InputError(
                f"Only a vector of length 1, (dim,), can be packed; this one has shape {values.shape} and length "
                f"{length:.4g}. Divide it by its length."
            )
        steps = np.rint(values / np.abs(values).max() * MOST_STEPS).astype(np.int8)
        return cls(steps.tobytes(), model[: 2 * _TAG_BYTES], is_foreign)

    @property
    def vector(self) -> NDArray[np.float32]:
        """The vector, (dim,) float32 of length 1, the same wherever it is unpacked.

        Raises:
            InputError: There is nothing but zeros.
        """
        steps = np.frombuffer(self.codes, np.int8).astype(np.int64)
        squares = int(steps @ steps)
        if not squares:
            raise InputError("This code of an image holds only zeros; upload the image again.")
        unit: NDArray[np.float32] = (steps / np.sqrt(float(squares))).astype(np.float32)
        return unit

    @property
    def text(self) -> str:
        """The packed vector in letters, digits, "-" and "_" (base64url), and "!" behind that of a foreign picture."""
        code = base64.urlsafe_b64encode(bytes.fromhex(self.model) + self.codes).decode().rstrip("=")
        return code + _FOREIGN * self.is_foreign

    @classmethod
    def from_text(cls, text: str) -> PackedVector:
        """The packed vector that ``text`` spells.

        Raises:
            InputError: It spells none.
        """
        code = text.removesuffix(_FOREIGN)
        try:
            data = base64.b64decode(code + "=" * (-len(code) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise InputError(f"'{text[:20]}…' is not a code of an image: it was cut or changed.") from error
        if len(data) <= _TAG_BYTES:
            raise InputError(f"'{text[:20]}' is not a code of an image: it is too short.")
        return cls(data[_TAG_BYTES:], data[:_TAG_BYTES].hex(), code != text)


def parse_item(text: str) -> QueryItem:
    """The item that a spelling stands for; whether an atlas can be asked by it shows when it is asked.

    Raises:
        InputError: It is no item, or one of its numbers is out of range, and what an item looks like.
    """
    match = _ITEM.fullmatch(text)
    if match is None:
        raise InputError(f"'{excerpt(text)}' is not a query item: {_HOW}.")
    kind, value = match["kind"], match["value"]
    weight = 1.0 if match["weight"] is None else _parse_weight(match["weight"], text)
    if kind == "vec":
        return _parse_vector(text, value, weight)
    if kind == "at":
        point = parse_point(value)
        if point is None:
            raise InputError(f"'{excerpt(text)}' is not a query item: 'at:' takes two numbers, as in at:48.85,2.35.")
        return QueryItem("location", point, weight, value)
    if kind == VIEW:
        return QueryItem(VIEW, _parse_pose(text, value), weight, value)
    if kind == ITEM:
        return QueryItem(ITEM, _parse_gallery_item(text, value), weight, value)
    if kind == PLACE and len(value) > MAX_ID_CHARACTERS:
        raise InputError(f"'{excerpt(text)}' is not a query item: an id has at most {MAX_ID_CHARACTERS} characters.")
    if not _is_unicode(value):
        raise InputError(f"'{excerpt(text)}' is not a query item: it is not valid Unicode text.")
    return QueryItem(kind, value, weight, value)


def _parse_weight(number: str, text: str) -> float:
    try:
        return bounded_float(number, -MAX_WEIGHT, MAX_WEIGHT, "The weight of a query item")
    except InputError as error:
        raise InputError(f"'{excerpt(text)}' is not a query item. {error}") from error


def _parse_pose(text: str, value: str) -> tuple[float, float, float]:
    """(lat, lon, heading) degrees of a view."""
    parts = value.split(",") if len(value) <= 4 * MAX_CHARACTERS else []
    if len(parts) != 3:
        raise InputError(
            f"'{excerpt(text)}' is not a query item: 'view:' takes three numbers, as in view:42.4,-71.1,45."
        )
    try:
        lat, lon, heading = (bounded_float(part, -MAX_DEG, MAX_DEG, "Each number of a view") for part in parts)
        return *check_point(lat, lon), heading
    except InputError as error:
        raise InputError(f"'{excerpt(text)}' is not a query item. {error}") from error


def _parse_gallery_item(text: str, value: str) -> GalleryItem:
    match = _GALLERY_ITEM.fullmatch(value)
    if match is None or len(match["place"]) > MAX_ID_CHARACTERS or not _is_unicode(value):
        raise InputError(
            f"'{excerpt(text)}' is not a query item: 'item:' takes a modality and the id of a place, as in "
            "item:aerial:w000123."
        )
    return GalleryItem(match["modality"], match["place"], int(match["window"] or 0))


def _is_unicode(text: str) -> bool:
    """Whether a text can be written in UTF-8; half a surrogate pair, as undecodable bytes of a command, cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parse_vector(text: str, value: str, weight: float) -> QueryItem:
    match = _VECTOR.fullmatch(value)
    if match is None:
        raise InputError(
            f"'{excerpt(text)}' is not a query item: 'vec:' takes a modality and a code, as in vec:aerial:CODE."
        )
    if len(match["code"]) > MAX_CODE_CHARACTERS:
        raise InputError(
            f"'{excerpt(text)}' is not a query item: a code has at most {MAX_CODE_CHARACTERS:,} characters."
        )
    label = (match["label"] or "")[:MAX_LABEL_CHARACTERS]
    if not _is_unicode(label):
        raise InputError(f"'{excerpt(text)}' is not a query item: its label is not valid Unicode text.")
    return QueryItem(match["modality"], PackedVector.from_text(match["code"]), weight, label)


def write_item(item: QueryItem) -> str | None:
    """How an item is spelled; None for a picture that is not packed.

    `parse_item` gives the same modality, value and weight again, to the last digit.
    """
    weight = "" if item.weight == 1 else f"{_decimal(item.weight)}*"
    if item.modality == "location":
        return f"{weight}at:{','.join(map(_decimal, item.value))}"
    if item.modality == VIEW:
        return f"{weight}view:{','.join(map(_decimal, item.value))}"
    if item.modality == ITEM:
        window = f".{item.value.window}" if item.value.window else ""
        return f"{weight}item:{item.value.modality}{window}:{item.value.place_id}"
    if item.modality in ("text", PLACE):
        return f"{weight}{item.modality}:{item.value}"
    if isinstance(item.value, PackedVector):
        label = f"~{item.label[:MAX_LABEL_CHARACTERS]}" if item.label else ""
        return f"{weight}vec:{item.modality}:{item.value.text}{label}"
    return None


def _decimal(value: float) -> str:
    """The shortest decimals that give the same number again: 48.85, -0.5, 2; with an exponent only if they are many."""
    plain = np.format_float_positional(value, trim="-")
    return plain if len(plain) <= MAX_CHARACTERS else repr(float(value))
