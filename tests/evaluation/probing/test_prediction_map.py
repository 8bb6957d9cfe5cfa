"""A probe applied to every cell of a grid: values, pictures, legends, files."""

import contextlib
import io
import json

import numpy as np
import pytest
import rasterio
from PIL import Image

from unigeoclip.atlas.provenance import ModelSource, Provenance
from unigeoclip.errors import InputError, StoppedError
from unigeoclip.evaluation.probing.everywhere import near_km, predict_everywhere
from unigeoclip.similarity.class_colors import DISTINCT, class_colors
from unigeoclip.similarity.grid import Grid
from unigeoclip.tasks import LabelTable

MADE = Provenance((), (ModelSource("toy", "", ""),), "boston", "abc", ("somebody",), "", "unigeoclip 1")
MASK = np.ones((12, 20), bool)
MASK[0, :5] = False
GRID = Grid((42.0, -71.2, 42.12, -71.0), MASK)
LABELS = np.column_stack([np.linspace(42.07, 42.11, 40), np.linspace(-71.19, -71.01, 40)])


class LatitudeProbe:
    """Predicts from the first feature, which is the latitude."""

    def predict(self, features):
        return 10 * features[:, 0].astype(np.float64)


class NorthProbe:
    def predict(self, features):
        return np.where(features[:, 0] > 42.06, "north", "south")


def encode(latlon):
    return latlon.astype(np.float32)


def table(kind="regression"):
    target = LABELS[:, 0].copy() if kind == "regression" else np.where(LABELS[:, 0] > 42.09, "north", "south")
    return LabelTable("rents", LABELS, target, kind, "rent", unit="USD")


def amounts(**options):
    return predict_everywhere(LatitudeProbe(), encode, GRID, table(), provenance=MADE, **options)


def classes():
    return predict_everywhere(NorthProbe(), encode, GRID, table("classification"), provenance=MADE)


@contextlib.contextmanager
def opened(data):
    with rasterio.MemoryFile(data) as memory, memory.open() as tiff:
        yield tiff


def test_every_cell_gets_what_the_probe_says():
    shown = amounts()
    np.testing.assert_allclose(shown.values, 10 * GRID.cells[:, 0], rtol=1e-6)
    assert shown.value_at(42.055, -71.1) == pytest.approx(420.55, rel=1e-6)
    assert shown.value_at(42.119, -71.199) is None  # masked
    assert classes().value_at(42.1, -71.1) == "north"


def test_amounts_as_geotiff():
    with opened(amounts().geotiff()) as tiff:
        assert (tiff.dtypes, tiff.shape, tiff.crs) == (("float32",), GRID.shape, "EPSG:4326")
        assert np.isnan(tiff.nodata)
        read = tiff.read(1)
        assert np.isnan(read[0, :5]).all()
        np.testing.assert_allclose(read[GRID.mask], 10 * GRID.cells[:, 0], rtol=1e-6)
        assert json.loads(tiff.tags()["PROVENANCE"])["atlas"] == "boston"
        assert tiff.descriptions == ("rent",)
        assert tiff.tags(1)["UNITS"] == "USD"
        assert next(tiff.sample([(-71.055, 42.055)]))[0] == pytest.approx(420.55, rel=1e-6)


def test_classes_as_geotiff_with_colors_and_names():
    shown = classes()
    with opened(shown.geotiff()) as tiff:
        read = tiff.read(1)
        assert (tiff.dtypes, tiff.nodata, tiff.colorinterp[0].name) == (("uint8",), 0, "palette")
        assert (read[0, :5] == 0).all()
        assert set(np.unique(read)) == {0, 1, 2}
        assert (tiff.tags(1)["CLASS_1"], tiff.tags(1)["CLASS_2"]) == ("north", "south")
        assert json.loads(tiff.tags(1)["CLASSES"]) == ["north", "south"]
        swatch = next(each for each in shown.swatches() if each.name == "north")
        assert "#" + bytes(tiff.colormap(1)[1][:3]).hex() == swatch.color
    assert sum(each.share for each in shown.swatches()) == pytest.approx(1)


