"""Whatever the bytes: a file is decoded to what its modality takes, or refused in a sentence, within memory."""

import functools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.attacks import hostile_files as hostile
from unigeoclip.errors import InputError
from unigeoclip.uploads.pictures import Decoded, guess
from unigeoclip.uploads.reading import read

KNOWN = ("aerial", "street", "surface")
SIZES = {"aerial": (16, 16), "street": (16, 12), "surface": (16, 16)}
HEADER_BYTES = 200  # where most of what decoders allocate is said
# Numbers that headers are fond of, and that their readers are not.
TELLING = st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\1\0\0"])


@functools.cache
def honest():
    return {name: data for name, _, data in hostile.honest_files()}


NAMES = [
    "honest.png", "honest-16.png", "honest.jpeg", "honest.webp", "honest.gif", "honest.bmp", "honest.tiff",
    "honest.tif", "packed.tif", "honest.npy",
]  # fmt: skip


def check_refusal(sentence):
    assert sentence.strip()
    assert "\n" not in sentence
    assert "too much memory" not in sentence, "its header should have been refused"


def check(data, fenced):
    """The property, for every modality that the file may be brought as."""
    with fenced():
        assert guess(data, KNOWN) in KNOWN
        for kind, size in SIZES.items():
            try:
                decoded = read(kind, data, size)
            except InputError as error:
                check_refusal(str(error))
                continue
            assert isinstance(decoded, Decoded)
            if kind == "surface":
                assert decoded.array.shape == (1, 16, 16)
                assert decoded.array.dtype == np.float32
                assert not np.isinf(decoded.array).any()
            else:
                assert decoded.array.shape == (3, size[1], size[0])
                assert decoded.array.dtype == np.uint8


def test_the_honest_files_are_all_tried():
    assert sorted(NAMES) == sorted(honest())


@pytest.mark.parametrize("name", NAMES)
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=40))
def test_bytes_changed(fenced, name, changes):
    data = bytearray(honest()[name])
    for share, value in changes:
        data[int(share * (len(data) - 1))] = value
    check(bytes(data), fenced)


@pytest.mark.parametrize("name", NAMES)
@given(
    changes=st.lists(st.tuples(st.integers(0, HEADER_BYTES), TELLING | st.binary(min_size=1, max_size=8)), min_size=1)
)
def test_headers_rewritten(fenced, name, changes):
    data = honest()[name]
    for at, value in changes:
        data = data[:at] + value + data[at + len(value) :]
    check(data, fenced)


@pytest.mark.parametrize("name", NAMES)
@given(share=st.floats(0, 1), tail=st.binary(max_size=50))
def test_cut_short_and_continued(fenced, name, share, tail):
    data = honest()[name]
    check(data[: int(share * len(data))] + tail, fenced)


@pytest.mark.parametrize("name", NAMES)
@given(start=st.floats(0, 1), end=st.floats(0, 1), times=st.integers(0, 50))
def test_parts_repeated_or_left_out(fenced, name, start, end, times):
    data = honest()[name]
    first, last = sorted((int(start * len(data)), int(end * len(data))))
    check(data[:first] + data[first:last] * times + data[last:], fenced)


@given(data=st.binary(max_size=300), magic=st.sampled_from([data[:12] for data in honest().values()] + [b""]))
def test_anything_after_a_beginning(fenced, data, magic):
    check(magic + data, fenced)


SIDE = st.integers(0, 1 << 32) | st.sampled_from([0, 1, 64, 65_535, 65_536, (1 << 32) - 1])


@given(
    tags=st.lists(
        st.tuples(
            st.sampled_from([256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 322, 323, 324, 325, 338, 339]),
            st.sampled_from([hostile.SHORT, hostile.LONG]),
            st.sampled_from([0, 1, 2, 3, 5, 7, 8, 16, 32, 64, 256, 4096, 8192, 65_535]),
        ),
        max_size=16,
    ),
    order=st.sampled_from("<>"),
    big=st.booleans(),
    following=st.sampled_from([0, 8, 16, 1 << 31]),
)
def test_directories_of_tiffs(fenced, tags, order, big, following):
    check(hostile.tiff(tags, order=order, big=big, following=following, tail=bytes(2_000)), fenced)


_literal = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=8,
)


@given(
    shape=st.tuples(SIDE, SIDE) | _literal,
    descr=st.sampled_from(["<f4", ">f8", "|u1", "<i2", "<f2", "|b1", "O", "<c8", "V9", "<U9"]) | _literal,
    order=st.booleans() | _literal,
    content=st.binary(max_size=600),
)
@example(shape=(True, True), descr="<f4", order=False, content=bytes(8))
def test_headers_of_arrays(fenced, shape, descr, order, content):
    header = repr({"descr": descr, "fortran_order": order, "shape": shape}).encode("ascii", "backslashreplace")
    check(hostile.numpy_file(header[:60_000] + b"\n", content=content), fenced)


@given(text=st.text(alphabet="-([{}])'\"\\,:0123456789jnotNaeTru \n", max_size=2_000))
def test_headers_of_arrays_that_are_no_dictionary(fenced, text):
    check(hostile.numpy_file(text, content=bytes(64)), fenced)
