"""Present pictures of one spot: an aerial picture as wide as a model's windows, and a photo from a street nearby."""

from unigeoclip.sources.spot.aerial import aerial_hosts, aerial_picture
from unigeoclip.sources.spot.picture import NothingThereError, SpotPicture
from unigeoclip.sources.spot.street import STREET_HOSTS, street_photo

__all__ = ["STREET_HOSTS", "NothingThereError", "SpotPicture", "aerial_hosts", "aerial_picture", "street_photo"]
