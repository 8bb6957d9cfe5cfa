"""Files that ask for too much by their headers: refused before a decoder allocates anything."""

import io
import time
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from tests.attacks import hostile_files as hostile
from unigeoclip.errors import InputError
from unigeoclip.uploads import decode_picture, decode_surface, headers, heights, read_picture, read_surface

PX = 32
GENEROUS_S = 20


@pytest.mark.parametrize("options", [{}, {"order": ">"}, {"big": True}, {"bits": 8}])
@pytest.mark.parametrize("tile_px", [8192, 65_536, 1 << 30])
@pytest.mark.parametrize("decode", [decode_picture, decode_surface])
def test_a_tile_that_is_larger_than_memory_is_refused(decode, tile_px, options):
    with pytest.raises(InputError, match=f"tiles of {tile_px:,} x {tile_px:,} pixels"):
        decode(hostile.tiled_tiff(tile_px, **options), PX)


def test_what_gdal_understands_of_tiles_is_checked_as_well(monkeypatch):
    monkeypatch.setattr(heights, "check_container", lambda data: None)
    with pytest.raises(InputError, match="tiles of 8,192 x 8,192"):
        decode_surface(hostile.tiled_tiff(8192), PX)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (hostile._strips(64, 64, blocks=1_000_000), "1,000,000 tiles or strips"),
        (hostile._strips(600, 60_000, rows=1, samples=8), "480,000 tiles or strips"),
        (hostile._strips(7_000, 7_000, samples=64), "64 bands"),
        (hostile._strips(60_000, 60_000), "too large"),
        (hostile._strips(1, 50_000_000, rows=1), "too large"),
        (hostile._strips(0, 0), "does not say how large"),
        (hostile._strips(64, 64, count=65_535), "65,535 tags"),
        (hostile._strips(64, 64, count=500), "damaged or cut short"),
        (b"II*\0\xff\xff\xff\xff", "damaged or cut short"),
        (b"II*\0", "damaged or cut short"),
    ],
)
@pytest.mark.parametrize("decode", [decode_picture, decode_surface])
def test_tiffs_that_ask_for_too_much(decode, data, words):
    with pytest.raises(InputError, match=words):
        decode(data, PX)


@pytest.mark.parametrize("decode", [decode_picture, decode_surface])
def test_pngs_with_too_many_chunks(decode):
    for data in (hostile.text_png(1_100), hostile.png(64, 64, before=hostile.png_chunk(b"IDAT", b"") * 31_000)):
        with pytest.raises(InputError, match="too many chunks"):
            decode(data, PX)
    with pytest.raises(InputError, match="picture"):  # 64 x 64 in colors are no heights, but it is a picture
        decode_surface(hostile.text_png(900), PX)
    assert decode_picture(hostile.text_png(900), PX).shape == (3, PX, PX)


def test_jpegs_with_too_many_scans():
    with pytest.raises(InputError, match="more than 100 scans"):
        decode_picture(hostile.scans_jpeg(200), PX)
    assert decode_picture(hostile.scans_jpeg(50), PX).shape == (3, PX, PX)
    # What follows the end of the picture is not part of it: the videos that telephones put there, for instance.
    honest = hostile.saved(hostile.noise(64), "JPEG", progressive=True)
    assert decode_picture(honest + b"\xff\xda" * 1_000, PX).shape == (3, PX, PX)


@pytest.mark.parametrize("file", list(hostile._webps())[:4], ids=lambda file: file[0])
def test_webps_are_refused_before_their_canvas_is_allocated(file):
    with pytest.raises(InputError, match="too large"):
        decode_picture(file[2], PX)


def test_honest_webps_pass():
    for options in ({}, {"lossless": True}, {"save_all": True, "append_images": [hostile.noise(40, 1)]}):
        assert decode_picture(hostile.saved(hostile.noise(40), "WEBP", **options), PX).shape == (3, PX, PX)


@pytest.mark.parametrize("file", list(hostile._numpy_headers()), ids=lambda file: file[0])
def test_numpy_headers_are_refused_in_a_sentence(file):
    """Among them nine thousand minus signs (MemoryError in ast) and a shape of booleans (TypeError)."""
    if file[0] == "type-7.npy":  # sixteen bytes a number: unusual, but numbers
        return
    with pytest.raises(InputError) as caught:
        decode_surface(file[2], PX)
    assert len(str(caught.value)) < 1_500
    assert "\n" not in str(caught.value)


