"""What `probe` writes beside its report: predictions, scores, a page, a map, the fitted probe."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from unigeoclip.cli.console import Progress
from unigeoclip.cli.options import typed_command
from unigeoclip.cli.outputs import check_new_file
from unigeoclip.cli.parser import FILE, words
from unigeoclip.errors import InputError, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from unigeoclip.atlas.provenance import Provenance
    from unigeoclip.atlas.store import Atlas
    from unigeoclip.evaluation.probing.everywhere import PredictionMap
    from unigeoclip.evaluation.probing.fitted import FittedProbe
    from unigeoclip.evaluation.probing.results import ProbeReport

__all__ = ["ProbeOutputs", "Source", "output_options"]

_OPTIONS = (
    click.option("--embedder", type=words, metavar="NAME",
                 help="Whose predictions, map and probe are written.  [default: the best, no baseline]"),
    click.option("--predictions", type=FILE, metavar="F", help="Write predictions: .csv, .geojson or .parquet."),
    click.option("--scores", type=FILE, metavar="F", help="Write the table of scores: .csv or .tex."),
    click.option("--report", type=FILE, metavar="F.html", help="Write a page with plots that opens offline."),
    click.option("--predict-everywhere", type=FILE, metavar="F",
                 help="Fit on all rows and write a map of predictions over the atlas: .tif or .png."),
    click.option("--only-near-labels", is_flag=True, help="Leave the map empty far from any label."),
    click.option("--save-probe", type=FILE, metavar="F",
                 help="Fit on all rows and write the ridge: .safetensors or .json."),
)  # fmt: skip
_ENDINGS = {
    "--predictions": (".csv", ".geojson", ".parquet", ".geoparquet"),
    "--scores": (".csv", ".tex"),
    "--report": (".html",),
    "--predict-everywhere": (".tif", ".tiff", ".png"),
    "--save-probe": (".safetensors", ".json"),
}


def output_options(command: Callable[..., None]) -> Callable[..., Any]:
    """The options of what is written; the command takes them as one argument, ``outputs``."""

    @functools.wraps(command)
    def with_outputs(**given: Any) -> None:
        own = {each.name: given.pop(each.name) for each in fields(ProbeOutputs)}
        command(outputs=ProbeOutputs(**own), **given)

    decorated: Callable[..., Any] = with_outputs
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


@dataclass(frozen=True)
class Source:
    """What was probed, for the lines that probe it again.

    Attributes:
        name: Of the task, or path of the file.
        atlas: Name or folder of the atlas.
        columns: Options of `read_labels` for a file; None for a task.
        options: Of `run_probe`.
    """

    name: str
    atlas: str
    columns: Mapping[str, Any] | None
    options: Mapping[str, Any]


@dataclass(frozen=True)
class ProbeOutputs:
    """Files to write of a probe, as the command line has them; the names are those of the options."""

    embedder: str | None
    predictions: Path | None
    scores: Path | None
    report: Path | None
    predict_everywhere: Path | None
    only_near_labels: bool
    save_probe: Path | None

    def check(self, *others: Path | None, probed: tuple[str, ...] | None) -> None:
        """Refuse files that could not be written, before the work whose result they will hold.

        Args:
            others: Files that are read or written besides.
            probed: The embedders that are probed; None for all.

        Raises:
            InputError: An ending is unknown, a file cannot be written, or two options name one file.
        """
        given = self._files()
        for option, path in given.items():
            if path.suffix.lower() not in _ENDINGS[option]:
                raise InputError(f"{option} {path}: the name ends in {' or '.join(_ENDINGS[option])}.")
            check_new_file(path, *others)
        files = [path.absolute() for path in (*given.values(), *others) if path is not None]
        if given and len(set(files)) < len(files):
            raise InputError("Two options name one file: give each its own.")
        if self.only_near_labels and self.predict_everywhere is None:
            raise InputError("--only-near-labels is an option of the map: name it with --predict-everywhere.")
        if self.embedder is not None and not set(given) - {"--scores"}:
            raise InputError(
                "--embedder says whose predictions are written: name a file with --predictions, --report,"
                " --predict-everywhere or --save-probe, or choose what is probed with --embedders."
            )
        if self.embedder is not None and probed is not None and self.embedder not in probed:
            raise InputError(f"--embedder {excerpt(self.embedder, 40)} is not among --embedders {', '.join(probed)}.")
        if self.embedder is not None and (self.predict_everywhere is not None or self.save_probe is not None):
            from unigeoclip.evaluation.probing.everywhere import check_anywhere

            check_anywhere(self.embedder)

    def write(self, report: ProbeReport, atlas: Atlas, source: Source) -> list[str]:
        """Write what was asked for.

        Args:
            report: What was found.
            atlas: Whose models were probed.
            source: What was probed.

        Returns:
            A line for each file.

        Raises:
            InputError: There is no such encoder, or a file cannot be written.
        """
        if not self._files():
            return []
        from unigeoclip.files.atomic import write_bytes

        split = list(report.results)[-1]
        encoder = self._encoder(report, split)
        provenance = _provenance(report, atlas, encoder)
        if self.scores is not None:
            from unigeoclip.export.probe_tables import scores_csv, scores_latex

            latex = self.scores.suffix.lower() == ".tex"
            write_bytes(self.scores, scores_latex(report).encode() if latex else scores_csv(report))
        if self.predictions is not None:
            from unigeoclip.export.predictions import save_predictions

            save_predictions(report, split, encoder, self.predictions, provenance)
        shown = self._map(report, atlas, encoder, provenance)
        if self.report is not None:
            from unigeoclip.evaluation.probing.encoders import is_floor
            from unigeoclip.export.probe_report import probe_report
            from unigeoclip.export.probe_snippets import probe_lines

            encoders = [name for name in report.results[split] if not is_floor(name)]
            code = probe_lines(source.name, source.atlas, encoders, columns=source.columns, options=source.options)
            page = probe_report(
                report, split=split, encoder=encoder, code=code, everywhere=shown, provenance=provenance
            )
            write_bytes(self.report, page.encode())
        whose = f" of {encoder}, split {split}"
        return [
            f"{path}: {option[2:].replace('-', ' ')}{'' if option == '--scores' else whose}"
            for option, path in self._files().items()
        ]

    def _map(self, report: ProbeReport, atlas: Atlas, encoder: str, provenance: Provenance) -> PredictionMap | None:
        """Fit the probe on all rows where something needs it, and write it and its map."""
        if self.predict_everywhere is None and self.save_probe is None:
            return None
        from unigeoclip.evaluation.probing.everywhere import check_anywhere, predict_atlas
        from unigeoclip.files.atomic import write_bytes

        check_anywhere(encoder)
        fitted = _fitted(report, atlas, encoder)
        if self.save_probe is not None:
            fitted.save(self.save_probe)
        if self.predict_everywhere is None:
            return None
        shown = predict_atlas(
            fitted, encoder, report.table, atlas, raw=_raw(report), provenance=provenance, progress=Progress()
        )
        picture, near = self.predict_everywhere.suffix.lower() == ".png", self.only_near_labels
        data = shown.png(near_only=near, describe=True) if picture else shown.geotiff(near_only=near)
        write_bytes(self.predict_everywhere, data)
        return shown

    def _encoder(self, report: ProbeReport, split: str) -> str:
        from unigeoclip.export.predictions import result_of
        from unigeoclip.export.probe_tables import best_encoder

        encoder = best_encoder(report, split, learned=True) if self.embedder is None else self.embedder
        result_of(report, split, encoder)
        return encoder

    def _files(self) -> dict[str, Path]:
        files = {
            "--predictions": self.predictions, "--scores": self.scores, "--report": self.report,
            "--predict-everywhere": self.predict_everywhere, "--save-probe": self.save_probe,
        }  # fmt: skip
        return {option: path for option, path in files.items() if path is not None}


def _raw(report: ProbeReport) -> bool:
    """Whether features were not brought to length one."""
    return report.settings.get("protocol") == "coordbench"


def _fitted(report: ProbeReport, atlas: Atlas, encoder: str) -> FittedProbe:
    """The probe of one encoder, fitted on all rows."""
    from unigeoclip.evaluation.probing.encoders import features
    from unigeoclip.evaluation.probing.fitted import fit

    found = features([encoder], report.table, atlas, Progress(), raw=_raw(report), floors=False)
    atlas_data, model = (str(report.settings.get(name, "")) for name in ("atlas_data", "model"))
    split, seed = list(report.results)[-1], int(report.settings.get("seed", 0))
    return fit(
        report.table, found[encoder].vectors, encoder=encoder, atlas=atlas.name, atlas_data=atlas_data, model=model,
        split=split, seed=seed, progress=Progress(),
    )  # fmt: skip


def _provenance(report: ProbeReport, atlas: Atlas, encoder: str) -> Provenance:
    from unigeoclip.atlas.provenance import ModelSource, provenance_of

    model = ModelSource(encoder, f"probe of {report.settings.get('model', 'embeddings')}", "")
    return provenance_of(atlas, [model], command=typed_command())
