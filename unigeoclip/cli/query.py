"""Commands that ask a model: search, describe, heatmap, embed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from unigeoclip.cli.console import Progress, print_json, print_lines, remark
from unigeoclip.cli.error_messages import one_line
from unigeoclip.cli.item_options import ItemOptions, item_options
from unigeoclip.cli.options import (
    OURS,
    QueryOptions,
    as_json,
    atlas_option,
    bounds_of,
    device_option,
    embedder_options,
    model_option,
    opened_atlas,
    query_options,
    typed_command,
)
from unigeoclip.cli.outputs import check_new_file
from unigeoclip.cli.parser import FILE, Command, whole_number, words
from unigeoclip.cli.stores import StoreOptions, store_options
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unigeoclip.atlas.provenance import Provenance
    from unigeoclip.atlas.store import Atlas
    from unigeoclip.embedders.base import Embedder
    from unigeoclip.search.query import Query
    from unigeoclip.search.results import Match
    from unigeoclip.similarity.heatmap import Heatmap

__all__ = ["COMMANDS"]

TOP = whole_number(1, 100_000)


@click.command(cls=Command)
@query_options
@store_options
@click.option("--top", type=TOP, default=10, metavar="K", show_default=True, help="Matches per modality.")
@click.option("--out", type=FILE, metavar="FILE", help="Write the results, too: F.geojson or F.csv.")
@as_json
def search(query: QueryOptions, elsewhere: StoreOptions, top: int, out: Path | None, as_json: bool) -> None:
    """Find the places most similar to a query."""
    if out is not None:
        from unigeoclip.export.results import check_results_ending

        check_results_ending(out)
        check_new_file(out, query.image)
    if elsewhere.store is not None:
        results, asked, notes = elsewhere.search(query, top)
    else:
        explorer, asked, notes = query.ask(area=bounds_of(elsewhere.bbox))
        results = explorer.search(asked, k=top)
    if out is not None:
        from unigeoclip.export.results import save_results

        save_results(results, out)
    if as_json:
        found = {name: [_match(match) for match in matches] for name, matches in results.items()}
        print_json({"query": {**_asked(query, asked), "notes": notes}, "results": found})
        return
    print_lines(*notes)
    for name, matches in results.items():
        print_lines("", name, *map(_line, matches))


@click.command(cls=Command)
@query_options
@as_json
def describe(query: QueryOptions, as_json: bool) -> None:
    """Say in words what a query stands for."""
    explorer, asked, notes = query.ask()
    found = explorer.describe(asked)
    if as_json:
        phrases = [{"phrase": each.text, "kind": each.kind, "weight": round(each.weight, 4)} for each in found.phrases]
        shares = {"explained": round(found.explained, 4), "chance": round(found.chance, 4)}
        print_json(
            {"query": {**_asked(query, asked), "notes": notes}, "phrases": phrases, **shares, "note": found.note}
        )
        return
    print_lines(*notes)
    if not found.is_known:
        print_lines(f"Not known. {found.note}")
        return
    print_lines(*(f"  {each.weight:5.2f}  {each.text}  ({each.kind})" for each in found.phrases))
    explained, chance = (f"{100 * share:.0f} %" for share in (found.explained, found.chance))
    print_lines(f"These phrases explain {explained} of what a text can say of it; of random vectors {chance}.")


def _asked(query: QueryOptions, asked: Query) -> dict[str, Any]:
    """What was asked, for JSON."""
    first = asked.items[0]
    known = {"items": list(query.item)} if query.item else {"modality": first.modality, "value": first.label}
    if asked.certainty is not None:
        return {**known, "certainty": round(asked.certainty, 4), "nothing_like_it": asked.is_foreign}
    return {**known, "nothing_like_it": True} if asked.is_foreign else known


def _line(match: Match) -> str:
    away = "" if match.distance_m is None else f"  {_distance(match.distance_m)} away"
    return f"  {match.similarity:6.3f}  {match.lat:9.4f} {match.lon:10.4f}  {match.name}{away}"


def _distance(meters: float) -> str:
    return f"{meters:,.0f} m" if meters < 9_950 else f"{meters / 1000:,.0f} km"


def _match(match: Match) -> dict[str, Any]:
    return {
        "place_id": match.place_id,
        "name": match.name,
        "lat": match.lat,
        "lon": match.lon,
        "similarity": round(match.similarity, 6),
        "score": round(match.score, 6),
        "distance_m": None if match.distance_m is None else round(match.distance_m, 1),
        **({} if match.heading_deg is None else {"heading_deg": round(match.heading_deg, 1)}),
    }


@click.command(cls=Command)
@query_options
@embedder_options
@click.option(
    "--out",
    type=FILE,
    required=True,
    metavar="FILE",
    help="F.tif (GeoTIFF), F.png (picture), F.geojson (most similar cells).",
)
@click.option("--bbox", type=words, metavar="S,W,N,E", help="Only within these degrees.")
def heatmap(query: QueryOptions, embedder: str, weights: Path | None, out: Path, bbox: str | None) -> None:
    """Write where on the map is similar to a query."""
    from unigeoclip.similarity.heatmap import check_ending

    check_ending(out)
    check_new_file(out, query.image, weights)
    area = bounds_of(bbox)
    if embedder != OURS:
        if area is not None:
            raise InputError(f"--bbox is for {OURS}; leave it out for {embedder!r}.")
        drawn = _heatmap_of_embedder(query, embedder, weights)
    else:
        explorer, asked, notes = query.ask(area=area)
        remark(*notes)
        drawn = explorer.heatmap(asked)
    drawn.save(out)
    best = drawn.best()
    print_lines(f"{out}: most similar at {best.lat:.3f}, {best.lon:.3f} ({best.similarity:.3f})")


def _heatmap_of_embedder(query: QueryOptions, name: str, weights: Path | None) -> Heatmap:
    from unigeoclip.embedders import EMBEDDERS, PictureEmbedder, is_file, load_embedder
    from unigeoclip.search.explorer import embedder_heatmap
    from unigeoclip.search.gallery_embeddings import land_grid

    if query.item:
        raise InputError(f"--item composes queries for {OURS}: ask {name!r} with --latlon or --image.")
    if (name in EMBEDDERS or is_file(name)) and query.text is not None:
        raise InputError(f"The embedder {name!r} knows no words: ask it with --latlon.")
    kind, value, _ = query.question()
    atlas = opened_atlas(query.atlas, query.model)
    embedder = load_embedder(name, atlas, weights)
    if kind == "location":
        vector = embedder.embed(value)[0]
    elif isinstance(embedder, PictureEmbedder):
        vector = embedder.embed_picture(value, kind)
    else:
        raise InputError(f"The embedder {name!r} knows points only: ask it with --latlon.")
    drawn = embedder_heatmap(embedder, land_grid(atlas), vector)
    asked = f"at:{query.latlon}" if query.image is None else f"{kind}: {query.image.name}"
    return replace(drawn, provenance=_origin(embedder, atlas, asked))


def _origin(embedder: Embedder, atlas: Atlas | None, *asked: str) -> Provenance:
    """What a file of an embedder's says of itself; the command is the one that was typed."""
    from unigeoclip.atlas.provenance import ModelSource, provenance_of

    model = ModelSource(embedder.name, embedder.provenance.source, embedder.provenance.licence)
    return provenance_of(atlas, [model], query=asked, command=typed_command())


