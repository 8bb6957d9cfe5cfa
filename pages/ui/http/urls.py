"""Addresses of the app's own routes: the one place that builds them; `routes.table` says what answers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pages.ui.protocol import ViewAddresses
    from unigeoclip.atlas import Atlas

STREET_PX = 448  # width of a street view, unless another is asked for; street views are 4:3


@dataclass(frozen=True)
class Urls:
    """Builds addresses below the server's own; those of an atlas change with its data, so that browsers may keep them.

    Attributes:
        data: What all addresses of data begin with.
        web: What all addresses of scripts and style sheets begin with.
    """

    data: str = "/data"
    web: str = "/web"

    def file(self, path: str) -> str:
        """A file of ``assets/web``."""
        return f"{self.web}/{path}"

    def overlay(self, name: str) -> str:
        """An overlay that was published."""
        return f"{self.data}/overlays/{name}"

    def private(self, name: str) -> str:
        """A picture that one visitor's browser alone knows of."""
        return f"{self.data}/private/{name}"

    def progress(self, topic: str) -> str:
        """Progress of what a visitor follows."""
        return f"{self.data}/progress/{topic}"

    @property
    def qr(self) -> str:
        """A QR code of its parameter ``address``."""
        return f"{self.data}/qr.svg"

    def tiles(self, atlas: Atlas, style: str) -> str:
        """Template of the tiles of a base map, "photo" or "plain", as Leaflet takes it."""
        return self._of(atlas, f"tiles/{style}/{{z}}/{{x}}/{{y}}")

    def picture(self, atlas: Atlas, modality: str, lat: float, lon: float) -> str:
        """The picture of a modality round a point."""
        return self._of(atlas, f"pictures/{modality}/{lat:.5f},{lon:.5f}")

    def heights(self, atlas: Atlas, lat: float, lon: float) -> str:
        """The height scale of the surface picture round a point."""
        return self._of(atlas, f"heights/{lat:.5f},{lon:.5f}")

    def vectors(self, atlas: Atlas, layer: str) -> str:
        """A line layer of the base map."""
        return self._of(atlas, f"vectors/{layer}")

    def live(self, atlas: Atlas, model: str) -> str:
        """The compact grid of an atlas under a model, by its checksum."""
        return self._of(atlas, f"live/{model}")

    def live_encoder(self, atlas: Atlas, model: str) -> str:
        """The location encoder of an atlas's model, by its checksum."""
        return self._of(atlas, f"live/encoder/{model}")

    def live_query(self, atlas: Atlas, key: str) -> str:
        """The heatmaps of the items of a query, by its key of `WeighedQueries`."""
        return self._of(atlas, f"live/query/{key}")

    def live_region(self, atlas: Atlas, key: str) -> str:
        """The compact grid of a region under a model, by its `Embedded.key`."""
        return self._of(atlas, f"live/compare/{key}")

    def live_region_encoder(self, atlas: Atlas, key: str) -> str:
        """The location encoder that goes with `live_region`."""
        return self._of(atlas, f"live/compare/encoder/{key}")

    def heatmap(self, atlas: Atlas, display: dict[str, str]) -> str:
        """Template of the heatmap of a point, ``{lat}`` and ``{lng}`` in degrees, in a display as links spell it."""
        return self._of(atlas, "heatmap/{lat},{lng}", **display)

    def suggestions(self, atlas: Atlas) -> str:
        """Texts that the search field suggests."""
        return self._of(atlas, "suggestions")

    def names(self, atlas: Atlas) -> str:
        """Names of places that begin so, with a parameter ``text``."""
        return self._of(atlas, "names")

    def street(self, atlas: Atlas, lat: float, lon: float, heading_deg: float) -> str:
        """The street view of a camera."""
        return self._of(atlas, f"street/{lat:.6f},{lon:.6f},{heading_deg % 360:g}.jpg", w=str(STREET_PX))

    def street_templates(self, atlas: Atlas) -> ViewAddresses:
        """Templates for looking around: ``picture`` with a pose and a width, ``step`` with a pose and a way."""
        return {
            "picture": self._of(atlas, "street/{pose}.jpg", w="{width}"),
            "step": self._of(atlas, "street/{pose}/{way}"),
        }

    def _of(self, atlas: Atlas, path: str, **parameters: str) -> str:
        query = "&".join(f"{key}={value}" for key, value in (parameters | {"v": atlas.data_hash}).items())
        return f"{self.data}/{atlas.name}/{path}?{query}"


urls = Urls()
