"""Uploads of every kind: what is decoded, how, and what is refused in which words."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from unigeoclip.errors import InputError
from unigeoclip.uploads import decode_picture, decode_surface, guess_modality, headers, read_picture, read_surface

PX = 32
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
QUADRANTS = {"top left": RED, "top right": GREEN, "bottom left": BLUE, "bottom right": WHITE}


def quadrants(side: int = 64) -> Image.Image:
    """A picture whose four quarters differ, so that turned, mirrored and swapped channels show."""
    image = Image.new("RGB", (side, side))
    half = side // 2
    for (top, left), color in zip(((0, 0), (0, half), (half, 0), (half, half)), QUADRANTS.values(), strict=True):
        image.paste(color, (left, top, left + half, top + half))
    return image


def file_of(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def corners(array: np.ndarray) -> dict[str, tuple[int, ...]]:
    quarter, rest = PX // 4, PX - PX // 4
    spots = ((quarter, quarter), (quarter, rest), (rest, quarter), (rest, rest))
    return {name: tuple(array[:, *spot].tolist()) for name, spot in zip(QUADRANTS, spots, strict=True)}


def assert_quadrants(array: np.ndarray, tolerance: int = 0) -> None:
    assert array.dtype == np.uint8
    assert array.shape == (3, PX, PX)
    assert array.flags.c_contiguous
    for name, color in corners(array).items():
        assert color == pytest.approx(QUADRANTS[name], abs=tolerance), name


def unfolding_png(width: int, height: int) -> bytes:
    """A small PNG that says it has so many pixels; decoding it would fill the memory, so the test must not."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


# Pictures


@pytest.mark.parametrize(
    ("kind", "tolerance"), [("PNG", 0), ("BMP", 0), ("TIFF", 0), ("JPEG", 6), ("WEBP", 6), ("GIF", 0)]
)
def test_every_format_comes_out_upright_in_rgb(kind, tolerance):
    assert_quadrants(decode_picture(file_of(quadrants(), kind), PX), tolerance)


def test_small_pictures_grow_and_large_ones_shrink():
    assert_quadrants(decode_picture(file_of(quadrants(8)), PX), 30)
    assert_quadrants(decode_picture(file_of(quadrants(1000), "JPEG", quality=95), PX), 6)


def test_the_central_square_is_taken():
    wide = Image.new("RGB", (128, 64), (1, 2, 3))
    wide.paste(quadrants(64), (32, 0))
    decoded = read_picture(file_of(wide), PX)
    assert_quadrants(decoded.array)
    assert "128 x 64" in decoded.notes[0]
    tall = Image.new("RGB", (64, 200), (1, 2, 3))
    tall.paste(quadrants(64), (0, 68))
    assert_quadrants(decode_picture(file_of(tall), PX))


@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        (1, None),
        (2, Image.Transpose.FLIP_LEFT_RIGHT),
        (3, Image.Transpose.ROTATE_180),
        (6, Image.Transpose.ROTATE_90),
        (8, Image.Transpose.ROTATE_270),
    ],
)
def test_rotation_in_exif_is_undone(orientation, stored):
    image = quadrants() if stored is None else quadrants().transpose(stored)
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert_quadrants(decode_picture(file_of(image, "JPEG", quality=95, exif=exif), PX), 6)


def test_cmyk_keeps_its_colors_and_says_so():
    decoded = read_picture(file_of(quadrants().convert("CMYK"), "JPEG", quality=95), PX)
    assert_quadrants(decoded.array, 10)
    assert "CMYK" in decoded.notes[0]


def test_palettes_and_gray():
    assert_quadrants(decode_picture(file_of(quadrants().quantize(8)), PX), 2)
    gray = decode_picture(file_of(Image.new("L", (40, 40), 77)), PX)
    assert (gray == 77).all()
    assert (decode_picture(file_of(Image.new("1", (40, 40), 1)), PX) == 255).all()


