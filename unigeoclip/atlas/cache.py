"""The folder for things that can be fetched or computed again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """$UNIGEOCLIP_CACHE, or ~/.cache/unigeoclip; not created here."""
    return Path(os.environ.get("UNIGEOCLIP_CACHE") or Path.home() / ".cache" / "unigeoclip")
