import sys
from abc import ABC, abstractmethod
from types import ModuleType

import numpy as np
import pytest

from unigeoclip.embedders import load_embedder
from unigeoclip.embedders.torchgeo_bench import location_encoder
from unigeoclip.errors import InputError

LON, LAT = np.array([4.84, -77.04, 179.5]), np.array([45.76, -12.05, -17.0])


def test_points_are_encoded_in_batches_with_longitude_first():
    encoder = location_encoder("coordinates", batch_size=2)
    expected = load_embedder("coordinates").embed(np.stack([LAT, LON], axis=1))
    np.testing.assert_allclose(encoder.encode(LON, LAT), expected)
    np.testing.assert_allclose(encoder._encode(LON, LAT, None), expected)
    assert encoder.encode(LON[:0], LAT[:0]).shape == (0, 3)


def test_it_is_of_the_class_that_torchgeo_bench_asks_for(monkeypatch):
    class LocationEncoder(ABC):
        def __init__(self, device="cpu", batch_size=8192):
            self.device, self.batch_size = device, batch_size

        @abstractmethod
        def _encode(self, lon, lat, year): ...

    models = ModuleType("torchgeo_bench.coordbench.models")
    models.LocationEncoder = LocationEncoder
    for name in ("torchgeo_bench", "torchgeo_bench.coordbench"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, models.__name__, models)
    encoder = location_encoder("coordinates", device="cpu")
    assert isinstance(encoder, LocationEncoder)
    assert (encoder.name, encoder.batch_size) == ("coordinates", 8192)
    assert encoder._encode(LON, LAT, np.array([2020, 2021, 2022])).shape == (3, 3)


def test_geoclip_gives_its_vectors_before_length_one_unless_asked_otherwise():
    lengths = np.linalg.norm(location_encoder("geoclip").encode(LON, LAT), axis=1)
    assert (np.abs(lengths - 1) > 0.01).all()
    np.testing.assert_allclose(
        np.linalg.norm(location_encoder("geoclip", raw=False).encode(LON, LAT), axis=1), 1, atol=1e-5
    )


def test_other_devices_and_unknown_names_are_refused():
    with pytest.raises(InputError, match="set the device to cpu"):
        location_encoder("coordinates", device="cuda")
    with pytest.raises(InputError, match="Unknown embedder"):
        location_encoder("oracle")
