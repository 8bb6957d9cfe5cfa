"""Whether this server takes new visitors: not before what opens with it is open, and not while it is being stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pages.ui.services.explorers import Explorers, Opening


class Readiness:
    """State of a server between its start and its end."""

    def __init__(self, explorers: Explorers) -> None:
        """Make it.

        Args:
            explorers: The atlases, of which some open with the server.
        """
        self._explorers = explorers
        self._is_ending = False

    def end(self) -> None:
        """The server is being stopped: it takes no new visitors."""
        self._is_ending = True

    @property
    def is_ending(self) -> bool:
        """Whether the server is being stopped."""
        return self._is_ending

    def state(self) -> str:
        """One word: "ready", "ending", or of the atlases that open with the server "opening", "failed", "missing"."""
        if self._is_ending:
            return "ending"
        openings = self._openings()
        if not openings:
            return "missing"
        if any(each.error is not None for each in openings):
            return "failed"
        return "ready" if all(each.explorer is not None for each in openings) else "opening"

    def message(self) -> str:
        """What went wrong with the atlases that open with the server, a sentence each; empty if nothing did."""
        return " ".join(f"{each.name}: {each.error}" for each in self._openings() if each.error is not None)

    def _openings(self) -> list[Opening]:
        return [self._explorers.opening(name) for name in self._explorers.at_start()]
