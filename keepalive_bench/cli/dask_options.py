"""The options of `kab run --dask`, which measures on the workers of a Dask cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.options import Example, Option

if TYPE_CHECKING:
    from keepalive_bench.plan.options import Asked

_NOBODY = "--dask tcp://127.0.0.1:1"

DASK = Option(
    parse=str,
    group="Places",
    spelling="--dask SCHEDULER",
    help="Measure on each Dask worker: tcp://host:8786, or a file.",
    more="The scheduler's address, or the file that it wrote. It needs the extra dask, and the "
    "same kab on the scheduler and its workers.",
    example=Example(_NOBODY, "No Dask scheduler answers", "said"),
)
DASK_WORKERS = Option(
    parse=int,
    group="Places",
    spelling="--dask-workers N",
    help="Use at most N workers.  [default: 10]",
    more="Where there are more, nothing is sent: each would send all requests, unless --split "
    "divides them.",
    example=Example(f"{_NOBODY} --dask-workers 0", "at least 1", "said"),
)
DASK_INSECURE = Option(
    form="switch",
    parse=bool,
    group="Places",
    spelling="--dask-insecure",
    help="Send secrets to workers without TLS, too.",
    more="Whoever may use the scheduler can read them in any case.",
    example=Example(f"{_NOBODY} -u me:it --dask-insecure", "No Dask scheduler answers", "said"),
)
SPLIT = Option(
    form="switch",
    parse=bool,
    group="Places",
    spelling="--split",
    help="Divide --rate and -n among the workers; else each has all.",
    example=Example(f"{_NOBODY} --split", "divides a --rate", "said"),
)
KEPT = Option(
    parse=str,
    source="path",
    group="Places",
    spelling="--keep-places DIR",
    help="Keep each worker's run in this folder, for kab places.",
    example=Example(f"{_NOBODY} --keep-places {{csv}}", "csv can't be a folder", "said"),
)
OPTIONS: tuple[Option[Any], ...] = (DASK, DASK_WORKERS, DASK_INSECURE, SPLIT, KEPT)
"""What only measuring on Dask has."""


def check_alone(asked: Asked) -> None:
    """Refuse what is for Dask only, where nobody asked for Dask.

    Raises:
        UsageError: there is such an option.
    """
    lonely = next((it for it in OPTIONS if it is not DASK and asked[it] is not None), None)
    if lonely is not None and asked[DASK] is None:
        raise UsageError(f"{lonely.flag} goes with {DASK.flag}: say where the scheduler is.")
