"""An answer as a postcard: the map with its heatmap, the query, what is seen, a code of its address, the makers."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from unigeoclip.atlas.base_picture import base_picture
from unigeoclip.errors import InputError
from unigeoclip.extras import needs_extra
from unigeoclip.geo import web_mercator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.geo import Bounds

__all__ = ["FORMS", "Postcard", "draw_postcard"]

FORMS = ("png", "pdf")
SCREEN_PX = (1200, 630)  # as social networks show links
PRINT_PX = (1748, 1240)  # A6 at 300 dots an inch
PRINT_DPI = 300
_MAP_SHARE = 0.66
_INK, _SOFT, _PAPER, _NIGHT = "#16232b", "#55656f", "#fbfaf7", "#0e161b"
_TITLE, _TEXT, _SMALL = 0.058, 0.034, 0.021  # heights of letters, of the card's height
_LINE = 1.3
_CODE_SHARE = 0.62  # of the column's width
_MOST_LINES = {_TITLE: 5, _TEXT: 6, _SMALL: 14}


@dataclass(frozen=True)
class Postcard:
    """What a postcard shows.

    Attributes:
        query: In words.
        caption: What is seen, a few sentences.
        heatmap: PNG in Web Mercator over ``bounds``.
        bounds: South, west, north, east, degrees, within the Web Mercator square.
        points: (lat, lon) to mark.
        code: (n, n) modules of a QR code without its quiet zone, True for dark; None for none.
    """

    query: str
    caption: str
    heatmap: bytes
    bounds: Bounds
    points: tuple[tuple[float, float], ...] = ()
    code: NDArray[np.bool_] | None = None


def draw_postcard(atlas: Atlas, card: Postcard, form: str) -> bytes:
    """Draw a postcard: PNG of 1200 x 630 pixels, or PDF of A6.

    Args:
        atlas: Whose picture lies below the heatmap.
        card: What is shown.
        form: One of `FORMS`.

    Raises:
        InputError: There is no such form.
        MissingPackageError: matplotlib, whose fonts are used, is not installed.
    """
    if form not in FORMS:
        raise InputError(f"A postcard is drawn as {' or '.join(FORMS)}, not {form!r}.")
    width, height = SCREEN_PX if form == "png" else PRINT_PX
    sheet = Image.new("RGB", (width, height), _PAPER)
    left = round(width * _MAP_SHARE)
    sheet.paste(_map(atlas, card, left, height), (0, 0))
    _column(sheet, atlas, card, left)
    file = io.BytesIO()
    if form == "png":
        sheet.save(file, "PNG", optimize=True)
    else:
        sheet.save(file, "PDF", resolution=PRINT_DPI, title=f"UniGeoCLIP: {card.query}"[:200], quality=92)
    return file.getvalue()


def _map(atlas: Atlas, card: Postcard, width: int, height: int) -> Image.Image:
    """The whole map within a rectangle, on dark ground."""
    south, west, north, east = card.bounds
    (x0, y1), (x1, y0) = web_mercator(np.array([[north, west], [south, east - 1e-9]])).tolist()
    px_m = max((x1 - x0) / width, (y1 - y0) / height)
    size = (max(1, round((x1 - x0) / px_m)), max(1, round((y1 - y0) / px_m)))
    base, within = base_picture(atlas, card.bounds)
    inner = (max(1, round(size[0] * (within[3] - west) / (east - west))), size[1])  # it ends at 180 degrees east
    ground = Image.new("RGB", size, _NIGHT)
    ground.paste(Image.open(io.BytesIO(base)).convert("RGB").resize(inner, Image.Resampling.LANCZOS), (0, 0))
    ground = Image.blend(ground, ground.convert("L").convert("RGB"), 0.5)
    heat = Image.open(io.BytesIO(card.heatmap)).convert("RGBA").resize(size, Image.Resampling.BILINEAR)
    ground.paste(heat.convert("RGB"), (0, 0), heat.getchannel("A").point(lambda alpha: round(alpha * 0.85)))
    draw, radius = ImageDraw.Draw(ground), max(4, height // 70)
    for lat, lon in card.points:
        x_m, y_m = web_mercator(np.array([[lat, lon if lon >= west else lon + 360]]))[0].tolist()
        x, y = (x_m - x0) / px_m, (y1 - y_m) / px_m
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), "#ffffff", _NIGHT, max(2, radius // 3))
    placed = Image.new("RGB", (width, height), _NIGHT)
    placed.paste(ground, ((width - size[0]) // 2, (height - size[1]) // 2))
    return placed


def _column(sheet: Image.Image, atlas: Atlas, card: Postcard, left: int) -> None:
    """Words and the code, right of the map; the makers at the bottom."""
    width, height = sheet.size
    margin = round(height * 0.045)
    x, room = left + margin, width - left - 2 * margin
    draw = ImageDraw.Draw(sheet)
    y = _write(draw, card.query, (x, margin), room, height, _TITLE, _INK, bold=True)
    y = _write(draw, card.caption, (x, y + margin // 2), room, height, _TEXT, _INK)
    shown = [source.attribution for source in atlas.manifest.sources if not source.what.startswith("rules")]
    makers = "UniGeoCLIP Explorer · " + " · ".join(dict.fromkeys(filter(None, shown)))
    lines = _lines(makers, _font(height, _SMALL), room, _MOST_LINES[_SMALL])
    bottom = height - margin - round(len(lines) * height * _SMALL * _LINE)
    _write(draw, makers, (x, bottom), room, height, _SMALL, _SOFT)
    if card.code is None:
        return
    modules = np.pad(card.code, 4)  # scanners need the quiet zone
    most = min(round(room * _CODE_SHARE), bottom - y - margin)
    px = most // len(modules)  # whole pixels, or modules would differ in width
    if px < 1:
        return
    code = Image.fromarray(np.where(modules, 0, 255).astype(np.uint8)).resize(
        (px * len(modules),) * 2, Image.Resampling.NEAREST
    )
    sheet.paste(code.convert("RGB"), (x, bottom - margin // 2 - code.height))


def _write(
    draw: ImageDraw.ImageDraw, text: str, at: tuple[int, int], room: int, height: int, share: float, color: str,
    *, bold: bool = False,
) -> int:  # fmt: skip
    """Write lines of text; returns where they end."""
    x, y = at
    font = _font(height, share, bold=bold)
    for line in _lines(text, font, room, _MOST_LINES[share]):
        draw.text((x, y), line, color, font)
        y += round(height * share * _LINE)
    return y


def _lines(text: str, font: Any, room: int, most: int) -> Sequence[str]:
    """Words in lines that are not too wide; what is left over ends in an ellipsis."""
    lines = [""]
    for word in text[:2000].split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    lines = [line for line in lines if line]
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1]} …"]
    return [_cut(line, font, room) for line in lines]


def _cut(line: str, font: Any, room: int) -> str:
    while line and font.getlength(line) > room:
        line = line[:-2].rstrip() + "…" if len(line) > 2 else ""
    return line


def _font(height: int, share: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    with needs_extra("plot"):
        import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), round(height * share))
