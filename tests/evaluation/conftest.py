"""What the tests of the evaluation share."""

import pytest

from unigeoclip.evaluation import pairs, retrieval


@pytest.fixture
def any_count(monkeypatch):
    """Figures of however few items: made-up atlases are small."""
    for module in (retrieval, pairs):
        monkeypatch.setattr(module, "FEWEST", 1)
