"""Which value the traffic needs: decided on what was counted, and on intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.sweep import Recommendation
from keepalive_bench.units import plural, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.stats.intervals import Estimate
    from keepalive_bench.sweep.value_results import Case, Effect, ValueResult

_SCARCELY = 0.1
"""Of what could be: so little use of used connections says that the server keeps none open."""
_LEAST_VALUES = 2
_MOST_FAILED = 0.05
"""Of a value's requests: where more failed, neither its times nor its counts are the traffic's."""
_NOTABLY = 0.02
"""Of a value's requests: beyond that, what opening connections costs may decide about times."""


def recommend(results: Sequence[ValueResult], case: Case, effect: Effect) -> Recommendation:
    """The smallest value that is enough; `results` are sorted by their values."""
    silent = [it.label for it in results if not it.answered]
    if silent:
        return Recommendation(
            "not-measured", None, f"Nothing was measured with {case.option} {', '.join(silent)}."
        )
    sound = [it for it in results if it.sent - it.answered <= _MOST_FAILED * it.sent]
    left_out = [it.label for it in results if it not in sound]
    if not sound:
        text = f"Too many requests failed: more than {_MOST_FAILED:.0%} with each {case.option}."
        return Recommendation("inconclusive", None, text)
    found = _among(sound, case, effect)
    if left_out:
        which = f"{case.option} {', '.join(left_out)}"
        more = f" More than {_MOST_FAILED:.0%} of the requests failed with {which}: left out here."
        found = found._replace(text=f"{found.text}{more}")
    return found


def _among(results: Sequence[ValueResult], case: Case, effect: Effect) -> Recommendation:
    """The same, of values whose requests were nearly all answered: an error is no quick answer."""
    if case.option != "maxsize":
        return _by_times(results, case, effect)
    if min(it.sent for it in results) < case.least:
        return Recommendation(
            "too-few-requests",
            None,
            "So few requests don't tell: before each thread has sent "
            f"a second one (-n {case.least:,} at least), nothing can be used again.",
        )
    if results[-1].reuse_alone < _SCARCELY * case.most_reuse(results[-1]):
        return Recommendation(
            "not-reused",
            None,
            f"No maxsize helps here: even with {results[-1].label}, only "
            f"{100 * results[-1].reuse_alone:.0f} % of the requests travelled on a connection that "
            "had been used before.",
        )
    found = _waiting(results, case, effect) if case.block else _keeping(results, case, effect)
    return found._replace(text=f"{found.text}{_turns(results)}")


def _by_times(results: Sequence[ValueResult], case: Case, effect: Effect) -> Recommendation:
    """What only latencies or rates tell; connections that kab itself let go stale distort them."""
    if any(_is_distorted(it) for it in results):
        what = "a larger body costs" if case.option == "data-size" else "more threads bring"
        text = f"What {what} can't be told here.{_turns(results)}"
        return Recommendation("inconclusive", None, text)
    if len(results) < _LEAST_VALUES:
        text = (
            f"Only {case.option} {results[0].label} was answered, and with nothing to compare it."
        )
        return Recommendation("inconclusive", None, text)
    return (
        _described(results, effect)
        if case.option == "data-size"
        else _fastest(results, case, effect)
    )


def _is_distorted(it: ValueResult) -> bool:
    return it.by_kab > _NOTABLY * it.sent


def _turns(results: Sequence[ValueResult]) -> str:
    """What taking turns did that the traffic doesn't, as a sentence more; nothing if it didn't."""
    count = sum(it.by_kab for it in results)
    if not count:
        return ""
    fewer = "; with fewer values, fewer do" if len(results) > _LEAST_VALUES else ""
    return (
        f" Only because kab gave the values their turns, {plural(count, 'connection')} went stale "
        f"that this traffic alone would have used again{fewer}."
    )