def test_more_classes_than_a_palette_holds():
    names = np.array([f"class {number:03d}" for number in range(300)])

    class Many:
        def predict(self, features):
            return names[np.arange(len(features)) % 300]

    labels = LabelTable("many", np.column_stack([np.linspace(42, 42.1, 300), np.full(300, -71.1)]), names,
                        "classification", "kind")  # fmt: skip
    shown = predict_everywhere(Many(), encode, GRID, labels)
    with opened(shown.geotiff()) as tiff:
        assert tiff.dtypes == ("uint16",)
        assert tiff.read(1)[GRID.mask].tolist() == (np.arange(len(GRID)) % 300 + 1).tolist()
        assert tiff.tags(1)["CLASS_300"] == "class 299"
    assert Image.open(io.BytesIO(shown.png())).size[0] == GRID.picture_width_px


def test_cells_far_from_any_label_are_faint_or_left_out():
    shown = amounts()
    spacing_km = shown.near_km / 3
    assert near_km(np.repeat(LABELS, 2, axis=0)) == shown.near_km  # a label that stands twice is no neighbor of itself
    assert spacing_km == pytest.approx(0.40, abs=0.02)
    south = GRID.cells[:, 0] < 42.02
    assert not shown.near[south].any()
    assert shown.near[np.abs(GRID.cells[:, 0] - 42.09) < 0.005].any()
    assert "of the area lies farther than 1.2 km from any labeled position" in shown.extrapolation
    whole, kept = (
        np.asarray(Image.open(io.BytesIO(shown.png(near_only=only))).convert("RGBA")) for only in (False, True)
    )
    assert set(np.unique(whole[..., 3])) == {0, 89, 255}
    assert set(np.unique(kept[..., 3])) == {0, 255}
    with opened(shown.geotiff(near_only=True)) as tiff:
        np.testing.assert_array_equal(np.isfinite(tiff.read(1)[GRID.mask]), shown.near)
        assert "extrapolations" in tiff.tags()["TIFFTAG_IMAGEDESCRIPTION"]


def test_labels_everywhere_make_no_extrapolation():
    labels = LabelTable("all", GRID.cells, GRID.cells[:, 0].copy(), "regression", "rent")
    assert predict_everywhere(LatitudeProbe(), encode, GRID, labels).extrapolation == ""


def test_colors_run_between_the_limits_of_the_legend():
    shown = amounts()
    stops = shown.legend()
    assert (stops[0].similarity, stops[-1].similarity) == shown.limits()
    assert shown.limits()[0] > 10 * GRID.cells[:, 0].min()  # cells near labels count
    assert [stop.similarity for stop in shown.legend(limits=(0, 10), stops=3)] == [0, 5, 10]
    assert shown.swatches() == []
    assert classes().legend() == []
    picture = Image.open(io.BytesIO(shown.png(limits=(420.2, 421)))).convert("RGB")
    top, bottom = picture.getpixel((picture.width // 2, 2)), picture.getpixel((picture.width // 2, picture.height - 2))
    assert (top, bottom) == ((253, 231, 37), (68, 1, 84))  # the ends of viridis


def test_one_amount_everywhere_can_be_drawn():
    class One:
        def predict(self, features):
            return np.full(len(features), 7.0)

    shown = predict_everywhere(One(), encode, GRID, table())
    assert shown.limits() == (6.5, 7.5)
    assert shown.png()


def test_cells_without_features_are_no_part_of_the_map():
    def some(latlon):
        return np.where(latlon[:, 1:] < -71.1, np.nan, latlon).astype(np.float32)

    shown = predict_everywhere(LatitudeProbe(), some, GRID, table())
    assert (shown.grid.cells[:, 1] >= -71.1).all()
    assert np.isnan(shown.raster()[:, :10]).all()
    with pytest.raises(InputError, match="No cell of the map"):
        predict_everywhere(LatitudeProbe(), lambda latlon: np.full((len(latlon), 3), np.nan, np.float32), GRID, table())


def test_progress_and_stop():
    told = []
    amounts(progress=lambda words, share: told.append(share))
    assert told == [1.0]
    with pytest.raises(StoppedError):
        amounts(cancelled=lambda: True)


def test_options_out_of_range():
    shown = amounts()
    for options in ({"opacity": 2}, {"width_px": 0}, {"limits": (3, 3)}, {"limits": (0, np.inf)}, {"colormap": "jet"}):
        with pytest.raises(InputError):
            shown.png(**options)


def test_colors_of_classes_differ():
    assert len(np.unique(class_colors(DISTINCT), axis=0)) == DISTINCT
    np.testing.assert_array_equal(class_colors(3), class_colors(DISTINCT + 3)[DISTINCT:])
