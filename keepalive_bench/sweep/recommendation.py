"""Which value the traffic needs: decided on what was counted, and on intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from keepalive_bench.analysis.sweep import Recommendation
from keepalive_bench.units import plural, times

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keepalive_bench.analysis.sweep import SweptValue
    from keepalive_bench.plan.experiment import Swept
    from keepalive_bench.plan.load import Traffic
    from keepalive_bench.stats.intervals import Estimate

    Effect = Callable[[SweptValue, SweptValue], Estimate]
    """How many times better one value is than another: shorter latency, or more requests/s."""

_SCARCELY = 0.1
"""Of what could be: so little use of used connections says that the server keeps none open."""
_LEAST_VALUES = 2
_MOST_FAILED = 0.05
"""Of a value's requests: where more failed, neither its times nor its counts are the traffic's."""
_NOTABLY = 0.02
"""Of a value's requests: beyond that, what opening connections costs may decide about times."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What was asked."""

    option: Swept
    traffic: Traffic
    threads: int
    block: bool
    margin: float

    @property
    def who(self) -> str:
        """Whose traffic it is."""
        how = "in bursts" if self.traffic == "bursts" else "that never pause"
        return f"{plural(self.threads, 'thread')} {how}"


def recommend(values: Sequence[SweptValue], case: Case, effect: Effect) -> Recommendation:
    """The smallest value that is enough; they are sorted."""
    silent = [it.arm for it in values if not it.summary.succeeded]
    if silent:
        text = f"Nothing was measured with {case.option} {', '.join(silent)}."
        return Recommendation("not-measured", None, text)
    sound = [it for it in values if it.summary.failed <= _MOST_FAILED * it.summary.sent]
    left_out = [it.arm for it in values if it not in sound]
    if not sound:
        text = f"Too many requests failed: more than {_MOST_FAILED:.0%} with each {case.option}."
        return Recommendation("inconclusive", None, text)
    found = _among(sound, case, effect)
    if left_out:
        which = f"{case.option} {', '.join(left_out)}"
        more = f" More than {_MOST_FAILED:.0%} of the requests failed with {which}: left out here."
        found = found._replace(text=f"{found.text}{more}")
    return found


def _among(values: Sequence[SweptValue], case: Case, effect: Effect) -> Recommendation:
    """The same, of values whose requests were nearly all answered: an error is no quick answer."""
    if case.option != "maxsize":
        return _by_times(values, case, effect)
    least = 2 * case.threads  # two full bursts
    if min(it.summary.sent for it in values) < least:
        text = (
            "So few requests don't tell: before each thread has sent "
            f"a second one (-n {least:,} at least), nothing can be used again."
        )
        return Recommendation("too-few-requests", None, text)
    most = values[-1]
    # Had no other value had its turn, what went stale for it would have been used again.
    reuse = (most.summary.reuse or 0.0) + most.by_kab / max(1, most.summary.could_reuse)
    if reuse < _SCARCELY * _most_reuse(most, case):
        text = (
            f"No maxsize helps here: even with {most.arm}, only {100 * reuse:.0f} % of the "
            "requests that could have reused a connection did."
        )
        return Recommendation("not-reused", None, text)
    found = _waiting(values, case, effect) if case.block else _keeping(values, case, effect)
    return found._replace(text=f"{found.text}{_turns(values)}")


def _most_reuse(it: SweptValue, case: Case) -> float:
    """The share of requests that could reuse a connection and do, where the server keeps all.

    Of a burst's, a pool keeps as many as it has places for.
    """
    is_kept = case.block or case.traffic == "steady"
    return 1.0 if is_kept else min(1.0, it.value / case.threads)


def _by_times(values: Sequence[SweptValue], case: Case, effect: Effect) -> Recommendation:
    """What only latencies or rates tell; connections that kab itself let go stale distort them."""
    if any(map(_is_distorted, values)):
        what = "a larger body costs" if case.option == "data-size" else "more threads bring"
        text = f"What {what} can't be told here.{_turns(values)}"
        return Recommendation("inconclusive", None, text)
    if len(values) < _LEAST_VALUES:
        text = f"Only {case.option} {values[0].arm} was answered, and with nothing to compare it."
        return Recommendation("inconclusive", None, text)
    if case.option == "data-size":
        return _described(values, effect)
    return _fastest(values, case, effect)


def _is_distorted(it: SweptValue) -> bool:
    return it.by_kab > _NOTABLY * it.summary.sent


def _turns(values: Sequence[SweptValue]) -> str:
    """What taking turns did that the traffic doesn't, as a sentence more; nothing if it didn't."""
    count = sum(it.by_kab for it in values)
    if not count:
        return ""
    fewer = "; with fewer values, fewer do" if len(values) > _LEAST_VALUES else ""
    return (
        f" Only because kab gave the values their turns, {plural(count, 'connection')} went stale "
        f"that this traffic alone would have used again{fewer}."
    )


