"""Points as people write them: both decimal signs, letters, minutes and seconds; what is unclear is not guessed."""

import pytest

from unigeoclip.errors import InputError
from unigeoclip.parsing.coordinates import LATITUDE, LONGITUDE, check_point, parse_degrees, parse_point

PARIS = (48.856667, 2.350833)


@pytest.mark.parametrize(
    "text",
    [
        "48.85,2.35",
        "48.85, 2.35",
        " 48.85  2.35 ",
        "48,85 2,35",
        "48,85; 2,35",
        "48,85;2,35",
        "48,85, 2,35",
        "48,85,2,35",
        "48,85\t2,35",
        "48,85\u00a02,35",
        "+48.85 +2.35",
        "48.85N 2.35E",
        "48.85N2.35E",
        "48.85° N, 2.35° E",
        "48,85° N, 2,35° E",
        "N 48.85 E 2.35",
        "2.35 E, 48.85 n",
        "48.85°, 2.35°",
        "48º 51' N 2º 21' E",
        "48° 51.0' 2° 21.0'",
        "48 51 N, 2 21 E",
    ],
)
def test_one_point_in_many_spellings(text):
    assert parse_point(text) == pytest.approx((48.85, 2.35), abs=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "48°51'24\"N 2°21'3\"E",
        "48°51′24″N, 2°21′03″E",
        "48° 51’ 24” N 2° 21’ 3” E",
        "48 51 24 N 2 21 3 E",
        "N48°51'24'' E2°21'3''",
        "48°51'24\" 2°21'3\"",
        "48deg 51min 24sec N; 2deg 21min 3sec E",
    ],
)
def test_degrees_minutes_and_seconds(text):
    assert parse_point(text) == pytest.approx(PARIS, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,5 2,5", (1.5, 2.5)),
        ("0,5; -0,5", (0.5, -0.5)),
        ("23,8", (23.0, 8.0)),  # as links write it
        ("-33.9 151.2", (-33.9, 151.2)),
        ("−33,9 151,2", (-33.9, 151.2)),
        ("33.9 S 70.6 W", (-33.9, -70.6)),
        ("-0.0000001,1e-7", (-1e-7, 1e-7)),
        ("0,180", (0.0, 180.0)),
        ("0,190.1", (0.0, -169.9)),
        ("0,-540", (0.0, -180.0)),
    ],
)
def test_signs_and_the_date_line(text, expected):
    assert parse_point(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "9 lives", "hot desert", "1,2,3x", "1 2 3", "24/7", "48.85", "48,85 N 2,35", "route 66 N", "1.2.3 4", "1;2;3",
     "48.85 N 2.35 N", "-48 S 2 E", "48°61'N 2°0'E", "٤٨ ٢", "²,³", "nan,nan", "inf inf", "1e3,5", "1_0,2", "1" * 81,
     "text 48.85, 2.35"],
)  # fmt: skip
def test_other_texts_are_no_point(text):
    assert parse_point(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("95,0", "latitude 95 is outside"),
        ("4885 235", "latitude 4885 is outside"),
        ("10, 541", "longitude 541 is outside"),
        ("95 N 2 E", "latitude 95"),
        ("48,85,2", "more than one point"),
        ("1." + "0" * 30 + ",2", "more than 24 characters"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(text, words):
    with pytest.raises(InputError, match=words):
        parse_point(text)


@pytest.mark.parametrize(
    ("text", "axis", "expected"),
    [
        ("48,85", LATITUDE, 48.85),
        ("-0,5", LONGITUDE, -0.5),
        (" 48.85 ", LATITUDE, 48.85),
        ("48°51'N", LATITUDE, 48.85),
        ("2,35 W", LONGITUDE, -2.35),
        ("200", LONGITUDE, -160.0),
    ],
)
def test_a_field_takes_one_coordinate(text, axis, expected):
    assert parse_degrees(text, axis) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "axis", "words"),
    [
        ("1.000,5", LATITUDE, "Latitude: .* is no latitude. Write it as 48.85, 48,85"),
        ("2.35 E", LATITUDE, "is no latitude"),
        ("48 N", LONGITUDE, "is no longitude"),
        ("north", LATITUDE, "is no latitude"),
        ("1e308", LONGITUDE, "is no longitude"),
        ("9" * 5000, LONGITUDE, "is no longitude"),
        ("9" * 30, LONGITUDE, "more than 24 characters"),
        ("91", LATITUDE, "latitude 91 is outside"),
        ("999", LONGITUDE, "longitude 999 is outside"),
    ],
)
def test_a_field_says_what_is_wrong_with_it(text, axis, words):
    with pytest.raises(InputError, match=words) as caught:
        parse_degrees(text, axis)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("lat", "lon"), [(float("nan"), 0), (0, float("nan")), (0, float("inf")), (0, 1e308), (1e308, 0)]
)
def test_points_are_finite_and_near_the_globe(lat, lon):
    with pytest.raises(InputError, match="outside"):
        check_point(lat, lon)
