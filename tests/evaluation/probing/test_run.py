import numpy as np
import pytest

from tests.evaluation.probing.made_up import made_up_table
from tests.explorable import use_hashed_sentences, write_explorable_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.errors import InputError
from unigeoclip.evaluation.probing.run import atlas_of, run_probe
from unigeoclip.tasks import LabelTable


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        use_hashed_sentences(patch)
        yield load_atlas(write_explorable_atlas(tmp_path_factory.mktemp("atlases") / "tiny"))


def test_the_atlas_of_a_table_is_the_smallest_that_holds_its_rows():
    city, _ = made_up_table(40, bounds=(42.3, -71.15, 42.4, -71.05))
    assert atlas_of(city).name == "boston"
    half = city.latlon.copy()
    half[:20] += 1
    assert atlas_of(LabelTable("half", half, city.target, "regression", "x")).name == "world"
    pole = LabelTable("pole", np.full((5, 2), -89.0), np.arange(5.0), "regression", "x")
    assert atlas_of(pole).name == "world"


def test_a_run_says_what_it_was_run_with_and_what_was_seen_in_training(atlas):
    table, _ = made_up_table(60)
    shares = []
    report = run_probe(
        table, atlas, ["unigeoclip", "coordinates"], splits=["random"], errors=False,
        seen=lambda name: "it was an input" if name == "unigeoclip" else None,
        progress=lambda words, share: shares.append(share),
    )  # fmt: skip
    assert report.seen_by == {"unigeoclip": "it was an input"}
    assert report.settings["atlas"] == atlas.name
    assert report.settings["atlas_data"] == atlas.data_hash
    assert report.notes[0] == f"Models, pictures and texts are those of the atlas {atlas.name!r}."
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_rows_outside_the_atlas_are_counted(atlas):
    table, _ = made_up_table(60)
    latlon = table.latlon.copy()
    latlon[:4] = 89.9
    south, west, north, east = atlas.manifest.bounds
    outside = ((latlon < [south, west]) | (latlon > [north, east])).any(axis=1).sum()
    moved = LabelTable("x", latlon, table.target, "regression", "y")
    report = run_probe(moved, atlas, ["sincos"], splits=["random"], errors=False)
    assert report.notes[1].startswith(f"{outside} of 60 rows lie outside the atlas {atlas.name!r}")


def test_too_many_rows_are_refused_before_anything_is_encoded(atlas):
    n = 200_001
    table = LabelTable("huge", np.zeros((n, 2)), np.arange(float(n)), "regression", "y")
    with pytest.raises(InputError, match="200,001 rows, at most 200,000"):
        run_probe(table, atlas, ["unigeoclip"])
