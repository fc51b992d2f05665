"""A Dask cluster of this machine's own, to show what one does."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LOOPBACK = "127.0.0.1"


@contextmanager
def local_cluster(names: Sequence[str]) -> Iterator[str]:
    """Workers that are called so, each a process; the address of their scheduler."""
    from distributed import Nanny, Scheduler, SpecCluster  # noqa: PLC0415  # an import of 0.5 s

    common = {"dashboard": False, "host": _LOOPBACK}
    of_worker = common | {"nthreads": 1, "silence_logs": logging.CRITICAL}
    with SpecCluster(
        scheduler={"cls": Scheduler, "options": common},
        workers={it: {"cls": Nanny, "options": of_worker} for it in names},
        silence_logs=logging.CRITICAL,
    ) as cluster:
        yield cluster.scheduler_address