def test_sixteen_bit_gray_is_stretched_not_cut_off():
    values = np.repeat(np.linspace(1000, 60000, 64)[None], 64, axis=0).astype(np.uint16)
    decoded = read_picture(file_of(Image.fromarray(values)), PX)
    assert decoded.array.min() <= 6
    assert decoded.array.max() >= 249
    assert (np.diff(decoded.array[0, 5].astype(int)) > 0).all()
    assert "more than 8 bits" in decoded.notes[0]


def test_sixteen_bit_gray_of_one_value_is_no_division_by_zero():
    assert (decode_picture(file_of(Image.fromarray(np.full((9, 9), 4000, np.uint16))), PX) == 0).all()


def test_transparency_shows_gray():
    image = quadrants().convert("RGBA")
    image.paste((255, 0, 0, 0), (0, 0, 32, 32))
    decoded = read_picture(file_of(image), PX)
    assert corners(decoded.array)["top left"] == (128, 128, 128)
    assert corners(decoded.array)["bottom left"] == BLUE
    assert "transparent" in decoded.notes[0]


def test_an_opaque_alpha_channel_needs_no_note():
    decoded = read_picture(file_of(quadrants().convert("RGBA")), PX)
    assert_quadrants(decoded.array)
    assert decoded.notes == ()


def test_a_transparent_color_of_a_palette_shows_gray():
    image = quadrants().quantize(8)
    at = image.getpixel((0, 0))
    assert corners(decode_picture(file_of(image, transparency=at), PX))["top left"] == (128, 128, 128)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_of_several_frames_is_taken(kind):
    others = [Image.new("RGB", (64, 64), (9, 9, 9))]
    options = {"lossless": True} if kind == "WEBP" else {}
    decoded = read_picture(file_of(quadrants(), kind, save_all=True, append_images=others, **options), PX)
    assert_quadrants(decoded.array, 3)
    assert "first" in decoded.notes[0]


def test_empty_file():
    with pytest.raises(InputError, match="empty"):
        decode_picture(b"", PX)


@pytest.mark.parametrize("data", [b"MZ\x90\0" + bytes(2000), b"hello", b"\0", b"<svg xmlns='x'/>", b"%PDF-1.7\n"])
def test_what_is_no_picture_is_refused_whatever_its_name(data):
    with pytest.raises(InputError, match="not a picture"):
        decode_picture(data, PX)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_truncated_files_are_refused(kind, share):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8))
    data = file_of(noise, kind)
    with pytest.raises(InputError, match=r"damaged or cut short|not a picture"):
        decode_picture(data[: int(len(data) * share)], PX)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_damaged_files_are_decoded_or_refused_never_anything_else(kind):
    rng = np.random.default_rng(0)
    whole = np.frombuffer(file_of(quadrants(40), kind), dtype=np.uint8)
    for _ in range(40):
        data = whole.copy()
        at = rng.integers(len(data), size=6)
        data[at] = rng.integers(0, 256, size=6)
        with contextlib.suppress(InputError):
            assert decode_picture(data.tobytes(), PX).shape == (3, PX, PX)


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (100_000, 501), (8_000, 8_000)])
def test_huge_pictures_are_refused_by_their_header(width, height):
    for decode in (decode_picture, decode_surface):
        with pytest.raises(InputError, match="too large"):
            decode(unfolding_png(width, height), PX)


def test_files_over_the_limit_are_refused(monkeypatch):
    monkeypatch.setattr(headers, "MAX_FILE_BYTES", 100)
    for decode in (decode_picture, decode_surface):
        with pytest.raises(InputError, match="too large"):
            decode(file_of(quadrants()), PX)


def test_no_pixels_wanted():
    with pytest.raises(InputError, match="0 pixels"):
        decode_picture(file_of(quadrants()), 0)


# Heights


