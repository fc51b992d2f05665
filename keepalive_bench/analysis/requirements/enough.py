"""How many requests it takes at the least to bound an estimate: fewer can't decide anything."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from keepalive_bench.analysis.inference import stats
from keepalive_bench.analysis.inference.clusters import LEAST_CLUSTERS
from keepalive_bench.analysis.inference.intervals import (
    mean_interval,
    quantile_interval,
    signed_rank_interval,
)

if TYPE_CHECKING:
    from keepalive_bench.analysis.requirements.quantity import Basis
    from keepalive_bench.model.plan import Plan

_MOST = 100_000
_OF_BLOCKS = {"ranks", "pairs", "verdict", "mean"}


def least_requests(basis: Basis, plan: Plan) -> int | None:
    """Requests of each arm that could bound an estimate, if none fails; `None`: no number could.

    Where several requests are on their way at once, blocks of them count, so it takes more there.
    """
    if basis == "exact":
        return 1
    values = _least_values(basis, plan.judgement.confidence)
    if values is None:
        return None
    block = plan.experiment.block_size
    if basis in _OF_BLOCKS:
        return values * block
    return values if block == 1 else max(values, LEAST_CLUSTERS * block)


@lru_cache(maxsize=32)
def _least_values(basis: Basis, confidence: float) -> int | None:
    """By asking for intervals, of ever more values and then in between: more never bound less."""
    enough = 1
    while not _is_bounded(basis, enough, confidence):
        enough *= 2
        if basis == "nothing" or enough > _MOST:
            return None
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if _is_bounded(basis, middle, confidence):
            enough = middle
        else:
            too_few = middle
    return enough


def _is_bounded(basis: Basis, count: int, confidence: float) -> bool:
    values = range(1, count + 1)
    if basis in {"ranks", "verdict"}:
        return signed_rank_interval(values, confidence) is not None
    if basis in {"mean", "pairs"}:
        return mean_interval(values, confidence, 1.0) is not None
    if basis == "nothing":
        return False
    percent = int(basis[1:])
    is_shown = stats.quantile(values, percent) is not None
    return is_shown and quantile_interval(values, percent, confidence) is not None
