"""Pictures that lie over maps, kept until the browsers that asked for them have fetched them."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

from pages.ui.services.errors import NotFoundError

MAX_OVERLAYS, MAX_BYTES = 256, 64_000_000  # 256 heatmaps are about 25 MB
TYPES = {"png": "image/png", "webp": "image/webp", "geojson": "application/geo+json"}  # by extension


class OverlayStore:
    """Overlays by the hash of their content; bounded, the least recently published go first. Thread-safe."""

    def __init__(self, max_overlays: int = MAX_OVERLAYS, max_bytes: int = MAX_BYTES) -> None:
        """Make an empty store.

        Args:
            max_overlays: Number of overlays that are kept at most.
            max_bytes: Bytes of all overlays at most; a single larger one is kept nonetheless.
        """
        self._max_overlays, self._max_bytes = max_overlays, max_bytes
        self._overlays: OrderedDict[str, bytes] = OrderedDict()
        self._nbytes = 0
        self._lock = threading.Lock()

    def publish(self, content: bytes, extension: str = "png") -> str:
        """Keep an overlay.

        Args:
            content: A picture, or gzipped GeoJSON.
            extension: What it is, a key of `TYPES`.

        Returns:
            Its name, which depends on the content alone.
        """
        name = f"{hashlib.sha256(content).hexdigest()[:24]}.{extension}"
        with self._lock:
            self._nbytes += len(content) - len(self._overlays.get(name, b""))
            self._overlays[name] = content
            self._overlays.move_to_end(name)
            while len(self) > self._max_overlays or (self._nbytes > self._max_bytes and len(self) > 1):
                _, removed = self._overlays.popitem(last=False)
                self._nbytes -= len(removed)
        return name

    def get(self, name: str) -> bytes:
        """Content of an overlay.

        Raises:
            NotFoundError: There is none of that name, or it is no longer kept.
        """
        with self._lock:
            content = self._overlays.get(name)
        if content is None:
            raise NotFoundError("This picture is no longer kept; repeat the query.")
        return content

    def __len__(self) -> int:
        return len(self._overlays)

    @property
    def nbytes(self) -> int:
        """Bytes of all overlays."""
        return self._nbytes

    @property
    def names(self) -> list[str]:
        """Names of the overlays, the least recently published first."""
        return list(self._overlays)
