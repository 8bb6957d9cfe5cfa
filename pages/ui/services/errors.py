"""Errors of services: what is asked for is not there, or not there yet."""

from unigeoclip.errors import UniGeoError


class NotFoundError(UniGeoError):
    """What was asked for does not exist."""


class NotReadyError(UniGeoError):
    """It will be there in a moment: ask again."""