def _keeping(values: Sequence[SweptValue], case: Case, effect: Effect) -> Recommendation:
    """Of pools that open one more when all are busy: the smallest that throws none away.

    That is counted. A larger one does nothing else in such a run, so its latency can't decide.
    """
    number = next((number for number, it in enumerate(values) if not it.discarded), None)
    if number is None:
        most = values[-1]
        text = (
            f"None of these is enough for {case.who}: maxsize {most.arm} still threw "
            f"{plural(most.discarded, 'connection')} away. {most.open_at_once:,} were open at "
            f"once: try --maxsize {most.open_at_once}."
        )
        return Recommendation("none-suffices", None, text)
    smaller, enough, larger = values[:number], values[number], values[number + 1 :]
    others = enough.summary.reopened - enough.by_kab
    what = (
        f"throws no connection of {case.who} away"
        if enough.summary.reopened
        else f"reuses every connection of {case.who}"
    )
    if others:
        what = f"{what}, though {others:,} had to be opened again for other reasons"
    beyond = _beyond(enough, larger, case, effect)
    text = f"maxsize {enough.arm} is the smallest that {what}; {beyond}"
    peak = max(it.open_at_once for it in values)
    if peak < enough.value and all(it.value < peak for it in smaller):
        text = f"{text}. Never more than {peak:,} were open at once, so that {peak:,} would do"
    return Recommendation("keeps-all", enough.value, f"{text}.")


def _beyond(enough: SweptValue, larger: Sequence[SweptValue], case: Case, effect: Effect) -> str:
    if not larger:
        return "no larger one was tried"
    if all(_is_same(effect(enough, it), case.margin) for it in larger):
        return "a larger one changes nothing"
    if any(it.discarded for it in larger):
        return "that a larger one threw some away was chance"
    return (
        "a larger one did nothing else, though so few requests don't show that latencies are the "
        f"same within {100 * case.margin:g} %"
    )


def _waiting(values: Sequence[SweptValue], case: Case, effect: Effect) -> Recommendation:
    """Of pools that make threads wait: the smallest with which that costs nothing.

    Either nobody waited, which is counted; or latencies are known not to be longer than with any
    larger value, which must not be short of connections itself.
    """
    most = values[-1]
    if most.waited:
        text = (
            f"None of these is known to be enough for {case.who}: with maxsize {most.arm}, "
            f"{plural(most.waited, 'request')} still waited for a connection. "
            f"Try --maxsize {case.threads}."
        )
        return Recommendation("none-suffices", None, text)
    for number, it in enumerate(values):
        larger = values[number + 1 :]
        if not it.waited:
            text = (
                f"maxsize {it.arm} is the smallest with which no request of {case.who} waits "
                f"for a connection; {_beyond(it, larger, case, effect)}."
            )
            return Recommendation("none-waits", it.value, text)
        if any(map(_is_distorted, values[number:])):
            continue
        if all(_is_no_worse(effect(it, other), case.margin) for other in larger):
            text = (
                f"maxsize {it.arm} is the smallest with which {case.who} are as fast as with a "
                f"larger one, within {100 * case.margin:g} %, though "
                f"{plural(it.waited, 'request')} waited for a connection."
            )
            return Recommendation("fast-enough", it.value, text)
    raise AssertionError("nobody waited with the largest value")


def _fastest(values: Sequence[SweptValue], case: Case, effect: Effect) -> Recommendation:
    """The smallest concurrency that makes as many requests per second as any other."""
    for it in values:
        others = [other for other in values if other is not it]
        if all(_is_no_worse(effect(it, other), case.margin) for other in others):
            beyond = (
                "no larger one was tried."
                if it is values[-1]
                else f"a larger one adds nothing beyond {100 * case.margin:g} %."
            )
            text = f"concurrency {it.arm} is the smallest with the most requests/s; {beyond}"
            return Recommendation("fastest", it.value, text)
    text = (
        "These requests don't show which concurrency makes the most requests/s: more of them would."
    )
    return Recommendation("inconclusive", None, text)


def _described(values: Sequence[SweptValue], effect: Effect) -> Recommendation:
    """What the largest body costs: there is none to recommend."""
    least, most = values[0], values[-1]
    ratio, low, high = effect(least, most)
    if ratio is None or low is None or high is None:
        text = "These requests don't show what a larger body costs: more of them (-n) would."
        return Recommendation("inconclusive", None, text)
    small, large = (f"{it.arm} B" if it.arm.isdigit() else it.arm for it in (least, most))
    text = (
        f"A request with a body of {large} takes {times(ratio)} ({times(low)}–{times(high)}) as "
        f"long as one with a body of {small}."
    )
    return Recommendation("described", None, text)


def _is_same(effect: Estimate, margin: float) -> bool:
    _, low, high = effect
    return low is not None and high is not None and 1 / (1 + margin) <= low <= high <= 1 + margin


def _is_no_worse(effect: Estimate, margin: float) -> bool:
    return effect.low is not None and effect.low >= 1 / (1 + margin)
