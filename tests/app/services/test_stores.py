"""The variables that name stores."""

from pathlib import Path

import pytest

from pages.ui.services.operation.stores import PLACES, STORES, StoreSource, stores_from_environment
from unigeoclip.errors import InputError

ATLASES = ("boston", "world")


def test_stores_are_read_by_atlas(monkeypatch):
    monkeypatch.delenv(STORES, raising=False)
    assert stores_from_environment(ATLASES) == {}
    monkeypatch.setenv(STORES, "boston=indexes/boston 'world=s3://bucket/my world=1'")
    monkeypatch.setenv(PLACES, "boston=places.parquet")
    assert stores_from_environment(ATLASES) == {
        "boston": StoreSource("indexes/boston", Path("places.parquet")),
        "world": StoreSource("s3://bucket/my world=1"),
    }


@pytest.mark.parametrize(
    ("variable", "given", "says"),
    [
        (STORES, "indexes/boston", "takes NAME=WHERE"),
        (STORES, "boston=", "takes NAME=WHERE"),
        (STORES, "=indexes/boston", "takes NAME=WHERE"),
        (STORES, "bostn=indexes/boston", "names the atlas 'bostn', which is not installed; there are: boston, world"),
        (STORES, "boston=a boston=b", "names the atlas 'boston' twice"),
        (STORES, "boston='a", "a quotation mark is not closed"),
        (PLACES, "boston=places.parquet", "which has no store: name one in UNIGEOCLIP_STORES"),
    ],
)
def test_what_names_no_store_is_refused(monkeypatch, variable, given, says):
    monkeypatch.setenv(variable, given)
    with pytest.raises(InputError, match=f"^{variable} .*{says}"):
        stores_from_environment(ATLASES)
