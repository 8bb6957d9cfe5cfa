"""What visitors follow while it is being done, by a name that only their browser knows."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from pages.ui.services.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pages.ui.protocol import Progress as ProgressValue


@dataclass(frozen=True)
class Progress:
    """How far something is.

    Attributes:
        version: Changes when there is more to see.
        words: What is being done, beside a bar; empty for no bar.
        share: How much of it is done, 0 to 1.
    """

    version: str
    words: str = ""
    share: float = 0.0

    def props(self) -> ProgressValue:
        """What the browser gets."""
        return {"version": self.version, "words": self.words, "share": self.share}


@dataclass(eq=False)
class Topic:
    """What one visitor follows.

    Attributes:
        report: Returns the progress; called on the server's event loop, so it must not block.
        name: Cannot be guessed.
    """

    report: Callable[[], Progress]
    name: str = field(default_factory=lambda: secrets.token_urlsafe(12))


class Topics:
    """The topics of all visitors; holds none alive, so that each is gone with its visitor's session."""

    def __init__(self) -> None:
        self._topics: WeakValueDictionary[str, Topic] = WeakValueDictionary()

    def add(self, topic: Topic) -> None:
        """Let a browser ask for a topic; whoever adds it keeps it alive."""
        self._topics[topic.name] = topic

    def progress(self, name: str) -> Progress:
        """Progress of a topic.

        Raises:
            NotFoundError: There is no topic of that name.
        """
        topic = self._topics.get(name)
        if topic is None:
            raise NotFoundError("Nothing of that name is in progress any more; reload the page.")
        return topic.report()
