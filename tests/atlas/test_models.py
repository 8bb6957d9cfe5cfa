"""A model meets an atlas: windows of one size."""

from types import SimpleNamespace

import pytest

from unigeoclip.atlas.models import ANY_WINDOW, refuse_other_window
from unigeoclip.errors import CheckpointError
from unigeoclip.model import ModelConfig
from unigeoclip.training.runs import of_windows


def model(window_m, *modalities):
    return SimpleNamespace(config=ModelConfig(window_m=window_m), modalities=modalities)


def test_a_model_of_other_windows_is_refused(tmp_path, monkeypatch):
    with pytest.raises(
        CheckpointError, match=r"windows of 225 m, those of town are 150 m wide: .*1\.5 times.*--window"
    ):
        refuse_other_window(model(225, "location", "aerial"), tmp_path, 150, "those of town")
    monkeypatch.setenv(ANY_WINDOW, "1")
    refuse_other_window(model(225, "location", "aerial"), tmp_path, 150, "those of town")


@pytest.mark.parametrize(
    ("trained", "asked", "modalities"),
    [(225, 225.0, ["aerial"]), (None, 150, ["surface"]), (225, None, ["surface"]), (225, 150, ["location", "text"])],
)
def test_models_that_fit(tmp_path, trained, asked, modalities):
    refuse_other_window(model(trained, *modalities), tmp_path, asked, "those of town")


def test_the_shape_of_a_model_records_its_windows():
    atlases = [SimpleNamespace(window_m=225.0), SimpleNamespace(window_m=225.0)]
    assert of_windows(ModelConfig(), atlases).window_m == 225
    assert of_windows(ModelConfig(), [*atlases, SimpleNamespace(window_m=150.0)]).window_m is None
