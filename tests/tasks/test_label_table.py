"""Tables of positions with a target."""

import numpy as np
import pytest

from unigeoclip.errors import InputError
from unigeoclip.tasks import LabelTable


def table(**changes) -> LabelTable:
    columns = {
        "name": "rent",
        "latlon": np.array([[42.3, -71.1], [42.4, -71.0]]),
        "target": np.array([1.0, 2.0]),
        "kind": "regression",
        "target_name": "rent",
    }
    return LabelTable(**{**columns, **changes})


def test_rows_are_taken_from_every_column():
    areas = np.arange(12, dtype=np.float64).reshape(2, 3, 2)
    taken = table(groups=np.array(["a", "b"]), areas=areas).take(np.array([1]))
    assert len(taken) == 1
    assert taken.target.tolist() == [2.0]
    assert taken.groups.tolist() == ["b"]
    assert taken.areas.tolist() == areas[1:].tolist()


def test_longitudes_are_wrapped():
    assert table(latlon=np.array([[0.0, 190.0], [0.0, 0.0]])).latlon[0].tolist() == [0.0, -170.0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": np.array([1.0])}, "2 positions but 1 target"),
        ({"groups": np.array(["a"])}, "2 positions but 1 groups"),
        ({"target": np.array([1.0, np.nan])}, "missing or infinite"),
        ({"target": np.array(["a", "b"])}, "A regression does not have targets of type"),
        ({"kind": "classification"}, "A classification does not have targets of type float64"),
        ({"latlon": np.array([[91.0, 0.0], [0.0, 0.0]])}, "latitude"),
        ({"latlon": np.empty((0, 2)), "target": np.empty(0)}, "has no row"),
    ],
)
def test_columns_that_do_not_belong_together_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        table(**changes)
