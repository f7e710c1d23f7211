"""Workers: processes of this machine, and those of a dask cluster."""

from __future__ import annotations

import importlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import connection, get_context, parent_process
from typing import Any

from costline.errors import InputError


def processes(count: int) -> Executor:
    """`count` new processes, which end when this one does."""
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=follow)


def follow() -> None:
    """Leave interruption to the process that started this one, and end when it ends, even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def available() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def cluster(address: str) -> Iterator[tuple[Executor, int, Callable[[], bool]]]:
    """An executor over a dask cluster, the number of blocks to hand out at a time, and whether any worker is left.

    Parameters
    ----------
    address : str
        Address of a scheduler (``tcp://host:8786``), or ``local`` for a cluster of this machine.

    Raises
    ------
    InputError
        dask.distributed is not installed, no scheduler answers, or a block took several workers with it.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise InputError("clusters need dask.distributed: pip install '.[cluster]' in a clone") from None
    local = partial(
        distributed.LocalCluster, n_workers=available(), threads_per_worker=1, dashboard_address=None, processes=True
    )
    try:
        client = distributed.Client(local() if address == "local" else address, timeout="10s")
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"no cluster at {address}: {error}") from None
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise InputError(f"the cluster at {address} has no workers")
        # pure=False: two sweeps of one scenario on one cluster do not share blocks, and cannot cancel each other's
        try:
            yield client.get_executor(pure=False), 2 * threads, partial(_manned, client)
        except distributed.KilledWorker as error:
            raise InputError(f"a block ended every worker that began it ({error}); have they memory enough?") from None
        if client.cluster is not None:
            client.cluster.close()


def _manned(client: Any) -> bool:
    """Whether the scheduler of a cluster answers, and knows a worker."""
    return client.status == "running" and bool(client.scheduler_info()["workers"])
