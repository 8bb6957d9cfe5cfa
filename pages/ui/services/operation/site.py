"""Where the maps of this server are published as a static site: an environment variable."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from unigeoclip.errors import InputError, excerpt

SITE = "UNIGEOCLIP_SITE_URL"  # environment variable
MAX_LENGTH = 400  # characters: with more, a QR code is too fine for a phone across a room


def site_from_environment() -> str:
    """Address of the published site, as ``UNIGEOCLIP_SITE_URL`` has it; empty without one.

    Raises:
        InputError: It is no address of the web, too long, or has a fragment, which says what of the site is shown.
    """
    given = os.environ.get(SITE, "").strip()
    if given and not _is_address(given):
        raise InputError(
            f"{SITE} is '{excerpt(given)}'; it takes the address of a site that 'unigeoclip site' has written, such as "
            f"https://example.org/map/: http or https, at most {MAX_LENGTH} characters of ASCII, without '#'."
        )
    return given


def _is_address(text: str) -> bool:
    if len(text) > MAX_LENGTH or not text.isascii() or not text.isprintable() or set(text) & set(' #\\"<>'):
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
