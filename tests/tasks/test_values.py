"""Numbers in the notations that people write."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unigeoclip.tasks.values import is_date, numbers_of, texts_of


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1", " 2.5 ", "-3e2", "+.5", "\u22124"], [1, 2.5, -300, 0.5, -4]),
        (["1,200", "950", "1,234,567.5"], [1200, 950, 1_234_567.5]),
        (["1,5", "2,25", "1.200,5", "3"], [1.5, 2.25, 1200.5, 3]),
        (["0,125", "0,250"], [0.125, 0.25]),
        (["$1,200", "€950", "12 %", "-$3"], [1200, 950, 12, -3]),
        (["1 200", "1'234'567", "1\u202f000,5"], [1200, 1_234_567, 1000.5]),
        (["1", "", None, "NA", "n/a", "-"], [1, np.nan, np.nan, np.nan, np.nan, np.nan]),
    ],
)
def test_notations(texts, numbers):
    found = numbers_of(pa.array(texts))
    np.testing.assert_array_equal(found.values, numbers)
    assert not found.bad.any()
    np.testing.assert_array_equal(found.missing, np.isnan(numbers))


def test_what_commas_meant_is_said():
    assert numbers_of(pa.array(["1,200"])).notes == ("commas were read as thousands separators, '1,200' as 1200",)
    assert numbers_of(pa.array(["1,25"])).notes == ("commas were read as decimal commas, '1,25' as 1.25",)
    assert numbers_of(pa.array(["42,360"]), decimal_comma=True).values.tolist() == [42.36]


def test_what_is_no_number_is_bad_and_what_is_infinite_is_said():
    found = numbers_of(pa.array(["1", "about 3", "inf", "-Infinity", "1e999", "1_000", "0x1F", "1.2.3", "12,34,5"]))
    assert found.bad.tolist() == [False, True, False, False, False, True, True, True, True]
    assert found.infinite.tolist() == [False, False, True, True, True, False, False, False, False]
    assert "'about 3'" in found.bad_examples()
    assert numbers_of(pa.array([1.0, float("inf"), None])).infinite.tolist() == [False, True, False]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_that_programs_write_come_back(values):
    found = numbers_of(pa.array([repr(value) for value in values]))
    assert found.values.tolist() == values
    assert not found.notes


@given(st.lists(st.one_of(st.none(), st.text(max_size=12)), min_size=1))
def test_any_text_is_a_number_missing_infinite_or_bad(texts):
    found = numbers_of(pa.array(texts, pa.string()))
    states = np.isfinite(found.values).astype(int) + found.missing + found.bad + found.infinite
    assert (states == 1).all()


def test_classes():
    assert texts_of(pa.array(["TRUE", "false", None]))[0].tolist() == ["true", "false", ""]
    assert texts_of(pa.array([True, None, False]))[0].tolist() == ["true", "", "false"]
    assert texts_of(pa.array([1.0, 2.0, None]))[0].tolist() == ["1", "2", ""]
    assert texts_of(pa.array([" a ", "NA", "nan", ""]))[0].tolist() == ["a", "NA", "", ""]  # NA may be Namibia


def test_dates():
    assert is_date(pa.array(["2020-01-02", "2020/1/3", "2020-01-04 10:00:00"]))
    assert is_date(pa.array(["1.2.2020", "31/12/99"]))
    assert not is_date(pa.array(["2020", "1999"]))
