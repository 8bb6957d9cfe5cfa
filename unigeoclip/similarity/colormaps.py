"""Colours of the maps: similarity colour maps, and shaded relief for surface models.

The colour maps are perceptually uniform and safe for the colour-blind. They are kept as short tables, since importing a
plotting library at query time would cost more than the whole query.
"""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, PngImagePlugin

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "COLORMAPS",
    "DEFAULT_COLORMAP",
    "hex_color",
    "palette",
    "paletted_png",
    "png_texts",
    "relief_colors",
    "shaded_relief",
]

# Every 15th of the 256 colours of each map, low to high. Between them a straight line in sRGB is at most 11 of 255 off.
# inferno, magma, viridis: N. Smith and S. van der Walt (CC0). cividis: Nunez, Anderton and Renslow (2018, CC0).
_ANCHORS = {
    "inferno": "000004 0a0722 1e0c45 380962 510e6c 69166e 801f6c 982766 b0315b"
    " c63d4d d94d3d e9612b f47918 fa9407 fcb014 f8cd37 f2ea69 fcffa4",
    "magma": "000004 090720 1a1042 311165 4a1079 621980 792282 912b81 aa337d"
    " c23b75 d9466b ec5860 f7725c fc8e64 feaa74 fec68a fde2a3 fcfdbf",
    "viridis": "440154 481769 472a7a 433d84 3d4e8a 355e8d 2e6d8e 297b8e 23898e"
    " 1f978b 21a585 2eb37c 46c06f 65cb5e 89d548 b0dd2f d8e219 fde725",
    "cividis": "00224e 002d68 163770 2e416d 3f4c6c 4e566c 5c616e 696b71 767676"
    " 838179 928c78 a09875 afa471 bfb06b cfbd62 dfca57 f0d846 fee838",
}
COLORMAPS = tuple(_ANCHORS)
DEFAULT_COLORMAP = "inferno"

# Height in metres -> colour, for a continent's ranges and, where pixels are narrow, for a city's roofs. Lightness rises
# with height, so that it reads without colour too. Land below the sea is lowland like any other.
_HEIGHT_M = (0.0, 30.0, 150.0, 500.0, 1200.0, 2500.0, 4000.0, 5500.0)
_ROOF_M = (0.0, 4.0, 8.0, 14.0, 25.0, 50.0, 100.0, 240.0)
_ROOF_PIXEL_M = 25.0  # wider pixels show no single roof
_HEIGHT_COLORS = "3d7556 55895c 7fa169 aeb87a cdbf86 c9a77a d8cdbf ffffff"
_WATER_RGB, _NO_DATA_RGB = (0x4E, 0x7F, 0xA3), (0x9A, 0xA3, 0xA8)
_SUN_AZIMUTH_DEG, _SUN_ELEVATION_DEG = 315.0, 45.0


def palette(name: str, levels: int) -> NDArray[np.uint8]:
    """Colours of a colour map, (levels, 3) sRGB, from its low end to its high end.

    Raises:
        InputError: There is no such colour map.
    """
    if name not in _ANCHORS:
        raise InputError(f"There is no colour map {name!r}; choose one of {', '.join(COLORMAPS)}.")
    anchors = _rgb_table(_ANCHORS[name])
    return _interpolate(np.linspace(0, 1, levels), np.linspace(0, 1, len(anchors)), anchors)


def hex_color(rgb: NDArray[np.uint8]) -> str:
    """Three bytes as "#rrggbb"."""
    return "#" + bytes(rgb.tolist()).hex()


def paletted_png(pixels: NDArray[np.uint8], colors: NDArray[np.uint8], texts: Mapping[str, str]) -> bytes:
    """Encode a picture of numbered colours as an 8-bit PNG.

    Args:
        pixels: (h, w) uint8: 0 is transparent, k the k-th colour.
        colors: (levels, 4) sRGB and alpha, at most 255 of them.
        texts: Kept in the file by keyword, such as "Comment".
    """
    picture = Image.fromarray(pixels, "P")
    picture.putpalette(bytes(3) + colors[:, :3].tobytes())
    file = io.BytesIO()
    # Run lengths: all that level 3 of zlib finds beyond them is a tenth of the bytes, for twice the time.
    picture.save(
        file, "PNG", transparency=bytes(1) + colors[:, 3].tobytes(), compress_type=zlib.Z_RLE, pnginfo=png_texts(texts)
    )
    return file.getvalue()


def png_texts(texts: Mapping[str, str]) -> PngImagePlugin.PngInfo:
    """Text chunks of a PNG, by keyword."""
    info = PngImagePlugin.PngInfo()
    for keyword, value in texts.items():
        add = info.add_text if value.isascii() else info.add_itxt
        add(keyword, value)
    return info


def shaded_relief(
    heights_m: NDArray[np.float32], pixel_m: float, water: NDArray[np.bool_] | None = None
) -> Image.Image:
    """Picture of a surface model: colour by height, light from the north-west.

    Args:
        heights_m: (h, w) metres, row 0 in the north; NaN where there is no data.
        pixel_m: Ground width of one pixel. Wide pixels flatten slopes, so relief is exaggerated with their square root.
        water: (h, w), true where there is water: surface models tell it from flat ground only where they are high.

    Returns:
        RGB picture of (w, h) pixels; water is plain blue, pixels without data are plain grey.
    """
    no_data = np.isnan(heights_m)
    heights = np.where(no_data, 0.0, heights_m).astype(np.float64)
    rgb = _height_colors(heights, pixel_m).astype(np.float64)
    slope_south, slope_east = np.gradient(heights * (max(1.0, 0.4 * pixel_m**0.5) / pixel_m))
    azimuth, elevation = np.radians(_SUN_AZIMUTH_DEG), np.radians(_SUN_ELEVATION_DEG)
    # Surface normal (-slope_east, +slope_south, 1) dotted with the direction to the sun; 1 on flat ground.
    sun_east, sun_north = np.sin(azimuth) / np.tan(elevation), np.cos(azimuth) / np.tan(elevation)
    light = (1 - slope_east * sun_east + slope_south * sun_north) / np.sqrt(1 + slope_east**2 + slope_south**2)
    rgb *= np.clip(light, 0.35, 1.35)[..., None]
    rgb[no_data] = _NO_DATA_RGB
    if water is not None:
        rgb[water] = _WATER_RGB
    return Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8), "RGB")


def relief_colors(low_m: float, high_m: float, pixel_m: float, steps: int = 13) -> list[str]:
    """Colours of `shaded_relief` on flat ground from one height to another, as "#rrggbb", in equal steps of height."""
    return [hex_color(color) for color in _height_colors(np.linspace(low_m, high_m, steps), pixel_m)]


def _height_colors(heights_m: NDArray[np.float64], pixel_m: float) -> NDArray[np.uint8]:
    stops = _ROOF_M if pixel_m < _ROOF_PIXEL_M else _HEIGHT_M
    return _interpolate(heights_m, np.array(stops), _rgb_table(_HEIGHT_COLORS))


def _rgb_table(colors: str) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(colors), dtype=np.uint8).reshape(-1, 3)


def _interpolate(
    at: NDArray[np.float64], positions: NDArray[np.float64], colors: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    channels = [np.interp(at, positions, colors[:, channel]) for channel in range(3)]
    return np.round(np.stack(channels, axis=-1)).astype(np.uint8)
