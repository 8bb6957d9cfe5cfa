"""Pictures made of a visitor's own labels: one browser knows their addresses, and they are gone with its session."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from pages.ui.services.errors import NotFoundError


@dataclass(eq=False)
class PrivateFile:
    """A file of one visitor.

    Attributes:
        content: Its bytes.
        extension: A key of `overlays.TYPES`.
        name: Cannot be guessed.
    """

    content: bytes
    extension: str = "png"
    name: str = field(default="")

    def __post_init__(self) -> None:
        """Give it its name."""
        self.name = f"{secrets.token_urlsafe(18)}.{self.extension}"


class PrivateFiles:
    """The private files of all visitors; holds none alive, so that each is gone with its visitor's session."""

    def __init__(self) -> None:
        """Make an empty store."""
        self._files: WeakValueDictionary[str, PrivateFile] = WeakValueDictionary()

    def add(self, content: bytes, extension: str = "png") -> PrivateFile:
        """Let a browser ask for a file as long as the caller keeps what this returns."""
        file = PrivateFile(content, extension)
        self._files[file.name] = file
        return file

    def get(self, name: str) -> PrivateFile:
        """The file of that name.

        Raises:
            NotFoundError: There is none.
        """
        file = self._files.get(name)
        if file is None:
            raise NotFoundError("This picture is no longer kept; show the map again.")
        return file
