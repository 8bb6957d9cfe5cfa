"""Whatever is typed as a point or a coordinate: a point on the globe, no point, or a short sentence."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unigeoclip.errors import InputError
from unigeoclip.parsing.coordinates import LATITUDE, LONGITUDE, parse_degrees, parse_point

SIGNS = "0123456789+-−.,;°º'′\"″ NSEWnsew/eEdmin\t\u00a0"
NUMBERS = st.decimals(-600, 600, allow_nan=False, places=4).map(str)
TEXTS = st.one_of(
    st.text(max_size=120),
    st.text(SIGNS, max_size=60),
    st.builds("{}{}{}".format, NUMBERS, st.sampled_from([",", ";", " ", ", ", "; ", "", " N ", "°"]), NUMBERS),
    st.integers(0, 6000).map(lambda count: "9" * count),
)


def told(read, *arguments):
    """What reading gives, and the sentence why it gives nothing."""
    try:
        return read(*arguments), ""
    except InputError as error:
        return None, str(error)


def is_on_globe(lat, lon):
    return -90 <= lat <= 90 and -180 <= lon <= 180


@given(TEXTS)
@example("9" * 5000 + "," + "9" * 5000)
@example("1" + "0" * 400 + ",2")
@example("٣,٤")
def test_a_text_is_a_point_or_none_or_a_short_sentence(text):
    point, problem = told(parse_point, text)
    assert len(problem) < 250
    assert point is None or is_on_globe(*point)


@given(TEXTS, st.sampled_from([LATITUDE, LONGITUDE]))
def test_a_field_is_a_coordinate_or_a_short_sentence(text, axis):
    value, problem = told(parse_degrees, text, axis)
    assert len(problem) < 250
    assert problem or is_on_globe(*((value, 0) if axis == LATITUDE else (0, value)))


@given(
    st.floats(-90, 90).map(lambda value: round(value, 5)),
    st.floats(-180, 180).map(lambda value: round(value, 5)),
    st.sampled_from(["{:.5f}, {:.5f}", "{:.5f} {:.5f}", "{:.5f};{:.5f}", "{:.5f},{:.5f}"]),
    st.booleans(),
)
def test_every_point_is_read_in_either_decimal_sign(lat, lon, form, with_commas):
    text = form.format(lat, lon)
    if with_commas:
        text = ";".join(f"{value:.5f}".replace(".", ",") for value in (lat, lon))
    assert parse_point(text) == pytest.approx((lat, lon), abs=1e-9)


@given(st.integers(0, 89), st.integers(0, 59), st.integers(0, 59), st.sampled_from("NS"), st.integers(0, 179),
       st.integers(0, 59), st.integers(0, 59), st.sampled_from("EW"), st.booleans())  # fmt: skip
def test_degrees_minutes_and_seconds_are_read(d, m, s, ns, e, f, g, ew, swapped):
    parts = [f"{d}°{m}'{s}\"{ns}", f"{e}° {f}' {g}\" {ew}"]
    lat, lon = d + m / 60 + s / 3600, e + f / 60 + g / 3600
    expected = (lat if ns == "N" else -lat, lon if ew == "E" else -lon)
    assert parse_point(", ".join(reversed(parts) if swapped else parts)) == pytest.approx(expected, abs=1e-9)


def test_reading_takes_no_time_that_grows_with_the_text():
    hostile = ["-" * 80, "1 " * 40, "1," * 40, "N" * 80, "1°" * 40, "1.5e-" * 16, "°" * 1_000_000, "1" * 1_000_000]
    for text in hostile:  # without bounds, some of these would take minutes
        assert len(told(parse_point, text)[1]) < 250
