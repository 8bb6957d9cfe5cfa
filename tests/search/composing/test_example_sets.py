"""Sets of examples as GeoJSON: written and read again, and what strangers may put into such a file."""

import json

import numpy as np
import pytest

from unigeoclip.errors import InputError
from unigeoclip.search.composing.example_sets import MAX_BYTES, ExampleSet, read_examples, write_examples
from unigeoclip.search.query_items import GalleryItem, PackedVector, QueryItem

ITEMS = (
    QueryItem("text", "sea, and “more”", 1.5, "sea, and “more”"),
    QueryItem("location", (48.85, 2.35), -0.25, "Paris"),
    QueryItem("place", "w000007", 1.0, "Lyon"),
    QueryItem("view", (42.36, -71.06, 45.0), 1.0, "A street"),
    QueryItem("item", GalleryItem("aerial", "w000008", 2), 0.75, "Perth"),
    QueryItem("aerial", PackedVector.of(np.array([0.6, 0.8]), "fa4e00"), 2.0, "field.png"),
)


def test_what_is_written_is_read_again():
    examples = ExampleSet(ITEMS, "any", (10.0, -5.0, 30.0, 20.0), "world")
    data = write_examples(examples, lambda item: (1.0, 2.0) if item.modality == "place" else None)
    again = read_examples(data, 8)
    assert again == examples._replace(items=again.items)
    for before, after in zip(ITEMS, again.items, strict=True):
        assert (after.modality, after.weight, after.label) == (before.modality, before.weight, before.label)
        if before.modality != "aerial":
            assert after.value == before.value
    assert again.items[5].value.text == ITEMS[5].value.text
    features = json.loads(data)["features"]
    assert [each["geometry"] and each["geometry"]["coordinates"] for each in features] == [
        None, [2.35, 48.85], [2.0, 1.0], [-71.06, 42.36], None, None,
    ]  # fmt: skip
    assert features[0]["properties"]["text"] == "sea, and “more”"
    assert [each["properties"]["kind"] for each in features] == [
        "text", "location", "place", "view", "aerial", "aerial",
    ]  # fmt: skip


def test_points_of_other_programs_are_places():
    point = {"type": "Feature", "properties": None, "geometry": {"type": "Point", "coordinates": [190, -23.5, 100]}}
    (item,) = read_examples(json.dumps({"type": "FeatureCollection", "features": [point]}).encode(), 8).items
    assert (item.modality, item.value, item.weight) == ("location", (-23.5, -170.0), 1.0)


def test_a_picture_that_is_not_packed_is_refused():
    with pytest.raises(InputError, match="no spelling"):
        write_examples(ExampleSet((QueryItem("aerial", np.zeros((3, 4, 4), np.uint8)),)))


def collection(*features, **members):
    return json.dumps({"type": "FeatureCollection", "features": list(features), **members}).encode()


def feature(item=None, geometry=None, **properties):
    return {"type": "Feature", "geometry": geometry, "properties": {"item": item, **properties}}


def point(*coordinates):
    return {"type": "Point", "coordinates": list(coordinates)}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no GeoJSON in UTF-8"),
        (b"\xff\xfe\x00", "no GeoJSON in UTF-8"),
        (b"[" * 100_000, "no GeoJSON in UTF-8"),
        (b"1" * 100_000, "no GeoJSON in UTF-8"),
        (b" " * (MAX_BYTES + 1), "at most 1 MB"),
        (b"[]", "no GeoJSON FeatureCollection"),
        (b'{"type": "FeatureCollection"}', "no GeoJSON FeatureCollection"),
        (b'{"type": "FeatureCollection", "features": [NaN]}', "no GeoJSON in UTF-8"),
        (collection(), "holds 0 examples; a query has 1 to 8"),
        (collection(*[feature("text:sea")] * 9), "holds 9 examples"),
        (collection(1), "Example 1 of the file cannot be used. It is no GeoJSON feature"),
        (collection(feature("text:sea"), feature()), "Example 2 .* neither a point"),
        (collection(feature(geometry={"type": "Polygon", "coordinates": [1, 2]})), "neither a point"),
        (collection(feature(geometry=point(1, "2"))), "neither a point"),
        (collection(feature(geometry=point(1, 1e308))), "neither a point"),
        (collection(feature(geometry=point(1, 95))), "latitude 95 is outside"),
        (collection(feature("nonsense")), "not a query item"),
        (collection(feature(["text:sea"])), "'item' is no short text"),
        (collection(feature("text:" + "x" * 30_000)), "'item' is no short text"),
        (collection(feature("text:sea", weight="2")), "weight is no number"),
        (collection(feature("text:sea", weight=True)), "weight is no number"),
        (collection(feature("text:sea"), unigeoclip={"combine": "most"}), "no way to combine"),
        (collection(feature("text:sea"), unigeoclip={"combine": ["any"]}), "no way to combine"),
        (collection(feature("text:sea"), unigeoclip={"area": [1, 2, 3]}), "not four numbers"),
        (collection(feature("text:sea"), unigeoclip={"area": [5, 2, 3, 4]}), "no rectangle on the globe"),
    ],
)
def test_what_is_no_set_of_examples_is_refused_in_a_sentence(data, says):
    with pytest.raises(InputError, match=says) as caught:
        read_examples(data, 8)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
