"""A region of an atlas under several models: what visitors ask of it, and what the worker does for it.

Visitors read what is there; what they no longer wait for can be stopped. Finished regions stay on disk.
"""

from __future__ import annotations

import threading
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pages.ui.services.compare_work import PHASES, Work, nbytes_of
from pages.ui.services.compare_worker import Rank
from pages.ui.services.waiters import Waiters
from pages.ui.view_options import DEFAULT_CLUSTERS
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from pages.ui.services.compare_worker import WorkQueue
    from unigeoclip.atlas import Atlas
    from unigeoclip.compare.region_words import RegionWords
    from unigeoclip.compare.regions import Comparison, Region
    from unigeoclip.compare.selection import Said
    from unigeoclip.embedders import Embedder
    from unigeoclip.search.explorer import Explorer


class GroupName(NamedTuple):
    """What a group of cells is called; ``in_words`` if that is by vectors, not by what is said of its places."""

    text: str
    in_words: bool


def _named(words: str, said: str, others: list[str]) -> GroupName:
    """The name of a group: its words, told apart by what is said of its places where another has the same words."""
    if not words:
        return GroupName(said, in_words=False)
    told_apart = f"{words}; {said}" if said and others.count(words) > 1 else words
    return GroupName(told_apart, in_words=True)


