"""Files that were made to stop whoever opens them, and honest ones that are merely large.

Everything is built here from a few bytes; nothing of it is in the repository. Most files are refused by a look at their
headers. Whoever decodes them without that look should limit memory first.
"""

import io
import itertools
import pickle
import random
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image
from rasterio.io import MemoryFile
from rasterio.transform import Affine

SHORT, LONG, ASCII, LONG8 = 3, 4, 2, 16
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIP_OFFSETS, SAMPLES, ROWS, STRIP_BYTES = (
    256, 257, 258, 259, 262, 273, 277, 278, 279
)  # fmt: skip
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES, FORMAT = 322, 323, 324, 325, 339
DEFLATE, FLOAT = 8, 3


@dataclass(frozen=True)
class HostileFile:
    """One file.

    Attributes:
        name: As the visitor's browser would tell it.
        kind: What the visitor says it is: a modality, or "guess".
        data: Its content.
    """

    name: str
    kind: str
    data: bytes

    def __iter__(self):
        return iter((self.name, self.kind, self.data))


def hostile_files(count=200, seed=0):
    """So many different files, (name, kind, data) each, the same for the same seed.

    The first ones are bombs and lies, one idea each; when they are used up, honest files with random bytes changed
    follow without end. About 130 MB in all for 200; they are made one by one.
    """
    seen = set()
    ideas = (
        _tiled_tiffs, _tiffs, _numpy_headers, _pngs, _gifs, _webps, _bmps, _jpegs, _heights, _poses, _names, _truncated
    )  # fmt: skip
    files = itertools.chain(*(idea() for idea in ideas), _damaged(random.Random(seed)))
    for name, kind, data in files:
        if len(seen) == count:
            return
        if (key := (kind, hash(data))) not in seen:
            seen.add(key)
            yield HostileFile(name, kind, data)


# TIFF


def tiff(tags, *, order="<", big=False, tail=b"", following=0, count=None):
    """A TIFF file of one directory.

    Args:
        tags: (tag, type, value or list of values) each; lists and what is too long for its place are put after it.
        order: "<" or ">".
        big: BigTIFF.
        tail: Bytes after the directory.
        following: Offset of the next directory.
        count: Number of tags that it claims to have.
    """
    codes = {SHORT: "H", LONG: "I", ASCII: "B", LONG8: "Q"}
    number, word, start = ("Q", "Q", 16) if big else ("H", "I", 8)
    room = struct.calcsize("<" + word)
    end = start + struct.calcsize("<" + number) + len(tags) * (4 + 2 * room) + room
    head = b"II" if order == "<" else b"MM"
    head += struct.pack(order + ("HHHQ" if big else "HI"), *((43, 8, 0, start) if big else (42, start)))
    directory, after = struct.pack(order + number, len(tags) if count is None else count), b""
    for tag, kind, value in sorted(tags, key=lambda each: each[0]):
        values = value if isinstance(value, list) else [value]
        packed = struct.pack(f"{order}{len(values)}{codes[kind]}", *values)
        if len(packed) > room:
            packed, after = struct.pack(order + word, end + len(after)), after + packed
        directory += struct.pack(order + "HH" + word, tag, kind, len(values)) + packed.ljust(room, b"\0")
    return head + directory + struct.pack(order + word, following) + after + tail


def tiled_tiff(tile_px, px=64, *, bits=32, order="<", big=False):
    """A small TIFF that is cut into one huge tile, which decoders allocate whole."""
    content = zlib.compress(bytes(min(tile_px * tile_px, 500_000)), 9)
    tags = [
        (WIDTH, LONG, px), (HEIGHT, LONG, px), (BITS, SHORT, bits), (COMPRESSION, SHORT, DEFLATE),
        (PHOTOMETRIC, SHORT, 1), (SAMPLES, SHORT, 1), (TILE_WIDTH, LONG, tile_px), (TILE_HEIGHT, LONG, tile_px),
        (TILE_OFFSETS, LONG, 8), (TILE_BYTES, LONG, len(content)), (FORMAT, SHORT, FLOAT if bits == 32 else 1),
    ]  # fmt: skip
    at = len(tiff(tags, order=order, big=big))
    tags = [(TILE_OFFSETS, LONG, at) if tag[0] == TILE_OFFSETS else tag for tag in tags]
    return tiff(tags, order=order, big=big, tail=content)


