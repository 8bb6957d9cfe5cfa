"""The command line: parse, call the package, print. ``python -m unigeoclip --help`` lists the commands.

Exit code 0, or 2 with one line on stderr that says what was wrong and how to mend it. With ``--json`` only JSON goes to
stdout. Everything heavy is imported by the command that needs it, so that help comes at once.
"""

from __future__ import annotations

import io
import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unigeoclip.cli.error_messages import DEBUG, failure_line
from unigeoclip.cli.options import Parser, check_new_file, check_new_folder, joined, seed, whole_number, words
from unigeoclip.errors import InputError, UniGeoError, excerpt
from unigeoclip.files.atomic import read_bytes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.search.explorer import Explorer, Match, Query
    from unigeoclip.uploads import Decoded

__all__ = ["main"]

OURS = "unigeoclip"  # the embedder that is asked by text and pictures too
TOP = whole_number(1, 100_000)
STEPS = whole_number(1, 10_000_000)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments; those of the process by default.

    Returns:
        The exit code: 0; 2 after one line on stderr; 130 if a person stopped it. With the environment variable
        UNIGEOCLIP_DEBUG=1 the traceback stands before that line.
    """
    try:
        _run(sys.argv[1:] if argv is None else argv)
    except BrokenPipeError:  # the reader has seen enough, as in "... --json | head"
        _drop_output()
        return 0
    except KeyboardInterrupt:
        _complain("stopped")
        return 130
    except Exception as error:
        if os.environ.get(DEBUG) == "1":
            _complain(traceback.format_exc())
        _complain(f"error: {failure_line(error)}")
        _drop_output(unless_it_can_be_written=True)
        return 2
    return 0


def _run(argv: Sequence[str]) -> None:
    # What the terminal's encoding lacks is printed as \u1234; no text may end a command whose work is done.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        arguments = _parser().parse_args(joined(argv))
        arguments.run(arguments)
    finally:  # help leaves by SystemExit; a full disk shows only now
        if sys.stdout is not None:
            sys.stdout.flush()


def _complain(line: str) -> None:
    """Print a line on stderr, over the progress that stands there; if even that fails, the exit code must say it."""
    if sys.stderr is None:
        return
    try:
        print(f"\r\x1b[K{line}" if sys.stderr.isatty() else line, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return


def _drop_output(*, unless_it_can_be_written: bool = False) -> None:
    """Let what is still to be printed go nowhere, or Python complains once more while it exits."""
    try:
        if unless_it_can_be_written:
            sys.stdout.flush()
            return
    except (OSError, ValueError, AttributeError):
        pass
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):  # it is closed, or no file: nothing will be written at the exit
        return


# Arguments


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m unigeoclip", description="Ask the Earth: UniGeoCLIP in the open.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_data_commands(commands)
    _add_query_commands(commands)
    _add_measuring_commands(commands)
    return parser


def _add_data_commands(commands: Any) -> None:
    atlases = commands.add_parser("atlases", help="list the atlases")
    _add_json(atlases)
    atlases.set_defaults(run=_atlases)

    build = commands.add_parser("build", help="build an atlas from public data")
    kinds = build.add_subparsers(title="kinds", metavar="KIND", required=True)
    world = kinds.add_parser("world", help="the whole Earth, from public packages")
    _add_out(world)
    world.set_defaults(run=_build_world)
    _add_city(kinds.add_parser("city", help="a city, from vector tiles of the OpenMapTiles schema"))

    train = commands.add_parser("train", help="train a model on an atlas")
    _add_atlas(train)
    train.add_argument("--config", type=words, default="mini", help="named configuration (default: %(default)s)")
    train.add_argument("--out", type=Path, metavar="DIR", help="folder of the run (default: runs/ATLAS-CONFIG-SPLIT)")
    train.add_argument(
        "--split", type=words, help="random (world) or views (cities), the default, or blocks: what is held out"
    )
    train.add_argument("--seed", type=seed, default=0, help="of initial weights and all draws (default: %(default)s)")
    train.add_argument("--steps", type=STEPS, help="number of steps, in place of the configuration's")
    train.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    train.add_argument(
        "--baseline", type=words, metavar="NAME", help="satclip-retrained[-city] or geoclip-retrained[-city]"
    )
    _add_json(train)
    train.set_defaults(run=_train)

    baselines = commands.add_parser("baselines", help="weights of others that are fetched when asked for")
    kinds = baselines.add_subparsers(title="actions", metavar="ACTION", required=True)
    fetch = kinds.add_parser("download", help="fetch SatCLIP's location encoder or GeoCLIP's image encoder")
    fetch.add_argument("name", type=words, metavar="NAME", help="satclip-vit16-l40 and five others, or geoclip-images")
    fetch.add_argument(
        "--from", dest="file", type=Path, metavar="PATH", help="official checkpoint, or folder of CLIP, that is here"
    )
    fetch.set_defaults(run=_download_baseline)


def _add_city(city: argparse.ArgumentParser) -> None:
    city.add_argument("--name", type=words, required=True, help="of the atlas: small letters, digits, hyphens")
    city.add_argument("--title", type=words, help="name on screen (default: the name with a capital)")
    city.add_argument(
        "--tiles",
        type=words,
        required=True,
        metavar="SRC",
        help="folder of z/x/y.pbf, .mbtiles, .pmtiles, or URL with {z} {x} {y}",
    )
    city.add_argument(
        "--bbox", type=words, metavar="S,W,N,E", help="south,west,north,east in degrees (default: all tiles)"
    )
    city.add_argument("--aerial", type=Path, metavar="F.tif", help="picture in place of the drawn one")
    city.add_argument("--surface", type=Path, metavar="F.tif", help="heights in metres in place of the estimated ones")
    city.add_argument(
        "--street",
        type=Path,
        metavar="SRC",
        help="photos: CSV with path, and lat, lon, heading unless in EXIF; or folder of JPEGs with GPS",
    )
    for modality, what in (("aerial", "picture"), ("surface", "heights"), ("street", "photos")):
        city.add_argument(
            f"--{modality}-license", type=words, metavar="TEXT", help=f"of your {what}, such as 'CC BY 4.0'"
        )
        city.add_argument(f"--{modality}-credit", type=words, metavar="TEXT", help=f"whom to name beside your {what}")
    city.add_argument("--window", type=float, metavar="M", help="side of what is seen from above (default: 225 m)")
    city.add_argument("--seed", type=seed, default=0, help="of the aerial picture's texture (default: %(default)s)")
    _add_out(city)
    city.set_defaults(run=_build_city)


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder to write (default: its place among the atlases)"
    )


def _add_query_commands(commands: Any) -> None:
    search = commands.add_parser("search", help="find the places closest to a query")
    _add_query(search)
    search.add_argument("--top", type=TOP, default=10, metavar="K", help="matches per modality (default: %(default)s)")
    search.add_argument("--out", type=Path, metavar="FILE", help="write the results, too: F.geojson or F.csv")
    _add_json(search)
    search.set_defaults(run=_search)

    heatmap = commands.add_parser("heatmap", help="write where on the map is like a query")
    _add_query(heatmap)
    _add_embedder(heatmap)
    heatmap.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="F.tif (GeoTIFF), F.png (picture), F.geojson (hottest cells)",
    )
    heatmap.set_defaults(run=_heatmap)

    embed = commands.add_parser("embed", help="add embeddings to a CSV of coordinates")
    _add_embedder(embed)
    _add_atlas(embed)
    embed.add_argument("--csv", type=Path, required=True, metavar="FILE", help="table with a header")
    embed.add_argument(
        "--lat", type=words, default="lat", metavar="COL", help="column of latitudes (default: %(default)s)"
    )
    embed.add_argument(
        "--lon", type=words, default="lon", metavar="COL", help="column of longitudes (default: %(default)s)"
    )
    embed.add_argument("--out", type=Path, required=True, metavar="FILE", help="parquet: the table and 'embedding'")
    embed.set_defaults(run=_embed)


def _add_measuring_commands(commands: Any) -> None:
    evaluate = commands.add_parser("evaluate", help="measure held-out retrieval and plain queries")
    _add_atlas(evaluate)
    evaluate.add_argument("--model", type=Path, metavar="DIR", help="model folder (default: the one of the atlas)")
    evaluate.add_argument("--elsewhere", metavar="NAME", help="measure in a city never seen, too: name or folder")
    evaluate.add_argument("--record", action="store_true", help="keep what was measured in the model's folder")
    evaluate.add_argument(
        "--calibrate", action="store_true", help="measure how similar matches are, and write calibration.json"
    )
    evaluate.add_argument("--ablations", action="store_true", help="train and measure rows of modalities, loss, scales")
    evaluate.add_argument("--steps", type=STEPS, help="of every row of --ablations (default: 250)")
    evaluate.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder of --ablations, which goes on there (default: runs/ablations-ATLAS)",
    )
    _add_json(evaluate)
    evaluate.set_defaults(run=_evaluate)

    bench = commands.add_parser("bench", help="measure speed: location encoders, whole queries")
    _add_atlas(bench)
    bench.add_argument("--quick", action="store_true", help="fewer rounds, less steady figures")
    _add_json(bench)
    bench.set_defaults(run=_bench)


def _add_atlas(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--atlas", default="world", metavar="NAME", help="name or folder (default: %(default)s)")


def _add_embedder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--embedder",
        type=words,
        default=OURS,
        metavar="NAME",
        help="or satclip, geoclip, either with -retrained, coordinates, fourier (default: %(default)s)",
    )
    parser.add_argument("--weights", type=Path, metavar="F.ckpt", help="official checkpoint for --embedder satclip")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_query(parser: argparse.ArgumentParser) -> None:
    _add_atlas(parser)
    query = parser.add_mutually_exclusive_group(required=True)
    query.add_argument("--text", type=words, help="a few words or sentences")
    query.add_argument("--latlon", type=words, metavar="LAT,LON", help="a point, degrees")
    query.add_argument("--image", type=Path, metavar="FILE", help="a picture; say what it is with --modality")
    query.add_argument(
        "--item",
        type=words,
        action="append",
        metavar="ITEM",
        help="a part of a query, once or more: text:WORDS, at:LAT,LON, place:ID; with a weight -0.5*text:WORDS",
    )
    parser.add_argument("--modality", choices=["aerial", "street", "surface"], help="what the picture of --image is")


# Commands


def _atlases(arguments: argparse.Namespace) -> None:
    from unigeoclip.atlas.store import list_atlases, load_atlas

    rows: list[dict[str, Any]] = []
    for name in list_atlases():
        try:
            atlas = load_atlas(name)
        except UniGeoError as error:  # one broken atlas must not hide the others
            rows.append({"name": name, "error": str(error)})
            continue
        manifest = atlas.manifest
        rows.append({
            "name": name, "title": manifest.title, "summary": manifest.summary, "bounds": list(manifest.bounds),
            "modalities": list(manifest.modalities), "places": len(atlas.places), "path": str(atlas.path),
        })  # fmt: skip
    if arguments.json:
        _print_json(rows)
        return
    for row in rows:
        print(f"{row['name']:12} {row.get('title') or 'BROKEN: ' + row['error']}")


def _build_world(arguments: argparse.Namespace) -> None:
    from unigeoclip.build.world.builder import build_world

    out = arguments.out or _default_folder("world")
    check_new_folder(out)
    print(build_world(out, progress=_Progress()))


def _default_folder(name: str) -> Path:
    """Where an atlas is built if ``--out`` is not given: among the shipped ones.

    Raises:
        InputError: These are part of an installed package, where an upgrade would remove what was built.
    """
    from unigeoclip.atlas.store import ATLASES_FOLDER
    from unigeoclip.paths import is_installed

    if is_installed():
        raise InputError(f"name the folder of the new atlas with --out, like --out {name}.")
    return ATLASES_FOLDER / name


def _build_city(arguments: argparse.Namespace) -> None:
    from unigeoclip.atlas.store import load_atlas
    from unigeoclip.build.city.builder import build_city
    from unigeoclip.build.city.user_data import OwnData

    said = {
        f"{kind}s": {name: text for name in OwnData.KINDS if (text := getattr(arguments, f"{name}_{kind}"))}
        for kind in ("license", "credit")
    }
    own = OwnData(arguments.aerial, arguments.surface, arguments.street, **said)
    out = arguments.out or _default_folder(arguments.name)
    check_new_folder(out)
    bbox = None if arguments.bbox is None else _bbox(arguments.bbox)
    options = {"bbox": bbox, "own": own, "title": arguments.title, "seed": arguments.seed}
    options |= {} if arguments.window is None else {"window_m": arguments.window}
    folder = build_city(arguments.name, arguments.tiles, out, **options, progress=_Progress())
    manifest = load_atlas(folder).manifest
    for source in manifest.sources:
        print(f"{source.what}: {source.attribution or source.name}", file=sys.stderr)
    for what, share in manifest.shares.items():
        print(f"{what}: {share:.1%}", file=sys.stderr)
    for note in manifest.notes:
        print(note, file=sys.stderr)
    print(folder)


def _bbox(text: str) -> tuple[float, float, float, float]:
    try:
        south, west, north, east = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(
            f"--bbox takes south,west,north,east in degrees, such as 42.30,-71.15,42.40,-71.00; not {text!r}."
        ) from error
    return south, west, north, east


def _train(arguments: argparse.Namespace) -> None:
    from unigeoclip.atlas.store import load_atlas

    atlas = load_atlas(arguments.atlas)
    what = arguments.baseline or arguments.config
    out = arguments.out or Path("runs") / "-".join(filter(None, (atlas.name, what, arguments.split)))
    check_new_folder(out)
    options = {"split": arguments.split, "seed": arguments.seed, "steps": arguments.steps, "resume": arguments.resume}
    if arguments.baseline:
        from unigeoclip.training.baselines import train_baseline

        metrics = train_baseline(atlas, arguments.baseline, out, config=arguments.config, **options)
    else:
        from unigeoclip.training import train

        metrics = train(atlas, arguments.config, out, **options)
    if arguments.json:
        _print_json({**metrics, "out": str(out)})
        return
    from unigeoclip.cli.printing import training_lines

    _print_lines(training_lines(metrics, out))


def _download_baseline(arguments: argparse.Namespace) -> None:
    from unigeoclip.embedders import geoclip_images
    from unigeoclip.embedders.satclip import download_satclip, import_satclip

    def say(text: str) -> None:
        print(text, file=sys.stderr)

    if arguments.name == geoclip_images.NAME:
        print(geoclip_images.download_geoclip_images(say, arguments.file))
    elif arguments.file is not None:
        print(import_satclip(arguments.name, arguments.file))
    else:
        print(download_satclip(arguments.name, say))


def _search(arguments: argparse.Namespace) -> None:
    if arguments.out is not None:
        from unigeoclip.export.results import check_results_ending

        check_results_ending(arguments.out)
        check_new_file(arguments.out, arguments.image)
    explorer, query, notes = _ask(arguments)
    results = explorer.search(query, k=arguments.top)
    if arguments.out is not None:
        from unigeoclip.export.results import save_results

        save_results(results, arguments.out)
    item = query.items[0]
    asked = {"items": arguments.item} if arguments.item else {"modality": item.modality, "value": item.label}
    if arguments.json:
        found = {name: [_match(match) for match in matches] for name, matches in results.items()}
        _print_json({"query": {**asked, "notes": notes}, "results": found})
        return
    for note in notes:
        print(note)
    for name, matches in results.items():
        print(f"\n{name}")
        for match in matches:
            away = "" if match.distance_m is None else f"  {_distance(match.distance_m)} away"
            print(f"  {match.similarity:6.3f}  {match.lat:9.4f} {match.lon:10.4f}  {match.name}{away}")


def _distance(meters: float) -> str:
    return f"{meters:,.0f} m" if meters < 9_950 else f"{meters / 1000:,.0f} km"


def _match(match: Match) -> dict[str, Any]:
    return {
        "place_id": match.place_id,
        "name": match.name,
        "lat": match.lat,
        "lon": match.lon,
        "similarity": round(match.similarity, 6),
        "distance_m": None if match.distance_m is None else round(match.distance_m, 1),
        **({} if match.heading_deg is None else {"heading_deg": round(match.heading_deg, 1)}),
    }


def _heatmap(arguments: argparse.Namespace) -> None:
    from unigeoclip.similarity.heatmap import check_ending

    check_ending(arguments.out)
    check_new_file(arguments.out, arguments.image, arguments.weights)
    if arguments.embedder != OURS:
        heatmap = _heatmap_of_embedder(arguments)
    else:
        explorer, query, notes = _ask(arguments)
        for note in notes:
            print(note, file=sys.stderr)
        heatmap = explorer.heatmap(query)
    heatmap.save(arguments.out)
    best = heatmap.best()
    print(f"{arguments.out}: most similar at {best.lat:.3f}, {best.lon:.3f} ({best.similarity:.3f})")


def _heatmap_of_embedder(arguments: argparse.Namespace) -> Any:
    from unigeoclip.atlas.store import load_atlas
    from unigeoclip.embedders import EMBEDDERS, PictureEmbedder, load_embedder
    from unigeoclip.search.explorer import embedder_heatmap
    from unigeoclip.search.gallery_embeddings import land_grid

    if arguments.item is not None:
        raise InputError(f"--item composes queries for {OURS}: ask {arguments.embedder!r} with --latlon or --image.")
    if arguments.embedder in EMBEDDERS and arguments.text is not None:
        raise InputError(f"The embedder {arguments.embedder!r} knows no words: ask it with --latlon.")
    kind, value, _ = _question(arguments)
    atlas = load_atlas(arguments.atlas)
    embedder = load_embedder(arguments.embedder, atlas, arguments.weights)
    if kind == "location":
        vector = embedder.embed(value)[0]
    elif isinstance(embedder, PictureEmbedder):
        vector = embedder.embed_picture(value, kind)
    else:
        raise InputError(f"The embedder {arguments.embedder!r} knows points only: ask it with --latlon.")
    return embedder_heatmap(embedder, land_grid(atlas), vector)


def _embed(arguments: argparse.Namespace) -> None:
    from unigeoclip.embedders import is_of_an_atlas, load_embedder
    from unigeoclip.export.embedding_tables import check_out, embed_csv

    check_new_file(arguments.out, arguments.weights)
    check_out(arguments.csv, arguments.out)
    atlas = None
    if is_of_an_atlas(arguments.embedder):
        from unigeoclip.atlas.store import load_atlas

        atlas = load_atlas(arguments.atlas)
    embedder = load_embedder(arguments.embedder, atlas, arguments.weights)
    columns = (arguments.lat, arguments.lon)
    rows, dim = embed_csv(embedder, arguments.csv, *columns, arguments.out, progress=_Progress())
    print(f"{arguments.out}: {rows} rows, {dim} dimensions")


def _evaluate(arguments: argparse.Namespace) -> None:
    _check_evaluate(arguments)
    from unigeoclip.atlas.store import load_atlas
    from unigeoclip.evaluation import evaluate

    atlas = load_atlas(arguments.atlas)
    if arguments.ablations:
        report = {"ablations": _ablations(atlas, arguments)}
    elif arguments.calibrate:
        from unigeoclip.evaluation.report import recalibrate

        report = {"calibration": recalibrate(atlas, arguments.model)}
    else:
        elsewhere = None if arguments.elsewhere is None else load_atlas(arguments.elsewhere)
        report = evaluate(atlas, arguments.model, elsewhere=elsewhere, record=arguments.record)
    if arguments.json:
        _print_json(report)
        return
    from unigeoclip.cli.printing import evaluation_lines

    _print_lines(evaluation_lines(report))


def _check_evaluate(arguments: argparse.Namespace) -> None:
    """Refuse options that would do nothing where they stand."""
    if arguments.ablations and (arguments.model is not None or arguments.elsewhere is not None or arguments.record):
        raise InputError("--ablations trains models of its own; leave out --model, --elsewhere and --record.")
    if not arguments.ablations and (arguments.steps is not None or arguments.out is not None):
        raise InputError("--steps and --out belong to --ablations; add it, or leave them out.")
    if arguments.calibrate and (arguments.ablations or arguments.elsewhere is not None or arguments.record):
        raise InputError("--calibrate measures nothing else; leave out --ablations, --elsewhere and --record.")


def _ablations(atlas: Atlas, arguments: argparse.Namespace) -> dict[str, Any]:
    from unigeoclip.training.ablations import STEPS, ablate

    out = arguments.out or Path("runs") / f"ablations-{atlas.name}"
    check_new_folder(out)
    return ablate(atlas, out, steps=arguments.steps or STEPS, say=lambda line: print(line, file=sys.stderr, flush=True))


def _bench(arguments: argparse.Namespace) -> None:
    from unigeoclip.bench import run_bench

    report = run_bench(arguments.atlas, quick=arguments.quick)
    if arguments.json:
        _print_json(report)
        return
    from unigeoclip.cli.printing import nested_lines

    _print_lines(nested_lines(report))


# Helpers of the commands


def _ask(arguments: argparse.Namespace) -> tuple[Explorer, Query, list[str]]:
    """Open the atlas and encode the query that the options describe; bad options fail before the atlas is opened.

    Returns:
        The explorer, the query, and what to know about the answer in whole sentences.
    """
    from unigeoclip.search.query_items import QueryItem, parse_item

    _check_modality(arguments)
    items = [parse_item(text) for text in arguments.item or ()]
    modality, value, label = ("", b"", "") if items else _question(arguments)
    from unigeoclip.search.explorer import Explorer

    notes: list[str] = []
    explorer = Explorer.open(arguments.atlas, progress=_Progress())
    if arguments.image is not None:
        decoded = _decoded(arguments.image, value, modality, explorer.input_size(modality))
        value = decoded.array
        notes += decoded.notes
    query = explorer.query(items or [QueryItem(modality, value, label=label)])
    return explorer, query, [*notes, *(note.text for note in query.notes)]


def _question(arguments: argparse.Namespace) -> tuple[str, Any, str]:
    """Modality, value and label of the one query option that was given; of a picture the bytes of its file."""
    _check_modality(arguments)
    if arguments.text is not None:
        from unigeoclip.search.explorer import sentences_of

        sentences_of(arguments.text)
        return "text", arguments.text, arguments.text
    if arguments.latlon is not None:
        return "location", _latlon(arguments.latlon), arguments.latlon
    if arguments.modality is None:
        raise InputError("Say what the picture is: --modality aerial, street or surface.")
    from unigeoclip.uploads import MAX_FILE_BYTES

    return arguments.modality, read_bytes(arguments.image, MAX_FILE_BYTES), str(arguments.image)


def _check_modality(arguments: argparse.Namespace) -> None:
    if arguments.modality is not None and arguments.image is None:
        raise InputError("--modality says what the picture of --image is; give a picture, or leave it out.")


def _latlon(text: str) -> tuple[float, float]:
    from unigeoclip.parsing.coordinates import parse_point

    point = parse_point(text)
    if point is None:
        raise InputError(f"--latlon takes latitude,longitude in degrees, such as 42.36,-71.06; not '{excerpt(text)}'.")
    return point


def _decoded(path: Path, data: bytes, modality: str, size: tuple[int, int]) -> Decoded:
    from unigeoclip.uploads import read_upload

    try:
        return read_upload(modality, data, size)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


class _Progress:
    """Progress on stderr: one line that is written over on a terminal, one line per stage elsewhere."""

    def __init__(self) -> None:
        self._stage = ""

    def __call__(self, words: str, share: float) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{words} {share:4.0%}", end="" if share < 1 else "\n", file=sys.stderr, flush=True)
        elif words != self._stage:
            print(words, file=sys.stderr, flush=True)
        self._stage = words


def _print_json(value: Any) -> None:
    """Print JSON; in pure ASCII where the output is not in a Unicode encoding, whose escapes for é are no JSON."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    ascii_only = not encoding.lower().startswith("utf")
    print(json.dumps(value, indent=1, ensure_ascii=ascii_only, allow_nan=False))


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)