def ramp(rows: int = 64, columns: int = 64, dtype: str = "float32") -> np.ndarray:
    """Heights that grow eastward by 10 m and southward by 1 m a pixel."""
    return (10 * np.arange(columns)[None] + np.arange(rows)[:, None]).astype(dtype)


def geotiff(values: np.ndarray, count: int = 1, *, south_up: bool = False, unit: str | None = None, **options) -> bytes:
    rows, columns = values.shape
    transform = Affine(0.01, 0, 5.0, 0, 0.01 if south_up else -0.01, 47.0)
    profile = {"driver": "GTiff", "height": rows, "width": columns, "count": count, "dtype": values.dtype.name}
    profile |= {"crs": "EPSG:4326", "transform": transform}
    scale, offset = options.pop("scale", None), options.pop("offset", None)
    with MemoryFile() as file:
        with file.open(**profile, **options) as raster:
            for band in range(1, count + 1):
                raster.write(values, band)
            if scale is not None:
                raster.scales, raster.offsets = (scale,), (offset,)
            if unit is not None:
                raster.units = (unit,)
        return file.read()


def npy(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "uint16", "int32"])
def test_geotiff_heights_stay_meters(dtype):
    decoded = read_surface(geotiff(ramp(dtype=dtype)), PX)
    assert decoded.array.dtype == np.float32
    assert decoded.array.shape == (1, PX, PX)
    # Each pixel is the mean of two by two.
    np.testing.assert_allclose(decoded.array[0], ramp(64, 64).reshape(32, 2, 32, 2).mean((1, 3)), atol=1e-3)
    assert decoded.notes == ()


def test_npy_and_sixteen_bit_png_heights():
    expected = ramp().reshape(32, 2, 32, 2).mean((1, 3))
    np.testing.assert_allclose(decode_surface(npy(ramp()), PX)[0], expected, atol=1e-3)
    np.testing.assert_allclose(
        decode_surface(npy(np.asfortranarray(ramp(dtype="float64"))), PX)[0], expected, atol=1e-3
    )
    png = file_of(Image.fromarray(ramp(dtype="uint16")))
    np.testing.assert_allclose(decode_surface(png, PX)[0], expected, atol=1e-3)


def test_heights_grow_and_are_cut_square():
    decoded = read_surface(npy(ramp(16, 48)), PX)
    assert "48 x 16" in decoded.notes[0]
    assert np.isfinite(decoded.array).all()
    # The central 16 of 48 columns begin at 160 m.
    assert decoded.array.min() == pytest.approx(160, abs=2)
    assert decoded.array.max() == pytest.approx(160 + 150 + 15, abs=2)


def test_no_data_stays_out_of_the_means():
    values = ramp()
    values[:, :20] = -32768
    decoded = read_surface(geotiff(values, nodata=-32768), PX)
    assert np.isnan(decoded.array[0, :, :10]).all()
    np.testing.assert_allclose(decoded.array[0, :, 10:], ramp().reshape(32, 2, 32, 2).mean((1, 3))[:, 10:], atol=1e-3)
    assert "31% of the heights are no data." in decoded.notes
    single = ramp()
    single[0, 0] = np.nan  # one of the four under the first pixel: the mean of the other three stands
    assert decode_surface(npy(single), PX)[0, 0, 0] == pytest.approx((10 + 1 + 11) / 3)


def test_undeclared_customary_no_data():
    values = ramp()
    values[:2, :2] = -9999
    decoded = read_surface(npy(values), PX)
    assert np.isnan(decoded.array[0, 0, 0])
    assert np.isfinite(decoded.array).sum() == PX * PX - 1
    assert any("-9999" in note for note in decoded.notes)


def test_scale_and_offset_are_applied():
    data = geotiff((ramp() * 10).astype("int32"), scale=0.1, offset=-100.0)
    np.testing.assert_allclose(decode_surface(data, PX)[0], ramp().reshape(32, 2, 32, 2).mean((1, 3)) - 100, atol=1e-3)