def _tiled_tiffs():
    for tile_px, bits in itertools.product((4112, 8192, 16384, 20480, 32768, 65536, 1 << 20, (1 << 31) - 16), (8, 32)):
        yield f"tiles-{tile_px}-{bits}.tif", "surface" if bits == 32 else "aerial", tiled_tiff(tile_px, bits=bits)
    yield "tiles-guessed.tif", "guess", tiled_tiff(65536)
    yield "tiles-big-endian.tif", "surface", tiled_tiff(65536, order=">")
    yield "tiles-bigtiff.tif", "surface", tiled_tiff(65536, big=True)
    yield "tiles-as-picture.tif", "street", tiled_tiff(32768)


def _strips(width, height, *, rows=None, samples=1, bits=32, blocks=1, **options):
    tags = [
        (WIDTH, LONG, width), (HEIGHT, LONG, height), (BITS, SHORT, bits), (COMPRESSION, SHORT, DEFLATE),
        (PHOTOMETRIC, SHORT, 1), (SAMPLES, SHORT, samples), (STRIP_OFFSETS, LONG, [8] * blocks),
        (STRIP_BYTES, LONG, [30] * blocks), (FORMAT, SHORT, FLOAT if bits == 32 else 1),
    ]  # fmt: skip
    if rows is not None:
        tags.append((ROWS, LONG, rows))
    return tiff(tags, **options)


def _tiffs():
    for kind in ("surface", "aerial"):
        yield f"huge-{kind}.tif", kind, _strips(60_000, 60_000)
        yield f"wide-{kind}.tif", kind, _strips((1 << 32) - 1, 1)
        yield f"one-column-{kind}.tif", kind, _strips(1, 50_000_000, rows=1)
        yield f"no-pixels-{kind}.tif", kind, _strips(0, 0)
        yield f"no-rows-{kind}.tif", kind, _strips(64, 64, rows=0)
        yield f"one-strip-{kind}.tif", kind, _strips(7_000, 7_000, rows=7_000)
        yield f"bands-{kind}.tif", kind, _strips(64, 64, samples=65_535)
        yield f"64-bands-{kind}.tif", kind, _strips(7_000, 7_000, rows=7_000, samples=64, bits=16)
        yield f"strips-{kind}.tif", kind, _strips(64, 64, blocks=1_000_000)
        yield f"loop-{kind}.tif", kind, _strips(64, 64, following=8)
        yield f"directory-behind-end-{kind}.tif", kind, b"II*\0" + struct.pack("<I", 0xFFFFFFF0)
        yield f"65535-tags-{kind}.tif", kind, _strips(64, 64, count=65_535)
        tags = [(tag, SHORT, 1) for tag in range(60_000)]
        yield f"60000-real-tags-{kind}.tif", kind, tiff(tags)
    yield "no-tile-height.tif", "surface", tiff([(WIDTH, LONG, 64), (HEIGHT, LONG, 64), (TILE_WIDTH, LONG, 64)])


# NumPy


def numpy_file(header, version=(1, 0), content=b"", length=None):
    """A .npy file with any text as its header."""
    text = header.encode("latin-1") if isinstance(header, str) else header
    length = len(text) if length is None else length
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version == (1, 0) else "<I", length) + text + content