class Job:
    """A region of an atlas under several embedders."""

    def __init__(self, atlas: Atlas, region: Region, embedders: Mapping[str, Embedder], queue: WorkQueue) -> None:
        """Make it; nothing is begun yet.

        Args:
            atlas: What is compared.
            region: The part of it.
            embedders: The models that can be asked for, by name.
            queue: Where their work goes.
        """
        self.atlas, self.region, self._embedders, self._queue = atlas, region, dict(embedders), queue
        self.work: dict[str, Work] = {}
        self.names: dict[tuple[Any, ...], list[GroupName]] = {}  # of clusters, by model, number and first model
        self._explorer: Explorer | None = None  # describes parts of the region, once it is open
        self._words: dict[Region, RegionWords] = {}
        self._adding = threading.Lock()  # two visitors at once begin once

    def offer(self, embedders: Mapping[str, Embedder]) -> None:
        """Let more embedders be asked for: those of a visitor, whose names nobody else can guess."""
        self._embedders |= embedders

    def request(self, names: list[str], visitor: str, *, umap: bool = False, pair: tuple[str, ...] = ()) -> None:
        """Ask for maps of these embedders, then for layouts and figures; what the visitor has stopped stays so.

        Args:
            names: The models, the first of which the others are compared with.
            visitor: Who asks.
            umap: Whether layouts are wanted.
            pair: Two of the models if their disagreement is wanted; that of each other with the first comes along.
        """
        with self._adding:
            for name in names:
                self._add(name, visitor)
        works = [self.work[name] for name in names]
        if not all(work.complete for work in works):
            return
        for work in works:
            if umap and not work.laid_out:
                self._begin(Rank.LAYOUT, work, "layout", "Waiting for UMAP", self._compute_layout)
            elif not self._knows(work, pair):
                act = partial(self._compare_neighborhoods, first=self.work[pair[0]])
                self._begin(Rank.LAYOUT, work, "disagreement", "Comparing neighborhoods", act)
            else:
                self._request_figures(work, self.comparison(names))

    def _request_figures(self, work: Work, comparison: Comparison) -> None:
        """Show those on disk at once; compute what is not. There are none where the models have no cells in common."""
        common, first = comparison.common_or_none, comparison.reference.embedder.name
        if common is None or (common in work.figures and (first, common) in work.agreement):
            return
        if comparison.is_measured(work.name):
            work.ready.add("figures")
            self._measure(work, comparison)
        else:
            self._begin(Rank.FIGURES, work, "figures", "Measuring", lambda work: self._measure(work, comparison))
        if not work.prepared:
            work.prepared = True
            self._queue.submit(Rank.AHEAD, work, self._prepare)

    def disagrees(self, one: str, other: str) -> bool:
        """Whether two models can disagree here: both tell places apart, in a region that is large enough."""
        from unigeoclip.compare.disagreement import LEAST_CELLS

        found = [self.work[name].embedded for name in (one, other)]
        return self.cells_in_common(one, other) >= LEAST_CELLS and all(each and each.varies for each in found)

    def cells_in_common(self, one: str, other: str) -> int:
        """Number of cells for which two models have vectors."""
        masks = [each.region.grid.mask for name in (one, other) if (each := self.work[name].embedded) is not None]
        return int(np.logical_and.reduce(masks).sum()) if masks else 0

    def has_disagreement(self, comparison: Comparison, pair: tuple[str, ...]) -> bool:
        """Whether the disagreement of a pair, and of the first of it with every other model, needs no computing."""
        names = comparison.embedded
        if not all(name in names for name in pair) or not all(self.is_final(comparison, name) for name in names):
            return False
        return all(self._knows(self.work[name], pair) for name in names)

    def has_layouts(self, comparison: Comparison) -> bool:
        """Whether the UMAP layouts of the models are computed."""
        return all(self.is_final(comparison, name) and each.is_laid_out for name, each in comparison.embedded.items())

    def is_final(self, comparison: Comparison, name: str) -> bool:
        """Whether what a comparison shows of a model is complete: the worker may have gone on since it was made."""
        work = self.work[name]
        return work.complete and work.embedded is comparison.embedded[name]

    def _knows(self, work: Work, pair: tuple[str, ...]) -> bool:
        if not pair or work.name == pair[0] or not self.disagrees(pair[0], work.name):
            return True
        return pair[0] in work.examples

    def _add(self, name: str, visitor: str) -> None:
        """Begin with an embedder, or again with one that others have stopped."""
        work = self.work.get(name)
        waiters = Waiters() if work is None else work.waiters
        waiters.see(visitor)
        if work is not None and (waiters.has_left(visitor) or not work.stopped):
            return
        if work is not None and work.complete:
            work.stopped, work.doing = False, ""
        else:
            self._open(name, waiters)

    def _open(self, name: str, waiters: Waiters) -> None:
        """Show what is on disk at once; embed what is not."""
        from unigeoclip.compare.regions import cached_region

        work = Work(name, waiters)
        work.embedded = cached_region(self._embedders[name], self.region)
        work.complete = work.embedded is not None
        if not work.complete:
            self._begin(Rank.COARSE, work, "map", "Processing the map", self._look)
        work.ready = {phase for phase in ("map", "layout") if work.done(phase) == 1}
        self.work[name] = work

    def _begin(self, rank: Rank, work: Work, phase: str, words: str, act: Callable[[Work], bool]) -> None:
        """Queue an act unless the work is at something already, was stopped, or failed."""
        if work.doing or work.stopped or work.error:
            return
        work.doing, work.phase, work.share = words, phase, 0.0
        self._queue.submit(rank, work, act)

    def version(self, names: list[str]) -> int:
        """Changes whenever there is more to see of these embedders, or to begin with them."""
        return sum(self.work[name].version for name in names if name in self.work)

    def progress(self, names: list[str], *, umap: bool = False, pair: tuple[str, ...] = ()) -> tuple[str, float]:
        """What is being done for these embedders, in words, and how much of all that had to be done is, 0 to 1.

        The words are empty when nothing is on its way.
        """
        works = [self.work[name] for name in names if name in self.work]
        busy = [work for work in works if work.busy]
        if not busy:
            return "", 1.0
        wanted = {"layout": umap, "disagreement": bool(pair)}
        now = next((work for work in busy if work.is_current), max(busy, key=lambda work: work.share))
        costs = [
            (PHASES[phase], 1.0 if phase == "disagreement" and self._knows(work, pair) else work.done(phase))
            for work in works
            for phase in PHASES
            if phase not in work.ready and (wanted.get(phase, True)) and not work.error
        ]
        total = sum(cost for cost, _ in costs)
        share = sum(cost * done for cost, done in costs) / total if total else 1.0
        title = self._embedders[now.name].title
        return f"{now.doing}: {title}, {works.index(now) + 1} of {len(works)}", share

    def see(self, names: list[str], visitor: str) -> None:
        """Note that a visitor waits for these embedders."""
        for name in names:
            self.work[name].waiters.see(visitor)

    def stop(self, visitor: str) -> None:
        """A visitor does not wait for what is not done; it is given up if nobody else does."""
        for work in list(self.work.values()):
            if work.busy:
                work.waiters.leave(visitor)
                work.is_running()

    def abandon(self) -> None:
        """Give up what is not done, whoever waits."""
        for work in list(self.work.values()):
            work.stopped = work.busy

    def try_again(self, names: list[str]) -> None:
        """Forget what went wrong with these embedders: the next `request` begins with them again."""
        with self._adding:
            for name in names:
                if name in self.work and self.work[name].error:
                    del self.work[name]

    def use_words(self, explorer: Explorer | None) -> None:
        """Describe parts of the region by the vectors of an explorer from now on, if it has words; None for not yet."""
        if explorer is not None and explorer.has_words:
            self._explorer = explorer

    def _words_on(self, region: Region) -> RegionWords | None:
        """What describes groups of cells of the region, or of the part of it for which a model has vectors."""
        from unigeoclip.compare.region_words import RegionWords

        if self._explorer is not None and region not in self._words:
            self._words[region] = RegionWords(self._explorer, region)
        return self._words.get(region)

    def cluster_names(self, comparison: Comparison, name: str, count: int) -> list[GroupName]:
        """What the clusters of a model are: in words, or else by what is said of the places in each."""
        from unigeoclip.compare.selection import name_of

        first, is_final = comparison.reference.embedder.name, partial(self.is_final, comparison)
        key = name, count, is_final(name), first, is_final(first), self._explorer is not None
        if key not in self.names:
            labels, region = comparison.cluster_labels(name, count), comparison.embedded[name].region
            of_all = np.full(len(self.region.grid), -1)
            of_all[self.region.grid.rows_of(region.grid)] = labels
            said = [name_of(each) for _, each in self.characteristic(of_all, count)]
            words = self._words_of(region, labels, count)
            self.names[key] = [_named(word, text, words) for word, text in zip(words, said, strict=True)]
        return self.names[key]

    def component_ends(self, comparison: Comparison, name: str, number: int) -> tuple[str, str]:
        """The low and the high end of a component of a model in words; empty where that is not known."""
        scores, words = comparison.embedded[name].scores, self._words_on(comparison.embedded[name].region)
        if words is None or number >= scores.shape[1]:
            return "", ""
        try:
            low, high = words.ends(scores[:, number])
        except InputError:
            return "", ""
        return "" if low is None else low.summary(), "" if high is None else high.summary()

    def _words_of(self, region: Region, labels: NDArray[np.integer[Any]], count: int) -> list[str]:
        words = self._words_on(region)
        if words is None:
            return [""] * count
        try:
            found = words.groups(labels, count)
        except InputError:  # the vocabulary has nothing close to the captions of this atlas
            return [""] * count
        return ["" if each is None else each.summary() for each in found]

    def characteristic(
        self, groups: NDArray[np.integer[Any]], count: int, most: int = 3
    ) -> list[tuple[int, list[Said]]]:
        """What is said of groups of cells, (n,), -1 for none: how many places each holds, characteristic sentences."""
        from unigeoclip.compare.selection import characteristic

        cells = self.places
        return characteristic(self.atlas, np.where(cells >= 0, groups[cells], -1), count, most)

    @cached_property
    def places(self) -> NDArray[np.int32]:
        """The cell of each place of the atlas, -1 outside the region."""
        from unigeoclip.compare.selection import places_of_cells

        return places_of_cells(self.atlas, self.region.grid)

    @property
    def nbytes(self) -> int:
        """Memory that the region and its works hold, but for vectors that are mapped from their files."""
        files = sum(getattr(each, "nbytes", 0) for each in list(self._embedders.values()))
        return files + nbytes_of(self.region) + sum(work.nbytes for work in list(self.work.values()))

    def resume(self, visitor: str) -> None:
        """A visitor wants after all what they have stopped: the next `request` asks for it."""
        for work in list(self.work.values()):
            work.waiters.restore(visitor)

    @property
    def is_waited_for(self) -> bool:
        """Whether a visitor waits for something of it."""
        return any(work.busy and work.waiters.is_waiting() for work in list(self.work.values()))

    def comparison(self, names: list[str]) -> Comparison:
        """What can be shown of these embedders, which may be nothing yet."""
        from unigeoclip.compare.regions import Comparison

        found = {name: work.embedded for name in names if (work := self.work[name]).embedded is not None}
        return Comparison(self.region, found)

    # Acts of the worker; they say whether the work has come to an end.

    def _look(self, work: Work) -> bool:
        from unigeoclip.compare.regions import embed_coarsely

        work.embedded = embed_coarsely(self._embedders[work.name], self.region)
        self._queue.submit(Rank.FULL, work, self._embed)
        return False

    def _embed(self, work: Work) -> bool:
        from unigeoclip.compare.regions import cached_region, embed_region

        embedder = self._embedders[work.name]
        fresh = embed_region(embedder, self.region, work.report, coarse=work.embedded)
        # Mapped from the file they need no memory of their own; where no file could be written they stay.
        work.embedded = cached_region(embedder, self.region) or fresh
        work.complete = True
        work.pictures.clear()
        return True

    def _compute_layout(self, work: Work) -> bool:
        from unigeoclip.compare.projection import compile_umap, is_umap_compiled

        if work.embedded is None:
            return True
        if not is_umap_compiled():
            work.doing = "Preparing UMAP, once after a start"
            compile_umap()
        work.doing = "Laying out with UMAP"
        work.embedded.compute_layout(work.report)
        return True

    def _compare_neighborhoods(self, work: Work, first: Work) -> bool:
        from unigeoclip.compare.disagreement import disagreement, examples, in_common

        if work.embedded is None or first.embedded is None:
            return True
        disagreement(first.embedded, work.embedded, work.report)
        cells = self.region.grid.rows_of(in_common(first.embedded, work.embedded)[0].region.grid)
        shown = np.flatnonzero(np.isin(cells, self.places))  # of which there are pictures and texts
        work.examples[first.name] = [each.of(cells) for each in examples(first.embedded, work.embedded, shown)]
        return True

    def _measure(self, work: Work, comparison: Comparison) -> bool:
        common, first = comparison.common, comparison.reference.embedder.name
        if common not in work.figures:
            work.figures[common] = comparison.figures(work.name, lambda done, total: work.report(done, total + 1))
        work.agreement[first, common] = comparison.agreement(work.name, first)
        if all(common in self.work[name].figures for name in comparison.embedded):
            common.forget_figure_sample()
        return True

    def _prepare(self, work: Work) -> bool:
        """What a visitor is likely to ask for next; nobody waits for it."""
        if work.embedded is not None:
            work.embedded.clusters(DEFAULT_CLUSTERS)
            self._queue.submit(Rank.AHEAD, work, _compile)
        return False


def _compile(_work: Work) -> bool:
    from unigeoclip.compare.projection import compile_umap

    compile_umap()
    return False
