"""Images as queries to several models: who supports them, and what is computed once."""

from types import SimpleNamespace

import numpy as np
import pytest

from pages.ui.compare.model import ColorScheme, ImageQuery, UnavailableError
from pages.ui.compare.panes import ComparePane
from tests.app import fake
from unigeoclip.embedders.coordinates import FourierEmbedder
from unigeoclip.errors import InputError, UniGeoError


@pytest.fixture
def embedder():
    return fake.embedders(None)[0]["fourier"]


def test_a_model_that_knows_points_only_is_unavailable(embedder):
    image = ImageQuery("field.png", "aerial", b"picture")
    for _ in range(2):
        with pytest.raises(UnavailableError, match="points only") as caught:
            image.embedding(embedder)
        assert isinstance(caught.value, UniGeoError)


def test_an_image_is_embedded_once_for_each_model(embedder, monkeypatch):
    calls = []

    def embed(self, data, kind):
        calls.append((data, kind))
        return np.ones(self.dim, np.float32)

    monkeypatch.setattr(FourierEmbedder, "embed_picture", embed, raising=False)
    monkeypatch.setattr(FourierEmbedder, "picture_kinds", ("aerial", "street"), raising=False)
    image = ImageQuery("field.png", "street", b"picture")
    assert image.embedding(embedder) is image.embedding(embedder)
    assert calls == [(b"picture", "street")]


def test_what_a_model_refuses_is_unavailable_with_its_reason(embedder, monkeypatch):
    def embed(self, data, kind):
        raise InputError("This image is too small.")

    monkeypatch.setattr(FourierEmbedder, "embed_picture", embed, raising=False)
    monkeypatch.setattr(FourierEmbedder, "picture_kinds", ("aerial", "street"), raising=False)
    image = ImageQuery("field.png", "aerial", b"")
    with pytest.raises(UnavailableError, match="too small"):
        image.embedding(embedder)
    pane = ComparePane(None, fake_comparison(embedder), "fourier", ColorScheme(image=image))
    assert pane.unavailable == "This image is too small."


def test_without_a_query_every_model_is_available(embedder):
    assert ComparePane(None, fake_comparison(embedder), "fourier", ColorScheme()).unavailable == ""


def fake_comparison(embedder):
    """As much of a comparison as tells whether a model has a result."""

    return SimpleNamespace(embedded={embedder.name: SimpleNamespace(embedder=embedder)})
