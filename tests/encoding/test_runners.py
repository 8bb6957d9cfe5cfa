"""Several workers, some of which are killed: no part twice, none missing, the bytes of the serial run."""

import os
import shutil
import signal
from dataclasses import replace

import pytest

from tests.encoding.conftest import OPTIONS
from tests.encoding.stores import job_of, parts_of
from unigeoclip.encoding import bulk, encode_atlas, store_manifest
from unigeoclip.encoding.manifest import read_manifest
from unigeoclip.encoding.runners import Progress, on_cluster, on_processes
from unigeoclip.encoding.storage import open_storage
from unigeoclip.errors import InputError

pytestmark = pytest.mark.slow


class Killing(Progress):
    """Kills the processes that encode the first parts, as their claims name them, in the middle of it."""

    store = None
    victims = 1

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.killed = set()

    def __call__(self, token, rows):
        if rows is not None and len(self.killed) < self.victims:
            process = int((self.store / "claims" / f"{token}.0").read_text().split()[1])
            if process not in self.killed:
                assert process != os.getpid()
                os.kill(process, signal.SIGKILL)
                self.killed.add(process)
        super().__call__(token, rows)


def test_processes_of_which_one_is_killed(atlas, serial, tmp_path, monkeypatch):
    store = tmp_path / "store"
    monkeypatch.setattr(Killing, "store", store)
    monkeypatch.setattr(bulk, "Progress", Killing)
    done = encode_atlas(atlas, store, workers=2, quiet=True, **OPTIONS)
    assert done.added == len(done.manifest.partitions)
    assert parts_of(store) == parts_of(serial)


def test_all_processes_are_killed_and_the_next_run_continues(atlas, serial, tmp_path, monkeypatch):
    store = tmp_path / "store"
    with monkeypatch.context() as patch:
        patch.setattr(Killing, "store", store)
        patch.setattr(Killing, "victims", 2)
        patch.setattr(bulk, "Progress", Killing)
        with pytest.raises(InputError, match="All 2 processes were ended from outside.*run the same command again"):
            encode_atlas(atlas, store, workers=2, quiet=True, **OPTIONS)
    there = {path.stem: path.stat().st_mtime_ns for path in (store / "parts").glob("*.parquet")}
    done = encode_atlas(atlas, store, quiet=True, **OPTIONS)
    assert done.added == len(done.manifest.partitions) - len(there) > 0
    assert {name: (store / "parts" / f"{name}.parquet").stat().st_mtime_ns for name in there} == there
    assert parts_of(store) == parts_of(serial)


def unlike(atlas, serial, tmp_path):
    """A job for another atlas than the workers find, its store and manifest: each worker refuses it."""
    shutil.copytree(serial, tmp_path / "store")
    shutil.rmtree(tmp_path / "store" / "parts")
    storage = open_storage(tmp_path / "store")
    return replace(job_of(atlas, tmp_path / "store"), data_hash="0" * 12), storage, read_manifest(storage)


def test_an_error_in_a_process_is_told(atlas, serial, tmp_path):
    job, _, manifest = unlike(atlas, serial, tmp_path)
    with pytest.raises(InputError, match="or its model here is not that of"):
        on_processes(job, 2, Progress(manifest, {part.token for part in manifest.partitions}, quiet=True))


# A cluster

distributed = pytest.importorskip("distributed")


class KillOnce(distributed.WorkerPlugin):
    """Kills the first worker of a cluster that begins its fifth part."""

    def __init__(self, mark):
        self.mark, self.begun = mark, 0

    def transition(self, key, start, finish, **_):
        if finish == "executing" and str(key).startswith("encode_part"):
            self.begun += 1
            if self.begun == 5:
                try:
                    os.close(os.open(self.mark, os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    return
                os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    folder = tmp_path_factory.mktemp("dask")
    with distributed.LocalCluster(host="127.0.0.1", local_directory=folder, silence_logs=50, **options) as running:
        yield running


def test_a_cluster_of_which_one_worker_is_killed(atlas, serial, tmp_path, cluster):
    store, mark = tmp_path / "store", tmp_path / "killed"
    with distributed.Client(cluster, set_as_default=False) as client:
        client.register_plugin(KillOnce(str(mark)))
        done = encode_atlas(atlas, store, scheduler=cluster.scheduler_address, quiet=True, **OPTIONS)
    assert mark.exists(), "no worker was killed"
    assert done.added == len(store_manifest(store).partitions)
    assert parts_of(store) == parts_of(serial)


def test_an_error_on_a_cluster_is_told(atlas, serial, tmp_path, cluster):
    job, storage, manifest = unlike(atlas, serial, tmp_path)
    progress = Progress(manifest, {part.token for part in manifest.partitions}, quiet=True)
    with pytest.raises(InputError, match="or its model here is not that of"):
        on_cluster(job, cluster.scheduler_address, storage, manifest, progress)


def test_no_scheduler(atlas, tmp_path, monkeypatch):
    monkeypatch.setattr("unigeoclip.encoding.runners._CONNECT_S", 1)
    with pytest.raises(InputError, match="cannot be reached"):
        encode_atlas(atlas, tmp_path / "store", scheduler="tcp://127.0.0.1:9", quiet=True, **OPTIONS)
