"""Whether this server takes new visitors: not before its first atlas is open, and not while it is being stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pages.ui.services.explorers import Explorers


class Readiness:
    """State of a server between its start and its end."""

    def __init__(self, explorers: Explorers) -> None:
        """Make it.

        Args:
            explorers: The atlases, of which the first opens with the server.
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
        """One word: "ready", "ending", or of the first atlas "opening", "failed" or "missing"."""
        if self._is_ending:
            return "ending"
        names = self._explorers.names()[:1]
        if not names:
            return "missing"
        opening = self._explorers.opening(names[0])
        if opening.explorer is not None:
            return "ready"
        return "failed" if opening.error is not None else "opening"
