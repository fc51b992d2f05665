"""Which value the traffic needs: decided on what was counted, and on intervals."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING

from keepalive_bench.analysis.sweep import Recommendation
from keepalive_bench.units import enumerated, percent, plural, share, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.analysis.sweep import RecommendationCode, SweptValue
    from keepalive_bench.sweep.standing import Case

_SCARCELY = 0.1
"""Of what could be: so little use of used connections says that the server keeps none open."""
_LEAST_VALUES = 2
_MOST_FAILED = 0.05
"""Of a value's requests: where more failed, neither its times nor its counts are the traffic's."""
_NOTABLY = 0.02
"""Of a value's requests: beyond that, what opening connections costs may decide about times."""


def recommend(values: Sequence[SweptValue], case: Case) -> Recommendation:
    """The smallest value that is enough; they are sorted."""
    silent = [it.arm for it in values if not it.summary.succeeded]
    if silent:
        text = f"Nothing was measured with {case.option} {', '.join(silent)}."
        return Recommendation("not-measured", None, None, text)
    sound = [it for it in values if it.summary.failed <= _MOST_FAILED * it.summary.sent]
    left_out = [it.arm for it in values if it not in sound]
    if not sound:
        most = percent(_MOST_FAILED)
        text = f"Too many requests failed: more than {most} with each {case.option}."
        return Recommendation("inconclusive", None, None, text)
    found = _among(sound, case)
    if left_out:
        which = f"{case.option} {', '.join(left_out)}"
        more = f" With {which}, more than {percent(_MOST_FAILED)} of the requests failed: left out."
        found = found._replace(text=f"{found.text}{more}")
    return found


def _among(values: Sequence[SweptValue], case: Case) -> Recommendation:
    """The same, of values whose requests were nearly all answered: an error is no quick answer."""
    if case.option != "maxsize":
        return _by_times(values, case)
    least = 2 * case.threads  # two full bursts
    if min(it.summary.sent for it in values) < least:
        text = (
            "Too few requests: a connection can't be reused before each thread sends a second one. "
            f"Use -n {least} or more."
        )
        return Recommendation("too-few-requests", None, None, text)
    most = values[-1]
    # Had no other value had its turn, what went stale for it would have been used again.
    reuse = (most.summary.reuse or 0.0) + most.by_kab / max(1, most.summary.could_reuse)
    if reuse < _SCARCELY * _most_reuse(most, case):
        which = f"only {share(reuse)} of the requests" if reuse else "no request"
        text = (
            f"No maxsize helps here: even with {most.arm}, {which} that could have reused a "
            "connection did."
        )
        return Recommendation("not-reused", None, None, text)
    found = _waiting(values, case) if case.block else _keeping(values, case)
    return found._replace(text=f"{found.text}{_turns(values)}")


def _most_reuse(it: SweptValue, case: Case) -> float:
    """The share of requests that could reuse a connection and do, where the server keeps all.

    Of a burst's, a pool keeps as many as it has places for.
    """
    is_kept = case.block or case.traffic == "steady"
    return 1.0 if is_kept else min(1.0, it.value / case.threads)


def _by_times(values: Sequence[SweptValue], case: Case) -> Recommendation:
    """What only latencies or rates tell; connections that kab itself let go stale distort them."""
    if any(map(_is_distorted, values)):
        what = "a larger body costs" if case.option == "data-size" else "more threads gain"
        text = f"This run can't show what {what}.{_turns(values)}"
        return Recommendation("inconclusive", None, None, text)
    if len(values) < _LEAST_VALUES:
        text = f"Only {case.option} {values[0].arm} is left, and there is nothing to compare it to."
        return Recommendation("inconclusive", None, None, text)
    if case.option == "data-size":
        return _described(values, case)
    return _fastest(values, case)


def _is_distorted(it: SweptValue) -> bool:
    return it.by_kab > _NOTABLY * it.summary.sent


def _turns(values: Sequence[SweptValue]) -> str:
    """What taking turns did that the traffic doesn't, as a sentence more; nothing if it didn't."""
    count = sum(it.by_kab for it in values)
    if not count:
        return ""
    fewer = " With fewer values, fewer do." if len(values) > _LEAST_VALUES else ""
    return (
        f" {plural(count, 'connection')} went stale only because the values took turns: this "
        f"traffic alone would have reused them.{fewer}"
    )


def _keeping(values: Sequence[SweptValue], case: Case) -> Recommendation:
    """Of pools that open one more when all are busy: the smallest that throws none away.

    That is counted. A larger one does nothing else in such a run, so its latency can't decide.
    """
    number = next((number for number, it in enumerate(values) if not it.discarded), None)
    if number is None:
        most = values[-1]
        text = (
            f"None of these values is enough for {case.who}: with maxsize {most.arm}, the pool "
            f"still discarded {plural(most.discarded, 'connection')}. {most.open_at_once:,} were "
            f"open at once: try --maxsize {most.open_at_once}."
        )
        return Recommendation("none-suffices", None, None, text)
    smaller, enough, larger = values[:number], values[number], values[number + 1 :]
    others = enough.summary.reopened - enough.by_kab
    what = (
        f"discards no connection of {case.who}"
        if enough.summary.reopened
        else f"reuses every connection of {case.who}"
    )
    what = f"{what} ({_none_of(enough, 'discarded', case)})"
    if others:
        what = f"{what}, though {others:,} had to be reopened for other reasons"
    peak = max(it.open_at_once for it in values)
    beyond = _beyond(enough, larger, case)
    if peak < enough.value and all(it.value < peak for it in smaller):
        beyond = f"{beyond}. At most {peak:,} were open at once, so {peak:,} would do"
    unclear = [it for it in smaller if not case.throws_more_away(it, enough, values)]
    return _named("keeps-all", enough, unclear, case, f"{what}; {beyond}")