def test_a_numpy_header_allocates_nothing_that_is_not_there():
    data = hostile.numpy_file(hostile.numpy_header("(7000, 7000)"), content=bytes(64))
    tracemalloc.start()
    with pytest.raises(InputError, match="damaged or cut short"):
        decode_surface(data, PX)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_an_animation_of_a_hundred_thousand_frames_is_its_first():
    begun = time.monotonic()
    decoded = read_picture(hostile.many_frames_gif(100_000, px=20), PX)
    assert "first" in decoded.notes[0]
    assert time.monotonic() - begun < GENEROUS_S


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError("deep"), OverflowError("wide"), ZeroDivisionError("x")]
)
def test_whatever_a_decoder_raises_is_a_refusal(monkeypatch, error):
    def fail(*_arguments, **_options):
        raise error

    monkeypatch.setattr(Image.Image, "resize", fail)
    for decode, data in (
        (decode_picture, hostile.saved(hostile.noise(40), "PNG")),
        (decode_surface, hostile.numpy_heights(hostile.ramp(40))),
    ):
        with pytest.raises(InputError, match=r"damaged or cut short|too much memory") as caught:
            decode(data, PX)
        assert caught.value.__cause__ is error


def test_messages_of_libraries_are_cut():
    words = str(headers.damaged(ValueError("x\n" * 10_000)))
    assert len(words) < 400
    assert "\n" not in words


# Large and honest: read in strips


def peak_mb(call):
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


@pytest.mark.parametrize("options", [{}, {"tiled": True, "blockxsize": 512, "blockysize": 512}, {"blockysize": 3_000}])
def test_large_heights_are_shrunk_as_they_are_read(options):
    """What NumPy holds at most; the float64 copies of all of it were 300 MB."""
    values = hostile.ramp(3_000)
    data = hostile.geotiff(values, compress="deflate", **options)
    assert peak_mb(lambda: decode_surface(data, PX)) < 100
    assert peak_mb(lambda: decode_picture(data, PX)) < 100
    assert peak_mb(lambda: decode_surface(hostile.numpy_heights(values), PX)) < 100 + values.nbytes * 2 / 1e6


@pytest.mark.parametrize("side", [64, 1_000, 1_237])
def test_heights_read_in_strips_are_the_means_of_all(monkeypatch, side):
    monkeypatch.setattr(heights, "_STRIP_PX", 20_000)
    values = 5 * np.arange(side, dtype=np.float32)[None] + 2 * np.arange(side, dtype=np.float32)[:, None]
    values[np.random.default_rng(side).random((side, side)) < 0.1] = np.nan
    known = np.isfinite(values)
    expected = [
        np.asarray(Image.fromarray(part.astype(np.float32)).resize((PX, PX), Image.Resampling.BOX))
        for part in (np.where(known, values, 0), known)
    ]
    mean = np.where(expected[1] >= 0.5, expected[0] / expected[1], np.nan)
    decoded = read_surface(hostile.geotiff(values), PX)
    # Cells of several pixels at the edge of a result are counted to one side: less than a pixel, of 5 m.
    np.testing.assert_allclose(decoded.array[0], mean, atol=0.01 if side < 1_024 else 4)
    assert decoded.notes == (f"{1 - known.mean():.0%} of the heights are no data.",)


def test_gray_pictures_in_strips_are_stretched_over_all_of_their_range(monkeypatch):
    from unigeoclip.uploads import pictures

    values = np.linspace(-5, 7, 64 * 64, dtype=np.float32).reshape(64, 64)
    values[3, 3] = np.nan
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "TIFF")
    whole = decode_picture(stream.getvalue(), 64)
    monkeypatch.setattr(pictures, "_STRIP_PX", 640)
    np.testing.assert_array_equal(decode_picture(stream.getvalue(), 64), whole)
    assert (whole.min(), whole.max()) == (0, 255)
    assert whole[0, 3, 3] == 0
