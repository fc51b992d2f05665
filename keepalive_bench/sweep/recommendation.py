"""Which value the traffic needs: decided on what was counted, and on intervals."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING

from keepalive_bench.analysis.sweep import Recommendation
from keepalive_bench.units import enumerated, percent, plural, share, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.analysis.sweep import RecommendationCode, SweptValue
    from keepalive_bench.sweep.criteria import Criteria

_SCARCELY = 0.1
"""Of what could be: so little use of used connections says that the server keeps none open."""
_LEAST_VALUES = 2
_MOST_FAILED = 0.05
"""Of a value's requests: where more failed, neither its times nor its counts are the traffic's."""
_NOTABLY = 0.02
"""Of a value's requests: beyond that, what opening connections costs may decide about times."""


def recommend(values: Sequence[SweptValue], criteria: Criteria) -> Recommendation:
    """The smallest value that is enough; they are sorted."""
    silent = [it.arm for it in values if not it.summary.succeeded]
    if silent:
        text = f"Nothing was measured with {criteria.option} {', '.join(silent)}."
        return Recommendation("not-measured", None, None, text)
    sound = [it for it in values if it.summary.failed <= _MOST_FAILED * it.summary.sent]
    left_out = [it.arm for it in values if it not in sound]
    if not sound:
        most = percent(_MOST_FAILED)
        text = f"Too many requests failed: more than {most} with each {criteria.option}."
        return Recommendation("inconclusive", None, None, text)
    found = _among(sound, criteria)
    if left_out:
        which = f"{criteria.option} {', '.join(left_out)}"
        more = f" With {which}, more than {percent(_MOST_FAILED)} of the requests failed: left out."
        found = found._replace(text=f"{found.text}{more}")
    return found


def _among(values: Sequence[SweptValue], criteria: Criteria) -> Recommendation:
    """The same, of values whose requests were nearly all answered: an error is no quick answer."""
    if criteria.option != "maxsize":
        return _by_times(values, criteria)
    least = 2 * criteria.threads  # two full bursts
    if min(it.summary.sent for it in values) < least:
        text = (
            "Too few requests: a connection can't be reused before each thread sends a second one. "
            f"Use -n {least} or more."
        )
        return Recommendation("too-few-requests", None, None, text)
    most = values[-1]
    # Had no other value had its turn, what went stale for it would have been used again.
    reuse = (most.summary.reuse or 0.0) + most.by_kab / max(1, most.summary.could_reuse)
    if reuse < _SCARCELY * _most_reuse(most, criteria):
        which = f"only {share(reuse)} of the requests" if reuse else "no request"
        text = (
            f"No maxsize helps here: even with {most.arm}, {which} that could have reused a "
            "connection did."
        )
        return Recommendation("not-reused", None, None, text)
    found = _waiting(values, criteria) if criteria.block else _keeping(values, criteria)
    return found._replace(text=f"{found.text}{_turns(values)}")


def _most_reuse(it: SweptValue, criteria: Criteria) -> float:
    """The share of requests that could reuse a connection and do, where the server keeps all.

    Of a burst's, a pool keeps as many as it has places for.
    """
    is_kept = criteria.block or criteria.traffic == "steady"
    return 1.0 if is_kept else min(1.0, it.value / criteria.threads)


def _by_times(values: Sequence[SweptValue], criteria: Criteria) -> Recommendation:
    """What only latencies or rates tell; connections that kab itself let go stale distort them."""
    if any(map(_is_distorted, values)):
        what = "a larger body costs" if criteria.option == "data-size" else "more threads gain"
        text = f"This run can't show what {what}.{_turns(values)}"
        return Recommendation("inconclusive", None, None, text)
    if len(values) < _LEAST_VALUES:
        only = f"{criteria.option} {values[0].arm}"
        text = f"Only {only} is left, and there is nothing to compare it to."
        return Recommendation("inconclusive", None, None, text)
    if criteria.option == "data-size":
        return _described(values, criteria)
    return _fastest(values, criteria)


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


def _keeping(values: Sequence[SweptValue], criteria: Criteria) -> Recommendation:
    """Of pools that open one more when all are busy: the smallest that throws none away.

    That is counted. A larger one does nothing else in such a run, so its latency can't decide.
    """
    number = next((number for number, it in enumerate(values) if not it.discarded), None)
    if number is None:
        most = values[-1]
        text = (
            f"None of these values is enough for {criteria.who}: with maxsize {most.arm}, the pool "
            f"still discarded {plural(most.discarded, 'connection')}. {most.open_at_once:,} were "
            f"open at once: try --maxsize {most.open_at_once}."
        )
        return Recommendation("none-suffices", None, None, text)
    smaller, enough, larger = values[:number], values[number], values[number + 1 :]
    others = enough.summary.reopened - enough.by_kab
    what = (
        f"discards no connection of {criteria.who}"
        if enough.summary.reopened
        else f"reuses every connection of {criteria.who}"
    )
    what = f"{what} ({_none_of(enough, 'discarded', criteria)})"
    if others:
        what = f"{what}, though {others:,} had to be reopened for other reasons"
    peak = max(it.open_at_once for it in values)
    beyond = _beyond(enough, larger, criteria)
    if peak < enough.value and all(it.value < peak for it in smaller):
        beyond = f"{beyond}. At most {peak:,} were open at once, so {peak:,} would do"
    unclear = [it for it in smaller if not criteria.throws_more_away(it, enough, values)]
    return _named("keeps-all", enough, unclear, criteria, f"{what}; {beyond}")


