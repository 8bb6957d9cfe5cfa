"""Data of page Compare: the image and the color scheme that its maps show."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pages.ui.view_options import DEFAULT_KIND, DEFAULT_SCALE
from unigeoclip.embedders import PictureEmbedder
from unigeoclip.errors import UniGeoError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from unigeoclip.embedders import Embedder


class UnavailableError(UniGeoError):
    """A model cannot show what is asked for."""


@dataclass(frozen=True, eq=False)
class ImageQuery:
    """An image as a query to several models.

    Attributes:
        name: Of its file.
        kind: Its modality: "aerial", "street" or "surface".
        data: Content of the file.
    """

    name: str
    kind: str
    data: bytes
    _results: dict[str, NDArray[np.float32] | UnavailableError] = field(default_factory=dict)

    def embedding(self, embedder: Embedder) -> NDArray[np.float32]:
        """The image's embedding in a model's space, (dim,); computed once.

        Raises:
            UnavailableError: The model embeds no images, or not this one.
        """
        if embedder.name not in self._results:
            self._results[embedder.name] = self._embed(embedder)
        result = self._results[embedder.name]
        if isinstance(result, UnavailableError):
            raise result.with_traceback(None)
        return result

    def _embed(self, embedder: Embedder) -> NDArray[np.float32] | UnavailableError:
        if not isinstance(embedder, PictureEmbedder):
            return UnavailableError("This model supports points only, no images.")
        try:
            return embedder.embed_picture(self.data, self.kind)
        except UniGeoError as error:
            return UnavailableError(str(error))


@dataclass(frozen=True)
class ColorScheme:
    """How maps are colored.

    Attributes:
        kind: "components", "component", "clusters", "umap" or "disagreement".
        number: Which component from 0, or how many clusters.
        point: Latitude and longitude; similarity to it is shown in place of all that.
        image: The same for an image.
        scale: What colors of similarity stand for, one of ``view_options.SCALES``.
        pair: Names of the two models whose disagreement is shown; empty for other kinds.
    """

    kind: str = DEFAULT_KIND
    number: int = 0
    point: tuple[float, float] | None = None
    image: ImageQuery | None = None
    scale: str = DEFAULT_SCALE
    pair: tuple[str, ...] = ()

    @property
    def shows_similarity(self) -> bool:
        """Whether similarity to a query is shown."""
        return self.point is not None or self.image is not None

    @property
    def blends(self) -> bool:
        """Whether colors between two cells mean something in between."""
        return self.kind != "clusters"

    @property
    def shows_disagreement(self) -> bool:
        """Whether the maps show where two models disagree."""
        return self.kind == "disagreement" and len(self.pair) == 2 and not self.shows_similarity

    def other_model(self, name: str) -> str:
        """The model whose disagreement with a model its map shows: the other of the pair, or the first of it."""
        first, second = self.pair
        return second if name == first else first

    def without_query(self) -> ColorScheme:
        """The same without a query; components in place of a disagreement."""
        plain = replace(self, point=None, image=None)
        return plain.as_components() if self.kind == "disagreement" else plain

    def as_components(self) -> ColorScheme:
        """Components in its place, which every model has at once."""
        return replace(self, kind="components", number=0, pair=())
