"""Addresses of pictures that lie over maps."""

from __future__ import annotations

from pages.ui.http.urls import urls
from pages.ui.services import services


def overlay_url(content: bytes, extension: str = "png") -> str:
    """Publish an overlay; returns the address where the browser fetches it. See `OverlayStore.publish`."""
    return urls.overlay(services().overlays.publish(content, extension))
