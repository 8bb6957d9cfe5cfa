"""Who encodes the parts of a store: this process, several on this machine, or a dask cluster."""

from __future__ import annotations

import multiprocessing
import pickle
import re
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, cast

from tqdm import tqdm

from unigeoclip.encoding.worker import encode_part, work
from unigeoclip.errors import InputError, UniGeoError
from unigeoclip.extras import needs_extra
from unigeoclip.files.atomic import reason

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from unigeoclip.encoding.manifest import StoreManifest
    from unigeoclip.encoding.storage import Storage
    from unigeoclip.encoding.worker import Job

__all__ = ["Progress", "check_scheduler", "on_cluster", "on_processes"]

MAX_WORKERS = 256
_AGAIN = "Parts that are finished are kept: run the same command again to continue."
_SCHEDULER = re.compile(r"(?:tcp|tls|ws|wss)://(?:[\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}", re.ASCII)
_CONNECT_S, _FIRST_WORKER_S = 20, 120


class Progress:
    """Rows that are done, whoever does them, on a bar with the time left."""

    def __init__(self, manifest: StoreManifest, missing: set[str], quiet: bool = False) -> None:
        self._rows = {part.token: part.rows for part in manifest.partitions}
        self._done = {token: 0 if token in missing else rows for token, rows in self._rows.items()}
        self._missing = set(missing)  # a part whose rows are all encoded is not yet written
        self._bar = tqdm(
            total=manifest.rows, initial=sum(self._done.values()), desc="Encoding", unit="vector", mininterval=2,
            smoothing=0.05, disable=quiet,
        )  # fmt: skip

    def __call__(self, token: str, rows: int | None) -> None:
        """Count so many more rows of a part, or with None all of it, each once."""
        if rows is None:
            self._missing.discard(token)
        before = self._done[token]
        self._done[token] = self._rows[token] if rows is None else min(before + rows, self._rows[token])
        self._bar.update(self._done[token] - before)

    @property
    def is_complete(self) -> bool:
        """Whether all parts are there."""
        return not self._missing

    def close(self) -> None:
        """End the bar's line."""
        self._bar.close()


# Processes on this machine


def _child(job: Job, threads: int, parent: Connection) -> None:
    """Work in a process of its own; the parent hears (token, rows), and last None or an error."""
    import torch

    torch.set_num_threads(threads)
    try:
        for _ in work(job, lambda token, rows: parent.send((token, rows))):
            pass
        parent.send(None)
    except (KeyboardInterrupt, BrokenPipeError):  # the parent has stopped, or is gone
        return
    except BaseException as error:
        parent.send(_sendable(error))


def _sendable(error: BaseException) -> BaseException:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {reason(error)}")
    return error


def on_processes(job: Job, count: int, progress: Progress) -> None:
    """Work in several processes on this machine until all parts are there.

    Args:
        job: What to do; the store has its manifest.
        count: Processes; the cores are divided between them.
        progress: Hears what is done.

    Raises:
        UniGeoError: What a process failed with; or all have ended and parts are missing.
    """
    import torch

    context = multiprocessing.get_context("spawn")  # a fork of a process with torch's threads may hang
    threads = max(torch.get_num_threads() // count, 1)
    workers = {}
    try:
        for _ in range(count):
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=_child, args=(job, threads, sender), daemon=True)
            process.start()
            sender.close()
            workers[receiver] = process
        _listen(set(workers), progress)
    finally:
        for process in workers.values():
            process.terminate()
            process.join(10)


def _listen(listening: set[Connection], progress: Progress) -> None:
    killed = 0
    while listening and not progress.is_complete:
        for receiver in cast("list[Connection]", wait(list(listening))):
            try:
                message = receiver.recv()
            except (EOFError, OSError):  # it was killed; the others take over what it has left
                listening.discard(receiver)
                killed += 1
                continue
            if isinstance(message, BaseException):
                raise message
            if message is None:
                listening.discard(receiver)
            else:
                progress(*message)
    if not progress.is_complete:
        raise InputError(
            f"All {killed} processes were ended from outside, for lack of memory perhaps: give fewer --workers or a "
            f"larger --partition-level. {_AGAIN}"
        )


# A cluster


def check_scheduler(address: str) -> None:
    """Check the address of a dask scheduler.

    Raises:
        InputError: It is none.
    """
    if not _SCHEDULER.fullmatch(address):
        raise InputError(f"--scheduler takes an address such as tcp://10.0.0.5:8786, not '{address[:80]}'.")


def on_cluster(job: Job, address: str, storage: Storage, manifest: StoreManifest, progress: Progress) -> None:
    """Have the workers of a dask cluster encode the parts that are missing.

    Args:
        job: What to do; the store has its manifest.
        address: Of the scheduler.
        storage: The store.
        manifest: Of the store.
        progress: Hears what is done.

    Raises:
        InputError: The scheduler cannot be reached or has no workers, or a part failed.
    """
    with needs_extra("scale"):
        from distributed import Client, as_completed
    try:
        client: Any = Client(address, timeout=_CONNECT_S, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise InputError(f"The scheduler {address} cannot be reached: {reason(error)}. Check the address.") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_FIRST_WORKER_S)
        except TimeoutError as error:
            raise InputError(f"The scheduler {address} has no workers. Start some: dask worker {address}") from error
        tokens = [part.token for part in manifest.missing(storage)]
        futures = client.map(encode_part, [job] * len(tokens), tokens, pure=False)
        token_of = dict(zip((future.key for future in futures), tokens, strict=True))
        try:
            done = as_completed(futures, loop=client.loop, raise_errors=False)  # type: ignore[no-untyped-call]
            for future in done:
                if future.status != "finished":
                    raise _failure(future, token_of[future.key])
                progress(token_of[future.key], None)
                future.release()
        finally:
            client.cancel([future for future in futures if not future.done()])


def _failure(future: Any, token: str) -> UniGeoError:
    """What a part failed with, as one sentence."""
    with needs_extra("scale"):
        from distributed import KilledWorker
    error = future.exception() if future.status == "error" else None
    if isinstance(error, UniGeoError):
        return error
    if error is None:
        return InputError(f"The scheduler was lost, or dropped the part {token}. {_AGAIN}")
    if isinstance(error, KilledWorker):
        return InputError(
            f"Several workers died one after the other over the part {token}, for lack of memory perhaps: give them "
            f"more memory, or another --partition-level. {_AGAIN}"
        )
    if isinstance(error, ImportError):
        return InputError(f"A worker cannot import what it needs ({reason(error)}): install unigeoclip there.")
    return InputError(f"The part {token} failed on a worker ({type(error).__name__}: {reason(error)}). {_AGAIN}")
