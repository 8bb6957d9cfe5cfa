"""Tables of probes: what ours, others and floors reach on every task, and on how many tasks ours is ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unigeoclip.evaluation.probing.encoders import ENSEMBLE, is_floor, is_ours
from unigeoclip.results.probe_reports import NEIGHBORHOODS, PLAIN
from unigeoclip.results.result_table import DASH, ResultTable, with_interval
from unigeoclip.tasks.catalog import TASKS, WITHOUT_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from unigeoclip.results.records import Figure, Record

__all__ = ["probe_tables", "wins"]

OURS = "unigeoclip"
_NESTED = "nested"
_PLAIN_FLOORS = ("coordinates", "fourier")  # embedders that have learned nothing
_NAMES = {OURS: "UniGeoCLIP, location", ENSEMBLE: "UniGeoCLIP, mean of all modalities"}
_HEADS = {OURS: "ours, location", ENSEMBLE: "ours, mean of all modalities", WITHOUT_TEXT: "ours, without text"}
_GAIN = "ours, location, minus the best of the others"
_TITLES = {"boston": "Boston", "us": "United States", "world": "World"}
_SCOPES = {"boston": (OURS, ENSEMBLE), "us": (OURS,), "world": (OURS, WITHOUT_TEXT)}


def probe_tables(records: Sequence[Record]) -> dict[str, ResultTable]:
    """Name of a table -> the table; one without rows has nothing to show yet."""
    probes = [record for record in records if record.kind == "probe"]
    return {
        "probe-wins": _wins(probes),
        **{f"probes-{scope}": _of_scope(probes, scope, ours) for scope, ours in _SCOPES.items()},
        "probes-pictures": _all_encoders(probes, _is_of_pictures),
        "probes-others": _all_encoders(
            probes, lambda record: record.subject not in TASKS or record.protocol != _NESTED
        ),
    }


def _is_of_pictures(record: Record) -> bool:
    """Whether the aerial encoder is what a task is about, or one that others than R2 and accuracy are known of."""
    task = TASKS.get(record.subject)
    return task is not None and (task.input != "location" or bool(task.also))


def _is_other(record: Record) -> bool:
    return record.subject not in TASKS or record.protocol != _NESTED


def _is_of_scope(record: Record, scope: str) -> bool:
    task = TASKS.get(record.subject)
    return task is not None and task.scope == scope and task.input == "location" and record.protocol == _NESTED


# Every task


def _of_scope(records: Sequence[Record], scope: str, ours: Sequence[str]) -> ResultTable:
    """A row a task and split: ours, the best of the other encoders, the best of the floors."""
    rows = []
    for record in _first_seed(record for record in records if _is_of_scope(record, scope) and record.variant == PLAIN):
        found = _by_name(record)
        seen = set(record.seen_by)
        others = [figure for name, figure in found.items() if not is_ours(name)]
        best = [_best(each for each in others if _is_floor(each) == floor) for floor in (False, True)]
        columns = [*(found.get(name) for name in ours), *best]
        free = [each.value for each in columns if each is not None and each.what not in seen]
        cells = [_cell(each, max(free, default=None), named=n >= len(ours)) for n, each in enumerate(columns)]
        is_seen = found[OURS].what in seen if OURS in found else False
        n = f"{next(iter(found.values())).n:,}"
        about = [TASKS[record.subject].title, record.split, n, "yes" if is_seen else "no"]
        rows.append([*about, *cells, _gain(found.get(OURS))])
    head = ["task", "split", "n", "seen in training", *(_HEADS[name] for name in ours)]
    return ResultTable([*head, "best other encoder", "best floor", _GAIN], rows)


def _first_seed(records: Iterator[Record]) -> list[Record]:
    """Of every task and split the record of the lowest seed, in the order of the tasks."""
    found: dict[tuple[str, str], Record] = {}
    for record in sorted(records, key=lambda record: (_place(record), record.seeds)):
        found.setdefault((record.subject, record.split), record)
    return list(found.values())


def _place(record: Record) -> int:
    names = list(TASKS)
    return names.index(record.subject) if record.subject in TASKS else len(names)


def _by_name(record: Record) -> dict[str, Figure]:
    """Encoder -> its figure in the metric that counts."""
    return {figure.name or figure.what: figure for figure in record.figures if figure.metric in ("r2", "accuracy")}


def _is_floor(figure: Figure) -> bool:
    return is_floor(figure.name) or figure.name in _PLAIN_FLOORS


def _best(figures: Iterator[Figure]) -> Figure | None:
    return max(figures, key=lambda figure: figure.value, default=None)


def _cell(figure: Figure | None, best: float | None, *, named: bool) -> str:
    if figure is None:
        return DASH
    shown = f"{figure.what}: " if named else ""
    shown += with_interval(figure.value, figure.low, figure.high)
    return f"**{shown}**" if figure.value == best else shown


def _gain(figure: Figure | None) -> str:
    if figure is None or figure.gain is None:
        return DASH
    return with_interval(figure.gain.value, figure.gain.low, figure.gain.high)


def _all_encoders(records: Sequence[Record], shown: Callable[[Record], bool]) -> ResultTable:
    """A row an encoder."""
    rows = []
    for record in _first_seed(record for record in records if shown(record)):
        title = TASKS[record.subject].title if record.subject in TASKS else record.subject
        for figure in record.figures:
            seen = "yes" if figure.what in record.seen_by else "no"
            value = with_interval(figure.value, figure.low, figure.high, 3)
            rows.append([title, record.split, f"{figure.n:,}", figure.what, seen, _metric(figure), value])
    return ResultTable(["task", "split", "n", "encoder", "seen in training", "metric", "mean of the folds"], rows)


def _metric(figure: Figure) -> str:
    return {"r2": "R2", "mean_iou": "mIoU"}.get(figure.metric, figure.metric)


# How many tasks


def _wins(records: Sequence[Record]) -> ResultTable:
    """A row a scope, split and encoder of ours: on how many tasks it is ahead of everything that is not ours."""
    rows = []
    for scope, split in (("boston", "blocks"), ("boston", "random"), ("us", "blocks"), ("us", "state"),
                         ("world", "blocks"), ("world", "continent")):  # fmt: skip
        some = [each for each in records if _is_of_scope(each, scope) and each.split == split]
        for name in (OURS, ENSEMBLE, WITHOUT_TEXT):
            rows += [
                [_TITLES[scope], split, f"{_NAMES.get(name, 'UniGeoCLIP without text, location')}{words}", *cells]
                for words, cells in _rows_of(some, name)
            ]
    head = ["where", "split", "encoder", "tasks not seen in training", "seeds of the folds", "ahead of all others"]
    return ResultTable([*head, "significantly ahead", "significantly behind"], rows)


def _rows_of(records: Sequence[Record], name: str) -> Iterator[tuple[str, list[str]]]:
    around = f"{OURS}@1km+{OURS}@2km"
    variants = (
        (PLAIN, PLAIN, name, ""),
        (NEIGHBORHOODS, PLAIN, f"{name}+{around}", " and means around it, others without"),
        (NEIGHBORHOODS, NEIGHBORHOODS, f"{name}+{around}", " and means around it, others as well"),
    )
    for variant, against, encoder, words in variants:
        counted = {}
        for seed in sorted({record.seeds[0] for record in records if record.seeds}):
            of_seed = [record for record in records if record.seeds == [seed]]
            found = wins(of_seed, encoder, variant=variant, against=against)
            if found[0]:
                counted[seed] = found
        # Seeds that only some of the tasks have been measured with would not be comparable.
        most = max((each[0] for each in counted.values()), default=0)
        counted = {seed: each for seed, each in counted.items() if each[0] == most}
        if counted:
            ahead, surely, behind = zip(*(each[1:] for each in counted.values()), strict=True)
            sure = [DASH, DASH] if variant != against else [_counts(surely), _counts(behind)]
            yield words, [str(most), ", ".join(map(str, counted)), _counts(ahead), *sure]


def _counts(counts: Sequence[int]) -> str:
    """One count a seed; one alone where all are the same."""
    return str(counts[0]) if len(set(counts)) == 1 else ", ".join(map(str, counts))


def wins(records: Sequence[Record], name: str, *, variant: str = PLAIN, against: str = PLAIN) -> tuple[int, ...]:
    """On how many tasks an encoder of ours is ahead of every encoder and floor that is not ours.

    Args:
        records: Of probes, one split and one seed.
        name: The encoder.
        variant: Where its figures are.
        against: Where those of the others are.

    Returns:
        How many tasks it was probed on that it had not seen in training; on how many it is ahead, and on how many the
        interval of 95 % of the difference to the best of the others lies above, and below, zero.
    """
    rivals: dict[str, float] = {}
    for record in records:
        if record.variant == against:
            values = [
                figure.value
                for other, figure in _by_name(record).items()
                if not is_ours(other) and figure.what not in record.seen_by
            ]
            rivals[record.subject] = max(values, default=float("-inf"))
    count = ahead = surely = behind = 0
    for record in records:
        figure = _by_name(record).get(name)
        if record.variant != variant or figure is None or figure.what in record.seen_by:
            continue
        if record.subject not in rivals:
            continue
        count += 1
        ahead += figure.value > rivals[record.subject]
        if figure.gain is not None:
            surely += figure.gain.low > 0
            behind += figure.gain.high < 0
    return count, ahead, surely, behind