def test_a_raster_stored_south_up_is_turned():
    north_up = decode_surface(geotiff(ramp()), PX)
    np.testing.assert_array_equal(decode_surface(geotiff(ramp()[::-1].copy(), south_up=True), PX), north_up)


def test_units_other_than_meters_are_refused():
    with pytest.raises(InputError, match="'ft'"):
        decode_surface(geotiff(ramp(), unit="ft"), PX)
    assert decode_surface(geotiff(ramp(), unit="metre"), PX).shape == (1, PX, PX)


@pytest.mark.parametrize(
    "data",
    [
        file_of(Image.new("L", (40, 40), 90)),
        file_of(quadrants()),
        file_of(quadrants().convert("RGBA")),
        geotiff(ramp().astype("uint8")),
        geotiff(ramp().astype("uint16"), count=3),
    ],
    ids=["grey PNG", "RGB PNG", "RGBA PNG", "8-bit TIFF", "three bands"],
)
def test_pictures_are_no_heights(data):
    with pytest.raises(InputError, match="heights in metres are needed"):
        decode_surface(data, PX)


@pytest.mark.parametrize("data", [file_of(quadrants(), "JPEG"), b"MZ" + bytes(500), b"lat,lon\n1,2\n"])
def test_other_files_are_no_heights(data):
    with pytest.raises(InputError, match="no heights that can be read"):
        decode_surface(data, PX)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(5),
        np.zeros((2, 5, 5)),
        np.zeros((0, 4)),
        np.zeros((4, 4), complex),
        np.array([["a"]]),
        np.array([[{}]]),
    ],
    ids=["one axis", "three axes", "no rows", "complex", "letters", "objects"],
)
def test_arrays_of_another_kind_are_refused(values):
    with pytest.raises(InputError, match="heights in metres are needed"):
        decode_surface(npy(values), PX)


def test_impossible_heights_are_refused():
    with pytest.raises(InputError, match="cannot be metres"):
        decode_surface(npy(ramp() * 100), PX)
    undeclared = ramp()
    undeclared[3, 3] = -32768
    with pytest.raises(InputError, match="no data"):
        decode_surface(geotiff(undeclared), PX)


def test_heights_without_any_data_are_refused():
    with pytest.raises(InputError, match="all no data"):
        decode_surface(npy(np.full((8, 8), np.nan)), PX)


def test_empty_and_truncated_heights():
    with pytest.raises(InputError, match="empty"):
        decode_surface(b"", PX)
    noise = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    for data in (geotiff(noise), npy(noise), file_of(Image.fromarray((noise * 100 + 500).astype(np.uint16)))):
        for share in (0.02, 0.5, 0.9):
            with pytest.raises(InputError, match=r"damaged or cut short|no heights|not a picture"):
                decode_surface(data[: int(len(data) * share)], PX)


# What a file is taken for


def encoded(mode, size, form="PNG", **options):
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, form, **options)
    return buffer.getvalue()


def test_a_modality_is_guessed():
    known = ("aerial", "street", "surface")
    heights = io.BytesIO()
    np.save(heights, np.zeros((4, 4), np.float32))
    made_by = Image.Exif()
    made_by[ExifTags.Base.Make] = "A camera"
    cases = [
        (encoded("RGB", (64, 64)), "aerial"),
        (encoded("RGB", (400, 300)), "street"),
        (encoded("RGB", (300, 400), "JPEG"), "street"),
        (encoded("RGB", (64, 64), "JPEG", exif=made_by), "street"),
        (encoded("I;16", (64, 64)), "surface"),
        (heights.getvalue(), "surface"),
        (b"no picture at all", "aerial"),
    ]
    assert [guess_modality(data, known) for data, _ in cases] == [kind for _, kind in cases]
    assert guess_modality(cases[1][0], ("aerial", "surface")) == "aerial"  # an atlas without street views
