import pytest

from unigeoclip.errors import InputError
from unigeoclip.parsing import numbers


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("24", 24), ("+7", 7), (" 12 ", 12), ("007", 7)])
def test_plain_whole_numbers_are_read(text, value):
    assert numbers.bounded_int(text, 0, 24, "The zoom") == value


@pytest.mark.parametrize(
    "text", ["", " ", "25", "-1", "1.0", "1_0", "²", "٣", "1e3", "inf", "9" * 25, "9" * 5000, " " * 5000 + "1", "1\n"]
)
def test_other_whole_numbers_are_refused_in_a_short_sentence(text):
    with pytest.raises(InputError, match="The zoom is a whole number from 0 to 24") as refused:
        numbers.bounded_int(text, 0, 24, "The zoom")
    assert len(str(refused.value)) < 120
    assert str(refused.value).isascii()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42.36", 42.36),
        ("-0", 0.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-05", 1e-5),
        (" 3 ", 3.0),
        ("-89.99999999999999", -89.99999999999999),
    ],
)
def test_plain_numbers_are_read(text, value):
    assert numbers.bounded_float(text, -90, 90, "The latitude") == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nan",
        "inf",
        "-infinity",
        "1e999",
        "1e9999",
        "90.1",
        "1_0",
        "٣.٥",
        "0x10",
        "1,5",
        "9" * 400,
        "1" + "0" * 400,
        "1\n",
    ],
)
def test_other_numbers_are_refused_in_a_short_sentence(text):
    with pytest.raises(InputError, match="The latitude is a number from -90 to 90") as refused:
        numbers.bounded_float(text, -90, 90, "The latitude")
    assert len(str(refused.value)) < 120
    assert str(refused.value).isascii()


@pytest.mark.parametrize("tile", [(0, 0, 0), (1, 1, 1), (24, 2**24 - 1, 0)])
def test_tiles_that_exist_pass(tile):
    numbers.check_tile(*tile)


# 10**400 as a zoom: whoever computes 2**z, or writes such numbers, never comes back.
@pytest.mark.parametrize(
    "tile", [(-1, 0, 0), (25, 0, 0), (10**400, 0, 0), (10**9, 0, 0), (3, 8, 0), (3, 0, -1), (3, 10**100_000, 0)]
)
def test_other_tiles_are_refused_without_computing_anything(tile):
    with pytest.raises(InputError, match="There is no such map tile") as refused:
        numbers.check_tile(*tile)
    assert len(str(refused.value)) < 120
