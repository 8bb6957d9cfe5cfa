"""Present pictures of spots that visitors clicked, from open services, for those who have switched that on.

Nothing here is done before a page calls `OnlinePictures.look`. What is fetched is in memory only.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pages.ui.services.rate_limits import RateLimits
from unigeoclip.errors import InputError, UniGeoError, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from unigeoclip.sources.spot import SpotPicture
    from unigeoclip.sources.web import Pace, Web

ONLINE = "UNIGEOCLIP_ONLINE"  # environment variable: 0 forbids it
LOOKS, LOOKS_PER_S = 12, 1 / 6  # spots that one client looks at at once, and per second in the long run
WITHIN_S = 8.0  # in which all requests for one picture have to be answered
PATIENCE_S = 16.0  # after which a picture is no longer waited for: names of hosts are looked up without a limit of time
ATTEMPTS, FIRST_WAIT_S = 2, 0.5  # of a request
THREADS, MOST_AWAITED = 4, 32  # pictures
KEPT, KEPT_S = 32, 3600.0  # looks, and how long

_log = logging.getLogger(__name__)


class Spot(NamedTuple):
    """What is looked at.

    Attributes:
        lat: Degrees.
        lon: Degrees.
        window_m: Side of the aerial picture, meters.
        reach_m: How far away a street photo may be, meters.
    """

    lat: float
    lon: float
    window_m: float
    reach_m: float


class Missing(NamedTuple):
    """Why there is no picture.

    Attributes:
        words: A sentence.
        may_pass: Whether there may be one at another attempt.
    """

    words: str
    may_pass: bool


Part = Future["SpotPicture | Missing"]


@dataclass(eq=False)
class Look:
    """One spot, and its pictures as they arrive.

    Attributes:
        spot: What is looked at.
        parts: By modality.
        clock: Tells the time in seconds.
        begun: When it was asked for, by the clock.
    """

    spot: Spot
    parts: dict[str, Part]
    clock: Callable[[], float] = time.monotonic
    begun: float = field(init=False)

    def __post_init__(self) -> None:
        """Note the time."""
        self.begun = self.clock()

    def part(self, modality: str) -> SpotPicture | Missing | None:
        """A picture, or why there is none; None while it is awaited."""
        future = self.parts[modality]
        if future.done():
            return Missing("It is no longer fetched.", True) if future.cancelled() else future.result()
        if self.clock() - self.begun > PATIENCE_S:
            return Missing("No answer in time. Try again later.", True)
        return None

    @property
    def awaited(self) -> int:
        """Pictures that are still awaited."""
        return sum(self.part(modality) is None for modality in self.parts)

    @property
    def may_change(self) -> bool:
        """Whether another attempt may give more."""
        return any(isinstance(part, Missing) and part.may_pass for part in map(self.part, self.parts))


class OnlinePictures:
    """The looks of all visitors; thread-safe."""

    def __init__(
        self,
        *,
        is_allowed: bool = True,
        fetchers: Mapping[str, Callable[[Spot, Web], SpotPicture]] | None = None,
        limits: RateLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it; its threads start with the first look.

        Args:
            is_allowed: Whether visitors may switch it on.
            fetchers: Modality -> fetches its picture; those of `unigeoclip.sources.spot` by default.
            limits: Of the looks of each client.
            clock: Tells the time in seconds.
        """
        self.is_offered = is_allowed and importlib.util.find_spec("requests") is not None  # the extra "sources"
        self._fetchers = fetchers or {"aerial": _aerial, "street": _street}
        self._limits, self._clock = limits or RateLimits(LOOKS, LOOKS_PER_S), clock
        self._executor = ThreadPoolExecutor(THREADS, "online")
        self._kept: OrderedDict[Spot, Look] = OrderedDict()
        self._lock = threading.Lock()
        self._pace: Pace | None = None

    @classmethod
    def from_environment(cls) -> OnlinePictures:
        """As the variable `ONLINE` says: allowed unless it is 0.

        Raises:
            InputError: It is something else than 0 or 1.
        """
        said = os.environ.get(ONLINE, "1")
        if said not in ("0", "1"):
            raise InputError(f"{ONLINE} is '{excerpt(said, 40)}'; it takes 0 or 1.")
        return cls(is_allowed=said == "1")

    def close(self) -> None:
        """Drop what has not begun, and end the threads."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def look(self, spot: Spot, client: str) -> Look:
        """Pictures of a spot: those of a recent look, or new ones.

        Args:
            spot: Where.
            client: Address of the client.

        Raises:
            InputError: Visitors may not, the client asks for too much in a short time, or too many wait.
        """
        if not self.is_offered:
            raise InputError("Online pictures are switched off on this server.")
        with self._lock:
            known = self._kept.get(spot)
            if known is not None and not known.may_change and self._clock() - known.begun < KEPT_S:
                self._kept.move_to_end(spot)
                return known
            if not self._limits.take(client):
                raise InputError("Many places have just been looked at from here. Try again in a minute.")
            if sum(each.awaited for each in self._kept.values()) + len(self._fetchers) > MOST_AWAITED:
                raise InputError("Many pictures are being fetched just now. Try again in a minute.")
            look = Look(spot, {name: self._executor.submit(self._fetch, name, spot) for name in self._fetchers},
                        self._clock)  # fmt: skip
            self._kept[spot] = look
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return look

    def _fetch(self, name: str, spot: Spot) -> SpotPicture | Missing:
        from unigeoclip.sources.spot import NothingThereError

        try:
            return self._fetchers[name](spot, self._client())
        except NothingThereError as error:
            return Missing(str(error), False)
        except UniGeoError as error:
            return Missing(str(error), True)
        except Exception:  # a fault of ours: the page goes on without the picture
            _log.exception("A picture could not be fetched")
            return Missing("It could not be fetched; the server's log says why.", True)

    def _client(self) -> Web:
        """A client for one picture, which keeps the pace of all."""
        from unigeoclip.sources.web import Pace, Web

        with self._lock:
            self._pace = self._pace or Pace()
        return Web(pace=self._pace, attempts=ATTEMPTS, first_wait_s=FIRST_WAIT_S, within_s=WITHIN_S)


def _aerial(spot: Spot, web: Web) -> SpotPicture:
    from unigeoclip.sources.spot import aerial_picture

    return aerial_picture(spot.lat, spot.lon, spot.window_m, web)


def _street(spot: Spot, web: Web) -> SpotPicture:
    from unigeoclip.sources.spot import street_photo

    return street_photo(spot.lat, spot.lon, spot.reach_m, web)
