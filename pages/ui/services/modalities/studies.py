"""The study of an atlas's modalities, on its way: visitors read it, a thread writes it."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import UniGeoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from unigeoclip.atlas import Atlas
    from unigeoclip.evaluation.modalities.study import ModalityStudy
    from unigeoclip.search.explorer import Explorer

    Measure = Callable[[Explorer, Callable[[str, float], None]], ModalityStudy]

MOST_CLUSTERS = 8
_PLACES_A_CLUSTER = 6
_log = logging.getLogger(__name__)


def measure(explorer: Explorer, report: Callable[[str, float], None]) -> ModalityStudy:
    """Study the modalities of the model and the atlas of an explorer."""
    from unigeoclip.evaluation.modalities.study import study_modalities

    return study_modalities(explorer.model, explorer.atlas, report=report)


class StudyJob:
    """One atlas.

    Attributes:
        atlas: Its data.
        study: What was measured, when it is done.
        clusters: (n,) cluster of each held-out item, from 0 by falling size.
        cluster_names: What is said of the places of each, empty where nothing is characteristic.
        error: A sentence why there is nothing.
        words: What is being done.
        share: How much of it is done, 0 to 1.
    """

    def __init__(self, explorer: Explorer) -> None:
        self.atlas: Atlas = explorer.atlas
        self._explorer: Explorer | None = explorer
        self.study: ModalityStudy | None = None
        self.clusters: NDArray[np.int64] = np.zeros(0, np.int64)
        self.cluster_names: list[str] = []
        self.error = ""
        self.words, self.share = "Waiting for another atlas", 0.0
        self._done = threading.Event()

    @property
    def key(self) -> str:
        """Tells atlases apart."""
        return key_of(self.atlas)

    @property
    def is_done(self) -> bool:
        """Whether it has ended, with or without a result."""
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait at most that long; returns whether it is over."""
        return self._done.wait(seconds)

    @property
    def nbytes(self) -> int:
        """Memory that it holds."""
        return 0 if self.study is None else self.study.nbytes

    def run(self, measure: Measure, yield_priority: Callable[[], None]) -> None:
        """Measure; what goes wrong is noted.

        Args:
            measure: Does it.
            yield_priority: Called between steps; waits while there is more urgent work.
        """
        explorer, self._explorer = self._explorer, None

        def report(words: str, share: float) -> None:
            self.words, self.share = words, min(max(share, 0.0), 1.0)
            yield_priority()

        try:
            if explorer is not None:
                study = measure(explorer, report)
                report("Grouping the places", 1.0)
                self._cluster(study)
                self._warm(study)
                self.study = study
        except UniGeoError as error:
            self.error = str(error)
        except MemoryError:
            _log.exception("The modalities of %s were not measured", self.atlas.name)
            self.error = "There is not enough memory to measure the modalities of this atlas."
        except Exception:  # an unexpected error must not stop the thread for all visitors
            _log.exception("The modalities of %s were not measured", self.atlas.name)
            self.error = "Measuring the modalities stopped unexpectedly; the server's log says why."
        self._done.set()

    def _cluster(self, study: ModalityStudy) -> None:
        """k-means of the mean of all modalities, and names for the clusters from what is said of their places."""
        from unigeoclip.compare.projection import clusters
        from unigeoclip.compare.selection import characteristic, name_of

        count = min(MOST_CLUSTERS, len(study.items) // _PLACES_A_CLUSTER)
        if count < 2:
            self.clusters = np.zeros(len(study.items), np.int64)
            self.cluster_names = [""]
            return
        self.clusters = clusters(study.ensemble, count)
        groups = np.full(len(self.atlas.places), -1, np.int64)
        groups[study.items.rows] = self.clusters
        self.cluster_names = [name_of(said) for _, said in characteristic(self.atlas, groups, count)]

    @staticmethod
    def _warm(study: ModalityStudy) -> None:
        """Compute what the page shows at once."""
        for name in ("centered", "alignment", "gap", "uniformity", "levels"):
            getattr(study, name)


def key_of(atlas: Atlas) -> str:
    """Name of an atlas, and what changes with its data."""
    return f"{atlas.name}-{atlas.data_hash}"
