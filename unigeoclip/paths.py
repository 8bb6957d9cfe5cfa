"""Where this package finds its data: atlases, weights of the baselines, towns, results, and Leaflet for maps.

In a checkout these are in ``assets`` beside the package. In an installed wheel they are package data, in
``unigeoclip/_assets``, which a checkout does not have.
"""

from pathlib import Path

__all__ = ["ASSETS", "ATLASES", "BASELINES", "GAZETTEER", "IMPORT_ROOT", "LEAFLET", "RESULTS", "is_installed"]

_PACKAGE = Path(__file__).resolve().parent
_PACKAGE_DATA = _PACKAGE / "_assets"

IMPORT_ROOT = _PACKAGE.parent  # on the PYTHONPATH of a child process, so that it imports this very package


def is_installed() -> bool:
    """Whether the data are those of an installed wheel, where nothing new should be written."""
    return _PACKAGE_DATA.is_dir()


ASSETS = _PACKAGE_DATA if is_installed() else IMPORT_ROOT / "assets"
ATLASES = ASSETS / "atlases"
BASELINES = ASSETS / "baselines"
GAZETTEER = ASSETS / "gazetteer"
RESULTS = ASSETS / "results"
LEAFLET = ASSETS / "web" / "leaflet"