def _named(
    code: RecommendationCode,
    value: SweptValue,
    unclear: Sequence[SweptValue],
    criteria: Criteria,
    what: str,
) -> Recommendation:
    """A value that is enough: the smallest that is, unless that isn't shown of smaller ones."""
    if not unclear:
        text = f"{criteria.option} {value.arm} is the smallest that {what}."
        return Recommendation(code, value.value, value.value, text)
    which = enumerated([it.arm for it in unclear])
    is_too = "are" if len(unclear) > 1 else "is"
    text = (
        f"{criteria.option} {value.arm} is enough: it {what}. "
        f"These requests don't show whether {which} {is_too}."
    )
    return Recommendation(code, value.value, unclear[0].value, text)


def _none_of(value: SweptValue, did: str, criteria: Criteria) -> str:
    """That something never happened, and how often it may all the same."""
    sent = value.summary.sent
    bound = (
        f"under {_at_most(criteria.rate_bound(sent))} at {percent(criteria.confidence)} confidence"
    )
    return f"0 of {sent:,} {did}: {bound}"


def _at_most(share: float) -> str:
    """In per cent, with two significant digits, rounded up."""
    scale = 10 ** (1 - floor(log10(100 * share)))
    return f"{ceil(100 * share * scale - 1e-9) / scale:,.10g} %"


def _beyond(enough: SweptValue, larger: Sequence[SweptValue], criteria: Criteria) -> str:
    if not larger:
        return "no larger one was tried"
    if all(criteria.is_same(enough, it) for it in larger):
        return "a larger one changes nothing"
    if any(it.discarded for it in larger):
        return "that a larger one discarded some was chance"
    return (
        "a larger one discards none either, but the requests are too few to show that latencies "
        f"are the same within {percent(criteria.margin)}"
    )


def _waiting(values: Sequence[SweptValue], criteria: Criteria) -> Recommendation:
    """Of pools that make threads wait: the smallest with which that costs nothing.

    Either nobody waited, which is counted; or latencies are known not to be longer than with any
    larger value, which must not be short of connections itself.
    """
    most = values[-1]
    if most.waited:
        text = (
            f"None of these values is known to be enough for {criteria.who}: with maxsize "
            f"{most.arm}, {plural(most.waited, 'request')} still waited for a connection. "
            f"Try --maxsize {criteria.threads}."
        )
        return Recommendation("none-suffices", None, None, text)
    number, enough = next(
        (number, it)
        for number, it in enumerate(values)
        if not it.waited or _is_as_fast(it, values[number:], criteria)
    )
    larger = values[number + 1 :]
    unclear = [
        it
        for place, it in enumerate(values[:number])
        if any(map(_is_distorted, values[place:])) or not criteria.is_worse(it, values[place + 1 :])
    ]
    if enough.waited:
        lost = criteria.lost(enough, larger) or 0.0
        within = f", within {_at_most(lost)}" if lost else ""
        what = (
            f"is as fast for {criteria.who} as a larger one{within}, though "
            f"{plural(enough.waited, 'request')} waited for a connection"
        )
        return _named("fast-enough", enough, unclear, criteria, what)
    what = (
        f"makes no request of {criteria.who} wait for a connection "
        f"({_none_of(enough, 'waited', criteria)}); {_beyond(enough, larger, criteria)}"
    )
    return _named("none-waits", enough, unclear, criteria, what)


def _is_as_fast(value: SweptValue, up: Sequence[SweptValue], criteria: Criteria) -> bool:
    """Whether a value is shown to be as fast as all larger ones; `up`: it and those."""
    return not any(map(_is_distorted, up)) and criteria.is_enough(value, up[1:])


def _fastest(values: Sequence[SweptValue], criteria: Criteria) -> Recommendation:
    """The smallest concurrency that makes as many requests per second as any other."""

    def others(value: SweptValue) -> list[SweptValue]:
        return [it for it in values if it is not value]

    enough = next((it for it in values if criteria.is_enough(it, others(it))), None)
    if enough is None:
        text = "Too few requests to show which concurrency makes the most requests/s: send more."
        return Recommendation("inconclusive", None, None, text)
    smaller = [it for it in values if it.value < enough.value]
    unclear = [it for it in smaller if not criteria.is_worse(it, others(it))]
    lost = criteria.lost(enough, others(enough)) or 0.0
    within = f", within {_at_most(lost)}" if lost else ""
    if enough is values[-1] and not unclear:
        text = (
            f"{criteria.option} {enough.arm} makes the most requests/s of these values{within}; a "
            "larger one may make more."
        )
        return Recommendation("fastest", enough.value, enough.value, text)
    more = "; a larger one may make more" if enough is values[-1] else ""
    what = f"makes as many requests/s as any other{within}{more}"
    return _named("fastest", enough, unclear, criteria, what)


def _described(values: Sequence[SweptValue], criteria: Criteria) -> Recommendation:
    """What the largest body costs: there is none to recommend."""
    least, most = values[0], values[-1]
    ratio, low, high = criteria.effect(least, most, criteria.confidence)
    if ratio is None or low is None or high is None:
        text = "Too few requests to show what a larger body costs: send more (-n)."
        return Recommendation("inconclusive", None, None, text)
    small, large = (f"{it.arm} B" if it.arm.isdigit() else it.arm for it in (least, most))
    ends, subject = f"{times(low)}–{times(high)}", f"A request with a body of {large}"
    if criteria.is_same(least, most):
        within = f"within {percent(criteria.margin)} ({ends})"
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
