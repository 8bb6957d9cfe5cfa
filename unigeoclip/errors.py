"""Exceptions of the package.

    UniGeoError
    ├── InputError        something a person gave: coordinates, text, an image, a CSV, an option
    ├── AtlasError        an atlas folder: missing, incomplete, changed, of another format
    ├── CheckpointError   a model folder: missing, of another shape or configuration
    ├── DownloadError     a source that could not be fetched or verified
    ├── MissingPackageError  an optional package that is not installed
    └── StoppedError      a computation that whoever asked for it does not want any more

Every message says what was wrong, where, and how to mend it; the command line prints it in one line and the app shows
it as a sentence.
"""

__all__ = [
    "AtlasError",
    "CheckpointError",
    "DownloadError",
    "InputError",
    "MissingPackageError",
    "StoppedError",
    "UniGeoError",
    "excerpt",
]

EXCERPT_CHARACTERS = 80


def excerpt(text: object, limit: int = EXCERPT_CHARACTERS) -> str:
    """What a message repeats of a person's input: one line of printable characters, and no more than its beginning.

    Args:
        text: The input; its ``str`` is taken.
        limit: Most characters, the last of which then says that there is more.
    """
    # Cut first: to look at every character of a megabyte takes longer than to say what is wrong with it.
    beginning = str(text)[: 2 * limit + 1]
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in beginning).split())
    return line if len(line) <= limit and len(beginning) <= 2 * limit else f"{line[: limit - 1].rstrip()}…"


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


class MissingPackageError(UniGeoError, ImportError):
    """An optional package is not installed."""


class StoppedError(UniGeoError):
    """The person who asked for a computation does not want it any more."""
