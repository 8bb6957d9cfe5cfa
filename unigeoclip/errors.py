"""Exceptions of the package.

    UniGeoError
    ├── InputError        something a person gave: coordinates, text, an image, a CSV, an option
    ├── AtlasError        an atlas folder: missing, incomplete, changed, of another format
    ├── CheckpointError   a model folder: missing, of another shape or configuration
    ├── DownloadError     a source that could not be fetched or verified
    └── StoppedError      a computation that whoever asked for it does not want any more

Every message says what was wrong, where, and how to mend it; the command line prints it in one line and the app shows
it as a sentence.
"""

__all__ = ["AtlasError", "CheckpointError", "DownloadError", "InputError", "StoppedError", "UniGeoError"]


class UniGeoError(Exception):
    """Base of every error that this package raises on purpose."""


class InputError(UniGeoError):
    """A person's input cannot be used."""


class AtlasError(UniGeoError):
    """An atlas folder cannot be used."""


class CheckpointError(UniGeoError):
    """A model folder or checkpoint cannot be used."""


class DownloadError(UniGeoError):
    """A source could not be downloaded or is not what was expected."""


class StoppedError(UniGeoError):
    """The person who asked for a computation does not want it any more."""