@click.command(cls=Command)
@embedder_options
@atlas_option
@model_option
@device_option
@item_options
@click.option("--out", type=FILE, required=True, metavar="FILE", help="Parquet: the table and 'embedding'.")
def embed(embedder: str, weights: Path | None, atlas: str, model: Path | None, items: ItemOptions, out: Path) -> None:
    """Embed a CSV of coordinates, texts or pictures, or a folder of pictures."""
    from unigeoclip.embedders import is_of_an_atlas, load_embedder
    from unigeoclip.export.embedding_tables import check_out, embed_csv

    check_new_file(out, weights)
    check_out(items.path, out)
    opened = opened_atlas(atlas, model) if is_of_an_atlas(embedder) else None
    loaded = load_embedder(embedder, opened, weights)
    if items.radius is not None:
        from unigeoclip.embedders.around import Around

        loaded = Around(loaded, items.radius)
    origin = _origin(loaded, opened)
    if items.csv is not None and items.text is None and items.image is None:
        lat, lon = items.lat or "lat", items.lon or "lon"
        rows, dim, empty = embed_csv(loaded, items.csv, lat, lon, out, progress=Progress(), provenance=origin)
        if empty:
            remark(f"{empty} of {rows} rows lie where {loaded.title} has no vector; their embedding is null.")
    else:
        rows, dim = _embed_items(loaded, items, out, origin)
    print_lines(f"{out}: {rows} rows, {dim} dimensions")


def _embed_items(embedder: Embedder, items: ItemOptions, out: Path, origin: Provenance) -> tuple[int, int]:
    """Embed texts or pictures, and say on stderr what to know; returns rows and dimensions."""
    from unigeoclip.export.item_tables import ItemTable, PictureFolder, embed_items, picture_reader, text_reader

    skip = items.skip_unreadable
    if items.text is not None:
        reader = text_reader(embedder)
    else:
        reader = picture_reader(embedder, items.modality or "", items.folder)
    check = None if skip else reader.check
    source: ItemTable | PictureFolder
    if items.images is not None:
        source = PictureFolder(items.images, reader.modality, check)
        if source.others:
            remark(f"Left out {len(source.others)} files that are no pictures by their names: {_first(source.others)}")
    else:
        option, column = ("--text", items.text) if items.text is not None else ("--image", items.image)
        source = ItemTable.checked(items.path, option, column or "", check)
    done = embed_items(reader, source, out, skip_unreadable=skip, progress=Progress(), provenance=origin)
    for count, what, first in (
        (done.noted, "have something to know", done.notes),
        (done.skipped, "could not be read, and their embedding is null", done.why),
    ):
        if count:
            remark(f"{count} of {done.rows} rows {what}; the first:", *(f"  {one_line(line)}" for line in first))
    return done.rows, done.dim


def _first(names: Sequence[str]) -> str:
    return one_line(f"{', '.join(names[:3])}{' ...' if len(names) > 3 else ''}")


COMMANDS: tuple[click.Command, ...] = (search, describe, heatmap, embed)
