"""Models as folders that can be passed on: read by path or hub id, written with a card that says what was measured."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.config import read_json, write_json
from unigeoclip.errors import CheckpointError, DownloadError, InputError
from unigeoclip.files.atomic import write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["HUB_ID", "fetched_folder", "model_card", "pretrained_folder", "write_card"]

FILES = ("config.json", "model.safetensors", "metrics.json")  # the last one may be missing
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def pretrained_folder(
    source: str | Path, revision: str | None = None, say: Callable[[str], None] | None = None
) -> Path:
    """The folder of a model: itself, or what was fetched of a hub's repository, see `UniGeoCLIP.from_pretrained`."""
    folder = Path(source)
    if folder.is_dir():
        return folder
    if not HUB_ID.fullmatch(str(source)):
        raise CheckpointError(
            f"{source} is neither a folder nor an id of the hub such as OWNER/NAME: check the spelling."
        )
    return fetched_folder(str(source), FILES[:2], FILES[2:], what="UniGeoCLIP model", revision=revision, say=say)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def fetched_folder(
    repository: str,
    needed: Sequence[str],
    optional: Sequence[str] = (),
    *,
    what: str,
    revision: str | None = None,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Bring files of a repository of the hub into the hub's cache on this machine.

    Args:
        repository: Such as ``OWNER/NAME``.
        needed: Names of files that it must have.
        optional: Names of files that it may have.
        what: What the repository should hold, for messages.
        revision: Branch, tag or commit.
        say: Called with what and how much is fetched, before it is; by default it is written to stderr.

    Returns:
        The folder that holds them.

    Raises:
        CheckpointError: The repository lacks a file.
        DownloadError: The hub cannot be reached, or has no such repository.
    """
    from huggingface_hub import HfApi, hf_hub_download

    wanted = (*needed, *optional)
    try:
        about = HfApi().model_info(repository, revision=revision, files_metadata=True)
        sizes = {each.rfilename: each.size or 0 for each in about.siblings or [] if each.rfilename in wanted}
        if lacking := [name for name in needed if name not in sizes]:
            raise CheckpointError(f"{repository} of the hub is no {what}: {lacking[0]} is missing.")
        (say or _say)(f"{repository}: {sum(sizes.values()) / 1e6:.0f} MB from the hub, revision {about.sha}")
        paths = [Path(hf_hub_download(repository, name, revision=about.sha)) for name in sizes]
    except CheckpointError:
        raise
    except Exception as error:  # whatever the hub's client and the network library below it raise
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DownloadError(
            f"The model {repository} cannot be fetched from the hub ({why}). Check the id and the network, or give a "
            "folder."
        ) from error
    return paths[0].parent


def write_card(
    folder: Path, modalities: Sequence[str], dim: int, weights: int, metrics: Mapping[str, Any] | None
) -> None:
    """Write the card beside a model's files, and what was measured if that is new; see `UniGeoCLIP.save_pretrained`."""
    if metrics is not None:
        write_json(folder / "metrics.json", dict(metrics))
    elif (folder / "metrics.json").is_file():
        try:
            recorded = read_json(folder / "metrics.json")
        except InputError as error:
            raise InputError(f"{error} It belongs into the model card: restore it, or remove it.") from error
        metrics = recorded if isinstance(recorded, dict) else None
    card = model_card(modalities, dim, weights, metrics or {}, checkpoint_id(folder))
    write_bytes(folder / "README.md", card.encode())


def model_card(modalities: Sequence[str], dim: int, weights: int, metrics: Mapping[str, Any], identity: str) -> str:
    """A model card in Markdown, as the hub shows it: what the model is, and what was measured of it.

    Args:
        modalities: What the model encodes.
        dim: Of its embeddings.
        weights: How many it has.
        metrics: Content of ``metrics.json``; empty where nothing was measured.
        identity: Its checkpoint id.
    """
    lines = [
        "---", "library_name: unigeoclip", "tags: [geospatial, embeddings, contrastive-learning]", "---", "",
        "# UniGeoCLIP model", "",
        f"Encodes {', '.join(modalities)} into {dim} dimensions.",
        f"{weights:,} weights; checkpoint {identity}.",
        "Architecture of arXiv 2604.11668; trained with UniGeoCLIP Explorer.", "",
        "```python", "from unigeoclip.model import UniGeoCLIP", "",
        'model = UniGeoCLIP.from_pretrained("this folder")', "```", "", "## Measured", "",
    ]  # fmt: skip
    retrieval = metrics.get("retrieval") or {}
    if not retrieval:
        return "\n".join([*lines, "Nothing was measured of this model.", ""])
    where = ", ".join(f"{name} {metrics[name]}" for name in ("atlas", "data", "split") if name in metrics)
    lines += [f"On held-out items ({where}), in percent:", "", "| query -> target | recall@1 | recall@10 | n |"]
    lines += ["| --- | --- | --- | --- |"]
    for pair, figures in retrieval.items():
        cells = [f"{figures[key]:.1f}" if key in figures else "-" for key in ("recall@1", "recall@10")]
        lines.append(f"| {pair} | {' | '.join(cells)} | {figures.get('n', '-')} |")
    return "\n".join([*lines, ""])
