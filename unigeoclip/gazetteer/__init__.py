"""Names of places: which an atlas knows, where they are, and which of them somebody is typing."""

from unigeoclip.gazetteer.index import MAX_CHARACTERS, Gazetteer
from unigeoclip.gazetteer.names import PlaceName, names_of

__all__ = ["MAX_CHARACTERS", "Gazetteer", "PlaceName", "names_of"]
