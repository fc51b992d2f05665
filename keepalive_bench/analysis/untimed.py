"""Which exchanges are counted and never timed: those in the round that an early end cut.

The round that is under way when time is over is a long one more often than others are (Feller,
"An Introduction to Probability Theory and Its Applications", II, 1971, section I.4). Those that are
over by then are exchangeable, so their mean is neither too high nor too low, however few they are.
"""

from __future__ import annotations

from collections import Counter
from itertools import compress
from math import inf
from operator import add
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.results.table import pick

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.results.run import Run


class Untimed(NamedTuple):
    """What an early end cut."""

    mask: bytes = b""
    """A byte for each exchange of the run, 1 for those that are in no time; empty: all are."""
    is_all: bool = False
    """Whether that would leave an arm's answers without any time, so that all of them are timed."""


def untimed(run: Run) -> Untimed:
    """What time, or Ctrl-C, cut; nothing of an open load, whose schedule asks for no answers.

    Where arms take turns, it is the last round. Where each has a time of its own, it is the burst
    under way at its end; or one of the requests under way, drawn from the seed: leaving out all of
    several threads' would leave out too many slow ones.
    """
    experiment, exchanges = run.plan.experiment, run.exchanges
    is_timed = experiment.duration_s is not None
    if experiment.load.is_open or not (is_timed or run.run_info.interrupted):
        return Untimed()
    mask = bytearray(len(exchanges))
    for row in _last_round(run) if experiment.is_paired else _under_way(run):
        mask[row] = 1
    if not any(mask):
        return Untimed()
    timed, answered = set[int](), set[int]()
    for arm, failure, is_cut in zip(exchanges.arm, exchanges.failure, mask, strict=True):
        if failure < 0:
            answered.add(arm)
            if not is_cut:
                timed.add(arm)
    return Untimed(bytes(mask)) if timed == answered else Untimed(is_all=True)


def _last_round(run: Run) -> Iterable[int]:
    """The rows of the last round, if it ended after the run's time or lacks an arm's requests."""
    exchanges, duration_s = run.exchanges, run.plan.experiment.duration_s
    cut_off = exchanges.cut_off
    ended = [row for row, failure in enumerate(exchanges.failure) if failure not in cut_off]
    last = max((exchanges.round[row] for row in ended), default=0)
    rows = [row for row in ended if exchanges.round[row] == last]
    sent = Counter(exchanges.arm[row] for row in rows)
    is_whole = len({sent[number] for number in range(len(exchanges.arms))}) == 1
    if run.run_info.interrupted:
        sent_in_all = run.plan.experiment.requests * len(exchanges.arms)
        is_cut = not is_whole or len(exchanges) < sent_in_all
    else:
        ends_s = (exchanges.began_s[row] + exchanges.latency_s[row] for row in rows)
        is_over = duration_s is not None and run.run_info.wall_s >= duration_s
        is_cut = is_over and (not is_whole or max(ends_s, default=0.0) > (duration_s or 0.0))
    return rows if is_cut else ()


def _under_way(run: Run) -> Iterator[int]:
    """A row of each arm that time cut, or the rows of a burst."""
    experiment, exchanges = run.plan.experiment, run.exchanges
    masks = [exchanges.ended_of_arm(label) for label in experiment.labels]
    last_s = max((max(pick(exchanges.began_s, mask), default=0.0) for mask in masks), default=0.0)
    for label, mask in zip(experiment.labels, masks, strict=True):
        rows = list(compress(range(len(mask)), mask))
        began_s = pick(exchanges.began_s, mask)
        end_s = _end_s(run, began_s, last_s)
        until_s = map(add, began_s, compress(exchanges.latency_s, mask))
        times = zip(rows, began_s, until_s, strict=True)
        cut = [row for row, from_s, to_s in times if from_s <= end_s < to_s]
        if not cut:
            continue
        index, size = exchanges.index, experiment.burst_size
        draw = Random(f"{experiment.seed} {label}")  # noqa: S311  # not for secrets
        drawn = index[draw.choice(sorted(cut, key=index.__getitem__))] // size
        yield from (row for row in rows if index[row] // size == drawn)


def _end_s(run: Run, began_s: Sequence[float], last_s: float) -> float:
    """When the time was over of an arm that didn't take turns; infinity: it wasn't.

    Nobody notes when Ctrl-C came: that was after the last request began (`last_s`), and before one
    ended.
    """
    experiment = run.plan.experiment
    latest_s = max(began_s, default=inf)
    if run.run_info.interrupted and latest_s == last_s and len(began_s) < experiment.requests:
        return last_s
    if experiment.duration_s is None or not began_s:
        return inf
    end_s = min(began_s) + experiment.duration_s / len(experiment.arms)
    return end_s if latest_s <= end_s else inf