def numpy_header(shape, descr="'<f4'", order="False"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


def _numpy_headers():
    shapes = (
        "(True, True)", "(-1, -1)", "(-64, -64)", "(1.5, 2)", "(None, 3)", f"({10**30}, 1)", f"({2**63}, {2**63})",
        f"({2**31}, {2**31})", "(7000, 7000)", "(0, 5)", "()", "5", "[4, 4]", f"({'9' * 5000}, 1)", "('4', '4')",
        "(4,) * 10**9", f"{'(' * 90}{')' * 90}",
    )  # fmt: skip
    for number, shape in enumerate(shapes):
        yield f"shape-{number}.npy", "surface", numpy_file(numpy_header(shape), content=bytes(64))
    descriptions = (
        "'O'", "'|O'", "'<U1000000000'", "'V2147483647'", "'<c16'", "'<M8[s]'", "[('a', '<f4')]", "'>f16'", "None", "5",
        "{'names': ['a']}", "[]", "'<f4,' * 100", "['<f4', ('<f4', (1000000, 1000000))]", "('<f4', (100000, 100000))",
    )  # fmt: skip
    for number, descr in enumerate(descriptions):
        yield f"type-{number}.npy", "surface", numpy_file(numpy_header("(4, 4)", descr), content=bytes(256))
    texts = ("-" * 9000, "(" * 9000, "[" * 99, "{" * 300, "not " * 2000 + "1", "1+" * 4000 + "1", "", "{}", "\0" * 100)
    for number, text in enumerate((*texts, "é" * 500, "'\\N{BULLET}'", "{'descr': 1}", "9" * 6000, "- - 5")):
        yield f"header-{number}.npy", "surface", numpy_file(text)
    yield "length-lies.npy", "surface", numpy_file("{}", length=60_000)
    yield "length-lies-2.npy", "surface", numpy_file("{}", version=(2, 0), length=0xFFFFFFFF)
    yield "version-3.npy", "surface", numpy_file(b"\xff\xfe" * 50, version=(3, 0))
    yield "version-9.npy", "guess", numpy_file("{}", version=(9, 9))
    yield "pickle.npy", "surface", numpy_file(numpy_header("(1, 1)", "'O'"), content=pickle.dumps([1]))


# Pictures


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, pixels=b"", *, bits=8, color=2, before=b"", after=b""):
    """A PNG file with any size in its header; ``pixels`` are already compressed."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + before + png_chunk(b"IDAT", pixels) + after + png_chunk(b"IEND", b"")


def _zeros(count):
    """So many zeros, compressed, without ever being in memory."""
    packer, block = zlib.compressobj(9), bytes(1 << 20)
    parts = [packer.compress(block) for _ in range(count >> 20)]
    return b"".join([*parts, packer.compress(bytes(count & ((1 << 20) - 1))), packer.flush()])


def text_png(chunks, px=64):
    """A small picture with so many chunks of text."""
    text = b"".join(png_chunk(b"tEXt", b"k%d\0v" % number) for number in range(chunks))
    return png(px, px, zlib.compress(bytes(px * (3 * px + 1))), before=text)


def _pngs():
    rows = zlib.compress(bytes(100_000))
    for width, height in ((30_000, 30_000), (8_000, 8_000), (65_535, 765), (100_000, 501), (1 << 30, 1), (0, 0)):
        for bits, color, kind in ((8, 2, "aerial"), (16, 0, "surface")):
            yield f"claims-{width}-{bits}.png", kind, png(width, height, rows, bits=bits, color=color)
    yield "unfolds-30000.png", "guess", png(30_000, 30_000, _zeros(30_000 * 3_751), bits=1, color=0)
    yield "more-than-it-says.png", "aerial", png(64, 64, _zeros(300_000_000))
    small, bomb = zlib.compress(bytes(64 * 193)), _zeros(200_000_000)
    yield "text-bomb.png", "aerial", png(64, 64, small, before=png_chunk(b"zTXt", b"k\0\0" + bomb))
    yield "text-bomb-2.png", "aerial", png(64, 64, small, before=png_chunk(b"iTXt", b"k\0\1\0\0\0" + bomb))
    yield "profile-bomb.png", "street", png(64, 64, small, before=png_chunk(b"iCCP", b"k\0\0" + bomb))
    several = b"".join(png_chunk(b"zTXt", b"k%d\0\0" % number + _zeros(1_000_000)) for number in range(900))
    yield "text-bombs.png", "guess", png(64, 64, small, before=several)
    yield "texts-after.png", "guess", png(64, 64, small, after=several)
    yield "300000-texts.png", "guess", text_png(300_000)
    yield "300000-empty-parts.png", "aerial", png(64, 64, small, before=png_chunk(b"IDAT", b"") * 300_000)
    yield "length-lies.png", "aerial", png(64, 64, small, before=struct.pack(">I", 0x7FFFFFFF) + b"tEXt")
    frames = png_chunk(b"acTL", struct.pack(">II", 0x7FFFFFFF, 0))
    yield "frames.png", "aerial", png(64, 64, small, before=frames)


def many_frames_gif(frames, px=1):
    """A GIF with so many frames of one pixel."""
    frame = b"\x21\xf9\x04\0\1\0\0\0\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
    return b"GIF89a" + struct.pack("<HH", px, px) + b"\x80\0\0\0\0\0\xff\xff\xff" + frame * frames + b";"


def _gifs():
    yield "100000-frames.gif", "guess", many_frames_gif(100_000)
    yield "100000-frames-2.gif", "aerial", many_frames_gif(100_000, px=600)
    yield "65535.gif", "aerial", many_frames_gif(1, px=65_535)
    yield "7000.gif", "street", many_frames_gif(1, px=7_000)
    frame = b"\x2c" + struct.pack("<HHHH", 60_000, 60_000, 65_535, 65_535) + b"\0\2\2\x44\1\0;"
    yield "outside.gif", "aerial", b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff" + frame
    yield "comments.gif", "guess", b"GIF89a\1\0\1\0\0\0\0" + b"\x21\xfe\1x\0" * 1_000_000
    yield "no-frame.gif", "aerial", b"GIF89a\1\0\1\0\0\0\0;"


def _riff(*chunks):
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2) for kind, content in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _webps():
    canvas = b"\x02\0\0\0" + b"\xff\x3f\0" * 2
    yield "canvas.webp", "aerial", _riff((b"VP8X", canvas), (b"ANIM", bytes(6)))
    yield "canvas-2.webp", "guess", _riff((b"VP8X", b"\x02\0\0\0" + b"\xff\xff\xff" * 2), (b"ANIM", bytes(6)))
    yield "lossless.webp", "street", _riff((b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(100)))
    yield "lossy.webp", "aerial", _riff((b"VP8 ", b"\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f" + bytes(100)))
    yield "short.webp", "aerial", _riff((b"VP8 ", b"\x10"))


def _bmp(width, height, *, bits=24, compression=0, colors=0, tail=bytes(1000)):
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, colors & 0xFFFFFFFF, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(tail), 0, 0, 54) + header + tail


def _bmps():
    biggest = (1 << 31) - 1
    cases = ((biggest, biggest), (30_000, 30_000), (-5, 5), (64, -biggest), (0, 0), (7_000, 7_000))
    for number, (width, height) in enumerate(cases):
        yield f"size-{number}.bmp", "aerial", _bmp(width, height)
    yield "run-lengths.bmp", "aerial", _bmp(7_000, 7_000, bits=8, compression=1, tail=b"\xff\0" * 40_000)
    yield "palette.bmp", "guess", _bmp(64, 64, bits=8, colors=-1)
    yield "bits.bmp", "guess", _bmp(64, 64, bits=1000)


def scans_jpeg(scans, px=64):
    """A progressive JPEG whose last scan comes again and again."""
    data = saved(noise(px), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + data[-2:]


def _jpegs():
    whole = saved(noise(64), "JPEG")
    at = whole.index(b"\xff\xc0") + 5
    for side in (65_500, 8_000, 0):
        yield f"claims-{side}.jpg", "street", whole[:at] + struct.pack(">HH", side, side) + whole[at + 4 :]
    yield "5000-scans.jpg", "street", scans_jpeg(5_000)
    yield "90-scans.jpg", "street", scans_jpeg(90, px=1_000)
    loop = tiff([(0x8769, LONG, 8), (0x8825, LONG, 8), (0x0112, SHORT, 6)], following=8)
    yield "metadata-loop.jpg", "guess", _with_metadata(whole, loop)
    yield "metadata-tags.jpg", "guess", _with_metadata(whole, tiff([(tag, SHORT, 1) for tag in range(5_000)]))
    yield "metadata-lies.jpg", "guess", _with_metadata(whole, tiff([(0x0112, ASCII, 6)], count=60_000))
    yield "markers.jpg", "aerial", b"\xff\xd8" + b"\xff\xfe\0\2" * 500_000 + whole[2:]
    yield "only-fill.jpg", "aerial", b"\xff\xd8" + b"\xff" * 3_000_000


def _with_metadata(jpeg, metadata):
    content = b"Exif\0\0" + metadata
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", min(len(content) + 2, 65_535)) + content + jpeg[2:]


# Honest structure


def noise(px, seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (px, px, 3), dtype=np.uint8))


def saved(image, form, **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def geotiff(values, **options):
    """Heights as a GeoTIFF of one band, or the same of any array of two dimensions."""
    rows, columns = values.shape
    with MemoryFile() as file:
        with file.open(
            driver="GTiff", height=rows, width=columns, count=1, dtype=values.dtype.name, crs="EPSG:3857",
            transform=Affine(2, 0, 0, 0, -2, 0), **options,
        ) as raster:  # fmt: skip
            raster.write(values, 1)
        return file.read()


def numpy_heights(values):
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def ramp(px, dtype="float32"):
    """Heights that rise eastward, (px, px) metres below 1,000."""
    return np.broadcast_to(np.arange(px, dtype=dtype) % 1000, (px, px))


def _heights():
    nothing = np.full((64, 64), np.nan, np.float32)
    yield "nothing.tif", "surface", geotiff(nothing)
    yield "nothing.npy", "surface", numpy_heights(nothing)
    yield "infinite.npy", "surface", numpy_heights(np.full((64, 64), np.inf, np.float32))
    yield "too-high.npy", "surface", numpy_heights(np.full((64, 64), 1e300))
    yield "no-data.tif", "surface", geotiff(np.full((64, 64), -9999, np.int16), nodata=-9999)
    yield "undeclared.npy", "surface", numpy_heights(np.full((64, 64), -9999, np.int16))
    yield "half.npy", "surface", numpy_heights(np.full((64, 64), 5, np.float16))
    large = ramp(7_000)
    for name, options in {"tiles": {"tiled": True}, "strips": {}, "one-strip": {"blockysize": 7_000}}.items():
        data = geotiff(large, compress="deflate", **options)
        yield f"7000-{name}.tif", "surface", data
        yield f"7000-{name}-picture.tif", "aerial", data
        yield f"7000-{name}-guessed.tif", "guess", data


def _poses():
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
    raster = b'<VRTDataset rasterXSize="64" rasterYSize="64"><VRTRasterBand dataType="Float32" band="1"><SimpleSource>'
    raster += (
        b'<SourceFilename relativeToVRT="0">/etc/passwd</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>'
    )
    contents = {
        "svg": svg, "html": b"<!doctype html><script>alert(1)</script>", "pickle": pickle.dumps({"a": [1] * 100}),
        "program": b"\x7fELF" + bytes(500), "windows": b"MZ\x90\0" + bytes(2000), "zip": b"PK\3\4" + bytes(500),
        "pdf": b"%PDF-1.7\n" + bytes(100), "gzip": b"\x1f\x8b\x08\0" + bytes(100), "empty": b"", "zero": b"\0",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(/etc/passwd) run\n%%EOF\n", "vrt": raster,
        "icon": b"\0\0\1\0\1\0" + bytes(100), "fits": b"SIMPLE  =                    T".ljust(2880),
        "text": b"a" * 5_000_000,
        "path": b"/etc/passwd", "url": b"https://localhost/x.tif",
        "heif": b"\0\0\0\x18ftypheic" + bytes(100),
    }  # fmt: skip
    for name, data in contents.items():
        yield f"{name}.png", "guess", data
    for name in ("svg", "vrt", "path", "url", "zip"):
        yield f"{name}.tif", "surface", contents[name]
    jpeg, surface = saved(noise(64), "JPEG"), numpy_heights(ramp(64))
    yield "a-jpeg.tif", "surface", jpeg
    yield "a-jpeg.npy", "surface", jpeg
    yield "an-array.png", "aerial", surface
    yield "an-array.tif", "surface", surface
    yield "both.png", "guess", jpeg + surface + svg


def _names():
    data = saved(noise(64, 7), "PNG")
    names = (
        "<img src=x onerror=alert(1)>.png", "../../../../etc/passwd.png", "a" * 250 + ".png", "\u202egnp.exe.png",
        "line\nbreak.png", "$\\LaTeX$ **bold** [x](javascript:alert(1)).png", "nul\0.png", "'; DROP TABLE places;.png",
    )  # fmt: skip
    for number, name in enumerate(names):
        yield name, "aerial", data + bytes(number)


def honest_files():
    """(name, kind, data) of one small sound file of each format."""
    picture = noise(48, 3)
    for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        yield f"honest.{form.lower()}", "aerial", saved(picture, form)
    yield "honest.tif", "surface", geotiff(ramp(48), tiled=True, blockxsize=16, blockysize=16)
    yield "packed.tif", "surface", geotiff(ramp(48), compress="deflate", nodata=-1.0)
    yield "honest.npy", "surface", numpy_heights(ramp(48))
    yield "honest-16.png", "surface", saved(Image.fromarray(ramp(48, "uint16").copy()), "PNG")


def _truncated():
    for name, kind, data in honest_files():
        for percent in (3, 30, 70, 98):
            yield f"{percent}-percent-of-{name}", kind, data[: len(data) * percent // 100]


def _damaged(dice):
    """Honest files with some bytes changed, most of them where headers are; without end."""
    for number in itertools.count():
        for name, kind, data in honest_files():
            changed = bytearray(data)
            for _ in range(dice.choice((1, 2, 8, 40))):
                changed[int(len(data) * dice.random() ** 3)] = dice.randrange(256)
            yield f"{number}-{name}", kind, bytes(changed)