def _named(
    code: RecommendationCode,
    value: SweptValue,
    unclear: Sequence[SweptValue],
    case: Case,
    what: str,
) -> Recommendation:
    """A value that is enough: the smallest that is, unless that isn't shown of smaller ones."""
    if not unclear:
        text = f"{case.option} {value.arm} is the smallest that {what}."
        return Recommendation(code, value.value, value.value, text)
    which = enumerated([it.arm for it in unclear])
    is_too = "are" if len(unclear) > 1 else "is"
    text = (
        f"{case.option} {value.arm} is enough: it {what}. "
        f"These requests don't show whether {which} {is_too}."
    )
    return Recommendation(code, value.value, unclear[0].value, text)


def _none_of(value: SweptValue, did: str, case: Case) -> str:
    """That something never happened, and how often it may all the same."""
    sent = value.summary.sent
    bound = f"under {_at_most(case.rate_bound(sent))} at {percent(case.confidence)} confidence"
    return f"0 of {sent:,} {did}: {bound}"


def _at_most(share: float) -> str:
    """In per cent, with two significant digits, rounded up."""
    scale = 10 ** (1 - floor(log10(100 * share)))
    return f"{ceil(100 * share * scale - 1e-9) / scale:,.10g} %"


def _beyond(enough: SweptValue, larger: Sequence[SweptValue], case: Case) -> str:
    if not larger:
        return "no larger one was tried"
    if all(case.is_same(enough, it) for it in larger):
        return "a larger one changes nothing"
    if any(it.discarded for it in larger):
        return "that a larger one discarded some was chance"
    return (
        "a larger one discards none either, but the requests are too few to show that latencies "
        f"are the same within {percent(case.margin)}"
    )


def _waiting(values: Sequence[SweptValue], case: Case) -> Recommendation:
    """Of pools that make threads wait: the smallest with which that costs nothing.

    Either nobody waited, which is counted; or latencies are known not to be longer than with any
    larger value, which must not be short of connections itself.
    """
    most = values[-1]
    if most.waited:
        text = (
            f"None of these values is known to be enough for {case.who}: with maxsize {most.arm}, "
            f"{plural(most.waited, 'request')} still waited for a connection. "
            f"Try --maxsize {case.threads}."
        )
        return Recommendation("none-suffices", None, None, text)
    number, enough = next(
        (number, it)
        for number, it in enumerate(values)
        if not it.waited or _is_as_fast(it, values[number:], case)
    )
    larger = values[number + 1 :]
    unclear = [
        it
        for place, it in enumerate(values[:number])
        if any(map(_is_distorted, values[place:])) or not case.is_worse(it, values[place + 1 :])
    ]
    if enough.waited:
        lost = case.lost(enough, larger) or 0.0
        within = f", within {_at_most(lost)}" if lost else ""
        what = (
            f"is as fast for {case.who} as a larger one{within}, though "
            f"{plural(enough.waited, 'request')} waited for a connection"
        )
        return _named("fast-enough", enough, unclear, case, what)
    what = (
        f"makes no request of {case.who} wait for a connection "
        f"({_none_of(enough, 'waited', case)}); {_beyond(enough, larger, case)}"
    )
    return _named("none-waits", enough, unclear, case, what)


def _is_as_fast(value: SweptValue, up: Sequence[SweptValue], case: Case) -> bool:
    """Whether a value is shown to be as fast as all larger ones; `up`: it and those."""
    return not any(map(_is_distorted, up)) and case.is_enough(value, up[1:])


def _fastest(values: Sequence[SweptValue], case: Case) -> Recommendation:
    """The smallest concurrency that makes as many requests per second as any other."""

    def others(value: SweptValue) -> list[SweptValue]:
        return [it for it in values if it is not value]

    enough = next((it for it in values if case.is_enough(it, others(it))), None)
    if enough is None:
        text = "Too few requests to show which concurrency makes the most requests/s: send more."
        return Recommendation("inconclusive", None, None, text)
    smaller = [it for it in values if it.value < enough.value]
    unclear = [it for it in smaller if not case.is_worse(it, others(it))]
    lost = case.lost(enough, others(enough)) or 0.0
    within = f", within {_at_most(lost)}" if lost else ""
    if enough is values[-1] and not unclear:
        text = (
            f"{case.option} {enough.arm} makes the most requests/s of these values{within}; a "
            "larger one may make more."
        )
        return Recommendation("fastest", enough.value, enough.value, text)
    more = "; a larger one may make more" if enough is values[-1] else ""
    what = f"makes as many requests/s as any other{within}{more}"
    return _named("fastest", enough, unclear, case, what)


def _described(values: Sequence[SweptValue], case: Case) -> Recommendation:
    """What the largest body costs: there is none to recommend."""
    least, most = values[0], values[-1]
    ratio, low, high = case.effect(least, most, case.confidence)
    if ratio is None or low is None or high is None:
        text = "Too few requests to show what a larger body costs: send more (-n)."
        return Recommendation("inconclusive", None, None, text)
    small, large = (f"{it.arm} B" if it.arm.isdigit() else it.arm for it in (least, most))
    ends, subject = f"{times(low)}–{times(high)}", f"A request with a body of {large}"
    if case.is_same(least, most):
        within = f"within {percent(case.margin)} ({ends})"
        text = f"{subject} takes as long as one of {small}, {within}."
        return Recommendation("described", None, None, text)
    if low <= 1 <= high:
        text = (
            f"{subject} may or may not take longer than one of {small} ({ends}): send more "
            "requests (-n)."
        )
        return Recommendation("inconclusive", None, None, text)
    text = f"{subject} takes {times(ratio)} ({ends}) as long as one of {small}."
    return Recommendation("described", None, None, text)
