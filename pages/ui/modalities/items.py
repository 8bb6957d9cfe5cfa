"""Held-out items as people see them: a picture, a text, or coordinates."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pages.ui import atlas_scale
from pages.ui.formatting import coordinates, short, title
from pages.ui.http.urls import urls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unigeoclip.atlas import Atlas
    from unigeoclip.evaluation.held_out import HeldOut
    from unigeoclip.search.explorer import Explorer

_HEADINGS = (0, 90, 180, 270)  # degrees from the first, of a panorama that is drawn
MOST_CHARACTERS = 170  # of a text under the pointer


@dataclass(frozen=True)
class ItemView:
    """One item of a place.

    Attributes:
        modality: Its modality.
        kind: Name of the modality.
        place_id: Of the place.
        name: Of the place.
        pictures: Addresses of its pictures: four of a panorama, none of a text.
        text: What it says, of a text or a location.
        sentences: The single sentences of a text.
    """

    modality: str
    kind: str
    place_id: str
    name: str
    pictures: tuple[str, ...] = ()
    text: str = ""
    sentences: tuple[str, ...] = ()

    @property
    def alt(self) -> str:
        """What a screen reader says of its pictures."""
        return f"{self.kind}: {self.name}"


class ItemViews:
    """Makes the views of the items of an atlas."""

    def __init__(self, explorer: Explorer) -> None:
        """Read what is needed of the places once."""
        self._atlas: Atlas = explorer.atlas
        self._streets = explorer.streets
        places = self._atlas.places
        self._ids, self._names = places["place_id"].to_numpy(), places["name"].to_numpy()
        self._said = places["sentences"].to_numpy()
        self._texts = self._atlas.sentences["text"].to_numpy()
        self._digits = atlas_scale.of(self._atlas.manifest).digits

    def place_id(self, items: HeldOut, number: int) -> str:
        """Id of the place of an item."""
        return str(self._ids[items.rows[number]])

    def name(self, items: HeldOut, number: int) -> str:
        """Name of the place of an item."""
        return str(self._names[items.rows[number]])

    def of(self, items: HeldOut, number: int, modality: str) -> ItemView:
        """The view of a modality of an item.

        Args:
            items: Held-out items.
            number: Which of them.
            modality: One that it has.
        """
        row = int(items.rows[number])
        lat, lon = items.latlon[number].tolist()
        pictures: tuple[str, ...] = ()
        sentences: tuple[str, ...] = ()
        text = ""
        if modality == "text":
            sentences = tuple(dict.fromkeys(str(self._texts[each]) for each in np.asarray(self._said[row], np.int64)))
            text = " · ".join(sentences)
        elif modality == "street" and self._streets is not None:
            camera = self._streets.nearest(lat, lon)
            turns = _HEADINGS if self._streets.is_rendered else _HEADINGS[:1]
            pictures = tuple(urls.street(self._atlas, lat, lon, camera.heading_deg + turn) for turn in turns)
        elif modality in self._atlas.manifest.pictures:
            pictures = (urls.picture(self._atlas, modality, lat, lon),)
        else:
            text = coordinates(lat, lon, self._digits)
        return ItemView(
            modality, title(modality), str(self._ids[row]), str(self._names[row]), pictures, text, sentences
        )

    def brief(self, items: HeldOut, number: int, modality: str) -> tuple[str, str]:
        """Address of one picture, or a text of a few lines: what is shown under the pointer."""
        view = self.of(items, number, modality)
        return (view.pictures[0], "") if view.pictures else ("", short(view.text, MOST_CHARACTERS))


def unique_names(names: Mapping[str, str]) -> dict[str, str]:
    """Names of places by id; a name that several have gets the id behind it, so that a list tells them apart."""
    counts = Counter(names.values())
    return {place: f"{name} ({place})" if counts[name] > 1 else name for place, name in names.items()}
