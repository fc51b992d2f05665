"""One arm's exchanges and connections, summed up."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from itertools import compress, filterfalse, islice
from math import fsum, isnan
from operator import add, gt, sub
from typing import TYPE_CHECKING

from keepalive_bench.analysis.arm_summary import (
    REMAINDER,
    ArmSummary,
    Handshake,
    LateStarts,
    PhaseTime,
    Sizes,
)
from keepalive_bench.analysis.arm_view import summed_up
from keepalive_bench.analysis.counted import counted_fields
from keepalive_bench.analysis.history import History
from keepalive_bench.analysis.reasons import Reasons
from keepalive_bench.plan.load import LATE_S
from keepalive_bench.results.exchange import QUEUED
from keepalive_bench.results.table import NONE, pick
from keepalive_bench.stats.descriptive import mean, quantile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keepalive_bench.analysis.arm_view import ArmView, Latency
    from keepalive_bench.plan.arms import Arm
    from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns
    from keepalive_bench.results.exchange import Answer, Failure
    from keepalive_bench.results.run import Run


def summarise(run: Run, views: Mapping[str, ArmView]) -> tuple[ArmSummary, ...]:
    """Count, and time, what each arm did.

    Failed exchanges are counted and never timed. Of interrupted ones, nothing else is known.
    """
    history = History(run)
    return tuple(_summary(history, arm, views[arm.label]) for arm in run.plan.experiment.arms)


def _summary(history: History, arm: Arm, view: ArmView) -> ArmSummary:
    run, exchanges, connections = history.run, history.run.exchanges, history.run.connections
    sent, good, opened = view.ended, view.succeeded, connections.of_arm(arm.label)
    tried, answered, count = sent.count(1), good.count(1), opened.count(1)
    of_mean = view.mean_interval()
    interrupted = exchanges.arm.count(exchanges.arms.index(arm.label)) - tried
    unused = _unused(connections, opened) if interrupted else 0
    reused, could_reuse = _reuse(history, sent, opened)
    carried = sum(compress(connections.exchanges, opened))
    round_trips_s = filter((0.0).__lt__, compress(connections.min_rtt_s, opened))
    return ArmSummary(
        label=arm.label,
        kind=arm.kind,
        requests=run.requests_due(arm.label),
        succeeded=answered,
        untimed=answered - view.timed.count(1),
        failed=tried - answered,
        interrupted=interrupted,
        not_sent=run.requests_due(arm.label) - tried - interrupted,
        connections=count,
        unused=unused,
        requests_per_connection=carried / (count - unused) if count > unused else None,
        reuse=reused / could_reuse if could_reuse else None,
        could_reuse=could_reuse,
        reopened=count - len(set(compress(connections.slot, opened))),
        handshakes=_handshakes(connections, opened),
        reasons=Reasons(history, arm, opened),
        failures=_failures(exchanges, sent),
        status_codes=_status_codes(exchanges, sent),
        answers=_answers(exchanges, sent),
        counted=counted_fields(exchanges, sent, run.plan.request.count_by),
        body_bytes=_body_sizes(exchanges, good) if answered else None,
        mean_body=sum(compress(exchanges.body_bytes, good)) / answered if answered else None,
        bytes_received=sum(compress(exchanges.body_bytes, sent)),
        # Where there are pauses between requests, nobody knows how many were possible.
        requests_per_second=_rate(run, view.in_time)
        if answered and not run.plan.experiment.load.has_pauses
        else None,
        latency=view.latency,
        latency_bounds=view.quantile_intervals | ({} if of_mean is None else {"mean": of_mean}),
        correlation=view.dependence.correlation,
        interval_inflation=view.interval_inflation,
        phases=_phases(exchanges, view),
        min_rtt_s=min(round_trips_s, default=None),
        counters=run.counters[arm.label],
        uncorrected_latency_s=_uncorrected(exchanges, view),
        late_starts=_late_starts(exchanges, sent),
        option=run.plan.experiment.sweep,
    )


def _unused(connections: ConnectionColumns, opened: bytes) -> int:
    """Connections that nobody closed and that carried no response."""
    endings, carried = compress(connections.ending, opened), compress(connections.exchanges, opened)
    return sum(ending == NONE and not count for ending, count in zip(endings, carried, strict=True))


def _reuse(history: History, sent: bytes, opened: bytes) -> tuple[int, int]:
    """How many requests travelled on a used connection, and how many could have.

    The first one at each place of the arm couldn't.
    """
    seen, travelled = bytearray(len(opened)), 0
    for connection in compress(history.run.exchanges.connection, sent):
        if connection >= 0:
            travelled += 1
            seen[connection] = 1
    first = sum(map(NONE.__eq__, compress(history.previous, seen)))
    in_vain = sent.count(1) - travelled
    missed = _missed(history, sent, opened) if in_vain else 0
    return travelled - seen.count(1), travelled - first + missed


def _missed(history: History, sent: bytes, opened: bytes) -> int:
    """Of the requests that got no connection, those that could have: a place was used and free.

    Where all used ones are busy, a request needs one more, as the first at a place does. Of several
    processes, each has places of its own.
    """
    exchanges, connections = history.run.exchanges, history.run.connections
    processes, begun_s, missed = history.run.plan.experiment.processes, exchanges.started_s, 0
    first = [row for row in compress(range(len(opened)), opened) if history.previous[row] == NONE]
    for process in range(processes):
        indexes = enumerate(exchanges.index)
        own = (row for row, index in indexes if sent[row] and index % processes == process)
        rows = list(own)
        places = (row for row in first if connections.slot[row] % processes == process)
        used_s = sorted(connections.opened_s[row] for row in places)
        started_s = sorted(begun_s[row] for row in rows)
        ended_s = sorted(exchanges.began_s[row] + exchanges.latency_s[row] for row in rows)
        for row in rows:
            if exchanges.connection[row] == NONE:
                at_s = begun_s[row]
                busy = bisect_left(started_s, at_s) - bisect_right(ended_s, at_s)
                missed += bisect_right(used_s, at_s) > busy
    return missed


def _handshakes(connections: ConnectionColumns, opened: bytes) -> dict[Handshake, int]:
    numbers, kinds = Counter(compress(connections.cipher, opened)), Counter[Handshake]()
    for number, (version, _, resumed) in enumerate(connections.handshakes.values):
        kinds[Handshake(version, resumed)] += numbers[number]
    return +kinds


def _body_sizes(exchanges: ExchangeColumns, good: bytes) -> Sizes:
    sizes = exchanges.body_bytes
    return Sizes(min(compress(sizes, good)), max(compress(sizes, good)))


def _failures(exchanges: ExchangeColumns, sent: bytes) -> dict[Failure, int]:
    counts = Counter(compress(exchanges.failure, sent))
    return {
        failure: counts[number]
        for number, failure in enumerate(exchanges.failures.values)
        if counts[number]
    }


def _status_codes(exchanges: ExchangeColumns, sent: bytes) -> dict[int, int]:
    counts = Counter(compress(exchanges.status, sent))
    return {status: counts[status] for status in sorted(counts) if status}


def _answers(exchanges: ExchangeColumns, sent: bytes) -> dict[Answer, int]:
    counts = Counter(compress(exchanges.answer, sent)).most_common()
    return {exchanges.answers.values[number]: count for number, count in counts if number >= 0}


def _rate(run: Run, sent: bytes) -> float | None:
    """Requests per second of the time in which the arm was running, its blocks added up.

    Those that failed count too, as their time does. Of an open load, a block lasts up to when one
    more request would have started.
    """
    exchanges, rate = run.exchanges, run.plan.experiment.load.rate
    rounds, began_s = pick(exchanges.round, sent), pick(exchanges.began_s, sent)
    ended_s = map(add, began_s, compress(exchanges.latency_s, sent))
    started_s = compress(exchanges.started_s, sent)
    rows: Iterable[tuple[int, float, float]] = zip(rounds, started_s, ended_s, strict=True)
    if any(map(gt, rounds, islice(rounds, 1, None))):
        rows = sorted(rows)
    running_s = fsum(_spans(rows, 1 / rate if rate else 0.0))
    return len(rounds) / running_s if running_s else None


def _spans(rows: Iterable[tuple[int, float, float]], gap_s: float) -> Iterator[float]:
    """From the first beginning to the last end of each round; rows of a round are neighbours.

    At least a gap for each of its requests.
    """
    first = last = 0.0
    current, count = None, 0
    for number, began_s, ended_s in rows:
        if number != current:
            yield max(last - first, count * gap_s)
            current, count, first, last = number, 1, began_s, ended_s
        else:
            first, last, count = min(first, began_s), max(last, ended_s), count + 1
    yield max(last - first, count * gap_s)


def _uncorrected(exchanges: ExchangeColumns, view: ArmView) -> Latency | None:
    if exchanges.queued_s is None:
        return None
    return summed_up(sorted(map(sub, view.latencies, pick(exchanges.queued_s, view.timed))))


def _late_starts(exchanges: ExchangeColumns, sent: bytes) -> LateStarts | None:
    """Requests that had to wait for a thread: failed ones, too."""
    if exchanges.queued_s is None:
        return None
    late = sorted(filter(LATE_S.__le__, compress(exchanges.queued_s, sent)))
    return LateStarts(count=len(late), mean_s=mean(late), max_s=late[-1] if late else None)


def _phases(exchanges: ExchangeColumns, view: ArmView) -> dict[str, PhaseTime]:
    remainders, times, count = view.latencies, {}, len(view.latencies)
    for name, column in {QUEUED: exchanges.queued_s, **exchanges.phases}.items():
        values = array("f") if column is None else pick(column, view.timed)
        times[name] = _phase(values, count)
        if values and times[name].count == len(values):
            remainders = array("d", map(sub, remainders, values))
        elif times[name].count:
            took = (0.0 if isnan(value) else value for value in values)
            remainders = array("d", map(sub, remainders, took))
    return {**times, REMAINDER: _phase(remainders, count)}


def _phase(values: Sequence[float], requests: int) -> PhaseTime:
    """Of a phase that happened to some requests; to the others it is NaN."""
    ordered = sorted(filterfalse(isnan, values))
    return PhaseTime(
        per_request=fsum(ordered) / requests if requests else 0.0,
        count=len(ordered),
        mean=mean(ordered),
        p50=quantile(ordered, 50),
        p95=quantile(ordered, 95),
    )
