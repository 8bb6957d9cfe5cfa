"""One piece of work for one visitor of page Probe: what is being done, how far it is, what came of it."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from unigeoclip.errors import StoppedError, UniGeoError

if TYPE_CHECKING:
    from collections.abc import Callable

T_co = TypeVar("T_co", covariant=True)
GONE_S = 150.0  # longer than a browser lets a page in the background sleep, and than a session outlives its page

_log = logging.getLogger(__name__)


class Job(Generic[T_co]):
    """Work that one visitor waits for. Its result belongs to the holder of the job: the service forgets ended ones.

    Attributes:
        client: Address of the visitor.
        doing: What is being done, in words.
        share: How much of it is done, 0 to 1.
        error: A sentence why there is no result.
        is_stopped: Whether the visitor has stopped it.
    """

    def __init__(
        self,
        act: Callable[[Job[T_co]], T_co],
        client: str,
        *,
        most_s: float,
        advice: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it; a worker runs it.

        Args:
            act: Does the work in the worker's thread; it calls `report` or `check` often.
            client: Address of the client.
            most_s: Seconds that it may run.
            advice: What to ask for instead when that is not enough, a sentence.
            clock: Returns the time in seconds.
        """
        self.client, self.doing, self.share, self.error = client, "Waiting for other visitors' work", 0.0, ""
        self.is_stopped = False
        self._act: Callable[[Job[T_co]], T_co] | None = act
        self._most_s, self._advice, self._clock = most_s, advice, clock
        self._until: float | None = None  # when it has to have ended; None before it has begun
        self._seen = clock()
        self._result: T_co | None = None
        self._ended = threading.Event()

    @property
    def result(self) -> T_co | None:
        """What came of it; None before the end, and if it failed or was stopped."""
        return self._result

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come, well or badly."""
        return self._ended.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait at most that long for the end; returns whether it has come."""
        return self._ended.wait(seconds)

    @property
    def version(self) -> str:
        """Changes when there is something else to show than progress."""
        return "ended" if self.has_ended else "running"

    def see(self) -> None:
        """Note that the visitor's page still follows it."""
        self._seen = self._clock()

    def stop(self) -> None:
        """Give it up."""
        self.is_stopped = True

    @property
    def is_wanted(self) -> bool:
        """Whether anybody still waits for it."""
        return not self.is_stopped and self._clock() - self._seen < GONE_S

    def report(self, doing: str, share: float) -> None:
        """Note progress.

        Raises:
            StoppedError: It is no longer wanted, or has used up its time.
        """
        self.doing, self.share = doing, min(max(share, 0.0), 1.0)
        self.check()

    def check(self) -> None:
        """Raise `StoppedError` if it is no longer wanted, or has used up its time."""
        if not self.is_wanted:
            raise StoppedError("Stopped.")
        if self._until is not None and self._clock() > self._until:
            raise StoppedError(self._too_long)

    def is_over(self) -> bool:
        """Whether to give it up; what `check` raises, as an answer."""
        try:
            self.check()
        except StoppedError:
            return True
        return False

    def extend(self, seconds: float) -> None:
        """Seconds in which it had to wait for others do not count."""
        if self._until is not None:
            self._until += seconds

    @property
    def _too_long(self) -> str:
        return f"This took more than the {self._most_s:g} seconds that one visitor gets. {self._advice}"

    def run(self) -> None:
        """Do the work in this thread; what goes wrong is noted.

        Labels of visitors do not get into the server's log: for an unexpected error it has the place in
        the code, not the message.
        """
        act, self._act = self._act, None  # the act holds the visitor's labels
        self._until = self._clock() + self._most_s
        try:
            if act is not None and self.is_wanted:
                self.doing = "Starting"
                self._result = act(self)
        except StoppedError:  # the visitor's own stop needs no sentence
            self.is_stopped = not self.is_wanted
            self.error = "" if self.is_stopped else self._too_long
        except UniGeoError as error:
            self.error = str(error)
        except MemoryError:
            self.error = f"There is not enough memory for this. {self._advice}"
        except Exception as error:  # an unexpected error must not stop the worker for all visitors
            _log.error("A job of a visitor failed: %s at %s", type(error).__name__, _place(error))
            self.error = "This stopped unexpectedly; the server's log says where. Nothing else is affected."
        finally:
            self._ended.set()


def _place(error: Exception) -> str:
    """File and line of the innermost frames of an error, without its message."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
