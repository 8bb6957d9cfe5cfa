"""Stores in tests."""

from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.encoding.worker import Job


def parts_of(folder):
    """Every file in a store by name, hidden ones too: all of its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def job_of(atlas, store):
    return Job(str(atlas.path), None, str(store), checkpoint_id(atlas.model_path), atlas.data_hash)