def _keeping(results: Sequence[ValueResult], case: Case, effect: Effect) -> Recommendation:
    """Of pools that open one more when all are busy: the smallest that throws none away.

    That is counted. A larger one does nothing else in such a run, so its latency can't decide.
    """
    enough = next((it for it in results if not it.discarded), None)
    if enough is None:
        most = results[-1]
        return Recommendation(
            "none-suffices",
            None,
            f"None of these is enough for {case.who}: maxsize {most.label} still threw "
            f"{plural(most.discarded, 'connection')} away. {most.open_at_once:,} were open at "
            f"once: try --maxsize {most.open_at_once}.",
        )
    others = enough.reopened - enough.by_kab
    what = (
        f"reuses every connection of {case.who}"
        if not enough.reopened
        else f"throws no connection of {case.who} away"
    )
    if others:
        what = f"{what}, though {others:,} had to be opened again for other reasons"
    beyond = _beyond(enough, results, case, effect)
    text = f"maxsize {enough.label} is the smallest that {what}; {beyond}"
    smaller = [it.value for it in results if it.value < enough.value]
    peak = max(it.open_at_once for it in results)
    if peak < enough.value and max(smaller, default=0) < peak:
        text = f"{text}. Never more than {peak:,} were open at once, so that {peak:,} would do"
    return Recommendation("keeps-all", enough.value, f"{text}.")


def _beyond(
    enough: ValueResult,
    results: Sequence[ValueResult],
    case: Case,
    effect: Effect,
) -> str:
    larger = [it for it in results if it.value > enough.value]
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


def _waiting(results: Sequence[ValueResult], case: Case, effect: Effect) -> Recommendation:
    """Of pools that make threads wait: the smallest with which that costs nothing.

    Either nobody waited, which is counted; or latencies are known not to be longer than with any
    larger value, which must not be short of connections itself.
    """
    most = results[-1]
    if most.waited:
        return Recommendation(
            "none-suffices",
            None,
            f"None of these is known to be enough for {case.who}: with maxsize {most.label}, "
            f"{plural(most.waited, 'request')} still waited for a connection. "
            f"Try --maxsize {case.threads}.",
        )
    for number, it in enumerate(results):
        if not it.waited:
            text = (
                f"maxsize {it.label} is the smallest with which no request of {case.who} waits "
                f"for a connection; {_beyond(it, results, case, effect)}."
            )
            return Recommendation("none-waits", it.value, text)
        larger = results[number + 1 :]
        if any(_is_distorted(other) for other in (it, *larger)):
            continue
        if all(_is_no_worse(effect(it, other), case.margin) for other in larger):
            text = (
                f"maxsize {it.label} is the smallest with which {case.who} are as fast as with a "
                f"larger one, within {100 * case.margin:g} %, though "
                f"{plural(it.waited, 'request')} waited for a connection."
            )
            return Recommendation("fast-enough", it.value, text)
    raise AssertionError("nobody waited with the largest value")


def _fastest(results: Sequence[ValueResult], case: Case, effect: Effect) -> Recommendation:
    """The smallest concurrency that makes as many requests per second as any other."""
    for it in results:
        others = [other for other in results if other is not it]
        if all(_is_no_worse(effect(it, other), case.margin) for other in others):
            beyond = (
                "no larger one was tried."
                if it is results[-1]
                else f"a larger one adds nothing beyond {100 * case.margin:g} %."
            )
            text = f"concurrency {it.label} is the smallest with the most requests/s; {beyond}"
            return Recommendation("fastest", it.value, text)
    text = (
        "These requests don't show which concurrency makes the most requests/s: more of them would."
    )
    return Recommendation("inconclusive", None, text)


def _described(results: Sequence[ValueResult], effect: Effect) -> Recommendation:
    """What the largest body costs: there is none to recommend."""
    least, most = results[0], results[-1]
    ratio, low, high = effect(least, most)
    if ratio is None or low is None or high is None:
        text = "These requests don't show what a larger body costs: more of them (-n) would."
        return Recommendation("inconclusive", None, text)
    text = (
        f"A request with a body of {_sized(most)} takes {times(ratio)} "
        f"({times(low)}–{times(high)}) as long as one with a body of {_sized(least)}."
    )
    return Recommendation("described", None, text)


def _sized(it: ValueResult) -> str:
    return f"{it.label} B" if it.label.isdigit() else it.label


def _is_same(effect: Estimate, margin: float) -> bool:
    _, low, high = effect
    return low is not None and high is not None and 1 / (1 + margin) <= low <= high <= 1 + margin


def _is_no_worse(effect: Estimate, margin: float) -> bool:
    return effect.low is not None and effect.low >= 1 / (1 + margin)
