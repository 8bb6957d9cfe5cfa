"""The part of the page's address that belongs to page Probe: its task, and what the map shows of the results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pages.ui.query_string import ENCODER, LAYER, TASK
from unigeoclip.errors import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LAYERS = ("points", "everywhere")
MAX_NAME = 200  # of an encoder; which ones there are, the atlas decides


@dataclass(frozen=True)
class ProbeLink:
    """What a link to page Probe says.

    Attributes:
        task: Name of a built-in task; empty for none.
        encoder: Whose predictions the map shows; empty for the best one.
        layer: One of `LAYERS`.
    """

    task: str = ""
    encoder: str = ""
    layer: str = LAYERS[0]


def probe_parameters(link: ProbeLink) -> dict[str, str]:
    """What of it differs from the default; nothing without a task, since links never contain own labels."""
    if not link.task:
        return {}
    values = {TASK: link.task, ENCODER: link.encoder}
    if link.layer != LAYERS[0]:
        values[LAYER] = link.layer
    return {key: value for key, value in values.items() if value}


def parse_probe(
    values: Mapping[str, str], known: Sequence[str], missing: Mapping[str, str] | None = None
) -> tuple[ProbeLink, str]:
    """What a link to page Probe says.

    Args:
        values: By key of `query_string.PROBE_KEYS`.
        known: Names of the tasks of the atlas whose labels are on this machine.
        missing: Other tasks of the atlas, and what to download for each.

    Returns:
        What it says, defaults where it cannot be read, and a sentence on such a part; empty if there is none.
    """
    task, encoder, layer = (values.get(key, "") for key in (TASK, ENCODER, LAYER))
    problem = ""
    if task and task not in known:
        problem = f"The link's task '{excerpt(task, 40)}' is not one of this atlas. Choose another one."
        if task in (missing or {}):
            problem = (
                f"The labels of the link's task '{task}' are not on this machine. Download them: python -m unigeoclip "
                f"tasks download {(missing or {})[task]}"
            )
        task = ""
    if layer and layer not in LAYERS:
        problem = f"The link's layer '{excerpt(layer, 40)}' is left out: available are {' and '.join(LAYERS)}."
        layer = ""
    if len(encoder) > MAX_NAME:
        problem, encoder = "The link's encoder is left out: its name is too long.", ""
    return ProbeLink(task, encoder, layer or LAYERS[0]), problem
