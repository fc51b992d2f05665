"""Whether the later run is better or worse: one sentence, and what it rests on.

What is counted goes first: where requests began to fail, or connections to be reopened, a run is
worse whatever its latency. The latency that decides is one figure, named beforehand: the typical
one (p50) of the first-named arm. More figures would find more changes that are none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, get_args

from keepalive_bench.analysis.required_requests import required_requests
from keepalive_bench.analysis.verdict import ERROR_FROM
from keepalive_bench.compare.change import ChangeCode, ChangeVerdict
from keepalive_bench.compare.estimates import Occurrences, ratio, trend
from keepalive_bench.connections.reason_kinds import POOL_FULL
from keepalive_bench.units import enumerated, signed_share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis.arms import ArmSummary
    from keepalive_bench.compare.change import ArmChange, Difference
    from keepalive_bench.stats.intervals import Estimate

SAME_RUN = ChangeVerdict("no-difference", "Both files hold the same run, so nothing changed.")
CODES: tuple[ChangeCode, ...] = get_args(ChangeCode)
_DECIDING = "p50"
_BESIDES = ("p50", "p95")
_TRENDS: dict[int, ChangeCode] = {1: "worse", -1: "better"}


class Terms(NamedTuple):
    """What it takes for a change to be called one."""

    confidence: float
    margin: float
    least: int
    """Requests of each run, by which a median can be bounded."""


def incomparable(
    arms: Sequence[ArmChange], differences: Sequence[Difference], terms: Terms, *, forced: bool
) -> str | None:
    """Why nothing is known of a change, without its full stop; `None`: it can be.

    `forced` compares runs, too, that differ in what matters.
    """
    if not arms:
        return "The runs have no arm in common"
    in_the_way = _in_the_way(differences)
    if in_the_way and not forced:
        return f"The runs can't be compared: {in_the_way}; --force compares them all the same"
    first = arms[0]
    if (first.base.succeeded and first.new.succeeded) or any(
        said for arm in arms for said in _counted(arm, terms.confidence)
    ):
        return None
    return f"Nothing was measured of {first.label} in {'NEW' if first.base.succeeded else 'BASE'}"


def verdict(
    arms: Sequence[ArmChange], differences: Sequence[Difference], terms: Terms
) -> ChangeVerdict:
    """What changed between runs that can be compared."""
    in_the_way = _in_the_way(differences)
    counted = [said for arm in arms for said in _counted(arm, terms.confidence)]
    latency = _latency(arms[0], terms)
    found = [*counted, latency]
    codes = {said.code for said in found}
    code = next((it for it in ("worse", "better") if it in codes), latency.code)
    found.sort(key=lambda said: ("worse", "better").index(said.code) if said in counted else 1)
    texts = [said.text for said in found]
    if in_the_way:
        texts.insert(0, f"Though {in_the_way}:")
    return ChangeVerdict(code, " ".join([*texts, *_besides(arms, latency, terms)]))


def _in_the_way(differences: Sequence[Difference]) -> str:
    """What of the differences matters, as the end of a sentence; empty where nothing does."""
    plans = [it.name for it in differences if it.matters and it.part == "plan"]
    answers = [it.name for it in differences if it.matters and it.part == "answers"]
    parts = [f"their plans differ in {enumerated(plans)}"] if plans else []
    if answers:
        parts.append(f"they were answered differently ({enumerated(answers)})")
    return ", and ".join(parts)


def _counted(arm: ArmChange, confidence: float) -> Iterator[ChangeVerdict]:
    """What happens more, or less, often; it should never happen at all."""
    base, new = arm.base, arm.new
    for words, count in (
        ("{} of {} requests of {} failed", lambda it: _share(it.failed, it.sent)),
        ("{} of {} answers to {} were errors", _errors),
        ("for {} of {} requests of {} a connection was reopened", _reopened),
    ):
        before, after = count(base), count(new)
        found = trend(before, after, confidence)
        if found:
            said = words.format(f"{after.hits:,}", f"{after.chances:,}", arm.label)
            was = f"in BASE {before.hits:,} of {before.chances:,}"
            yield ChangeVerdict(_TRENDS[found], f"{said[0].upper()}{said[1:]}, {was}.")


def _share(hits: int, chances: int) -> Occurrences:
    return Occurrences(hits, max(hits, chances))


def _errors(arm: ArmSummary) -> Occurrences:
    codes = arm.status_codes
    errors = sum(count for status, count in codes.items() if status >= ERROR_FROM)
    return _share(errors, sum(codes.values()))


def _reopened(arm: ArmSummary) -> Occurrences:
    """Of a pool that keeps connections; but for what only kab's other arm, or its own size, does.

    How often a pool throws connections away that it has no place for is a matter of chance.
    """
    own = len(arm.reasons.caused_by_interleaving) + arm.reason_counts.get(POOL_FULL.code, 0)
    return _share(max(arm.reopened - own, 0) if arm.traits.reuses else 0, arm.sent)


def _latency(arm: ArmChange, terms: Terms) -> ChangeVerdict:
    change = arm.figures[_DECIDING].change
    subject = f"A typical request of {arm.label} ({_DECIDING})"
    if change.estimate is None or change.low is None or change.high is None:
        least = f"it takes {terms.least:,} in each run at the least, and more for a small change"
        return ChangeVerdict("inconclusive", f"{arm.label} has too few answers to tell: {least}.")
    ends = f"{signed_share(change.low)} to {signed_share(change.high)}"
    shown = f"{100 * terms.confidence:g} % interval {ends}"
    code = _status(change, terms.margin)
    if code == "no-difference":
        text = (
            f"{subject} takes as long as in BASE, within {100 * terms.margin:g} %: "
            f"{signed_share(change.estimate)} ({shown})."
        )
    elif code == "inconclusive":
        requests = min(arm.base.sent, arm.new.sent)
        enough = required_requests(requests, ratio(change), terms.margin)
        text = (
            f"{subject} may have changed, or may not: {signed_share(change.estimate)} ({shown}). "
            f"About {enough:,} requests per arm in each run would settle it."
        )
    else:
        way = "longer" if code == "worse" else "less time"
        text = (
            f"{subject} takes {signed_share(abs(change.estimate)).lstrip('+')} {way} than in BASE "
            f"({shown})."
        )
    return ChangeVerdict(code, text)


def _status(change: Estimate, margin: float) -> ChangeCode:
    """The same rule as for a speed-up within one run."""
    whole = ratio(change)
    if whole.low is None or whole.high is None:
        return "inconclusive"
    if whole.high <= 1 + margin and whole.low >= 1 / (1 + margin):
        return "no-difference"
    return "worse" if whole.low > 1 else "better" if whole.high < 1 else "inconclusive"


def _besides(arms: Sequence[ArmChange], latency: ChangeVerdict, terms: Terms) -> Iterator[str]:
    """Other latencies that changed by more than the margin, all of their interval."""
    told = {arms[0].label: latency.code}
    found = []
    for arm in arms:
        for metric in _BESIDES:
            change = arm.figures[metric].change
            code = _beyond(change, terms.margin)
            if change.estimate is None or code is None or told.get(arm.label) == code:
                continue
            if arm is not arms[0] or metric != _DECIDING:
                told[arm.label] = code
                found.append(f"{arm.label} {metric} {signed_share(change.estimate)}")
    if found:
        yield f"Changed besides: {enumerated(found)}."


def _beyond(change: Estimate, margin: float) -> ChangeCode | None:
    if change.low is None or change.high is None:
        return None
    if change.low > margin:
        return "worse"
    return "better" if 1 + change.high < 1 / (1 + margin) else None
