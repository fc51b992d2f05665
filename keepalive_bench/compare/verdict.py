"""Whether the later run is better or worse: one sentence, and what it rests on.

What is counted goes first: where requests began to fail, or connections to be reopened, a run is
worse whatever its latency. The latency that decides is one figure, named beforehand: the typical
one (p50) of the first-named arm. More figures would find more changes that are none.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple, get_args

from keepalive_bench.analysis.required_requests import least_requests, required_requests
from keepalive_bench.analysis.verdict import ERROR_FROM
from keepalive_bench.compare.change import ChangeCode, ChangeVerdict
from keepalive_bench.connections.reason_kinds import POOL_FULL
from keepalive_bench.stats.between_runs import LEAST_RUNS
from keepalive_bench.stats.distributions import hypergeometric_tail
from keepalive_bench.units import enumerated, signed_share

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.compare.change import ArmChange, Difference, FigureChange
    from keepalive_bench.plan.plan import DecisionRule, Plan

CODES: tuple[ChangeCode, ...] = get_args(ChangeCode)
_BESIDES = ("p50", "p95")
_LIKELY = 0.5


class Occurrences(NamedTuple):
    """How often something happened, of how many times it could."""

    hits: int
    chances: int


def why_incomparable(
    arms: Sequence[ArmChange],
    differences: Sequence[Difference],
    rule: DecisionRule,
    *,
    forced: bool,
) -> str | None:
    """Why nothing is known of a change, as a sentence without its full stop; `None`: it is.

    `forced` compares runs, too, that differ in what matters.
    """
    if not arms:
        return "The runs have no arm in common"
    obstacle = in_the_way(differences)
    if obstacle and not forced:
        return f"The runs can't be compared: {obstacle}; --force compares them all the same"
    first = arms[0]
    before = all(it.succeeded for it in first.bases)
    if (before and first.new.succeeded) or _all_counted(arms, rule):
        return None
    return f"Nothing was measured of {first.label} in {'NEW' if before else 'BASE'}"


def change_verdict(
    plans: Sequence[Plan], arms: Sequence[ArmChange], differences: Sequence[Difference]
) -> ChangeVerdict:
    """What changed, by the later plan's rule, of runs that can be compared."""
    obstacle, rule = in_the_way(differences), plans[-1].decision_rule
    counted, latency = _all_counted(arms, rule), _latency(arms[0], plans)
    counted.sort(key=lambda said: said.code, reverse=True)  # what is worse comes first
    found = [*counted, latency]
    code = next((said.code for said in found if said.code in {"worse", "better"}), latency.code)
    texts = [f"Though {obstacle}:"] if obstacle else []
    texts += [said.text for said in found]
    return ChangeVerdict(code, " ".join([*texts, *_besides(arms, latency, rule)]))


def in_the_way(differences: Sequence[Difference]) -> str:
    """What of the differences matters, as the end of a sentence; empty where nothing does."""
    plans = [it.name for it in differences if it.matters and it.part == "plan"]
    answers = [it.name for it in differences if it.matters and it.part == "answers"]
    parts = [f"their plans differ in {enumerated(plans)}"] if plans else []
    if answers:
        parts.append(f"they were answered differently ({enumerated(answers)})")
    return ", and ".join(parts)


def _all_counted(arms: Sequence[ArmChange], rule: DecisionRule) -> list[ChangeVerdict]:
    return [said for arm in arms for said in _counted(arm, rule.confidence)]


def _counted(arm: ArmChange, confidence: float) -> Iterator[ChangeVerdict]:
    """What happens more, or less, often; it should never happen at all."""
    for words, count in (
        ("{} of {} requests of {} failed", _failed),
        ("{} of {} answers to {} were errors", _errors),
        ("For {} of {} requests of {} a connection was reopened", _reopened),
    ):
        before, after = _pooled(map(count, arm.bases)), count(arm.new)
        found = trend(before, after, confidence)
        if found:
            said = words.format(f"{after.hits:,}", f"{after.chances:,}", arm.label)
            was = f"in BASE {before.hits:,} of {before.chances:,}"
            yield ChangeVerdict("worse" if found > 0 else "better", f"{said}, {was}.")


def _pooled(found: Iterable[Occurrences]) -> Occurrences:
    """Those of all base runs together: each has shown what happens as often."""
    hits, chances = zip(*found, strict=True)
    return Occurrences(sum(hits), sum(chances))


def _failed(arm: ArmSummary) -> Occurrences:
    return Occurrences(arm.failed, arm.sent)


def _errors(arm: ArmSummary) -> Occurrences:
    codes = arm.status_codes
    errors = sum(count for status, count in codes.items() if status >= ERROR_FROM)
    return Occurrences(errors, sum(codes.values()))


def _reopened(arm: ArmSummary) -> Occurrences:
    """Of a pool that keeps connections; but for what only kab's other arm, or its own size, does.

    How often a pool throws connections away that it has no place for is a matter of chance.
    """
    own = len(arm.reasons.caused_by_interleaving) + arm.reason_counts.get(POOL_FULL.code, 0)
    hits = max(arm.reopened - own, 0) if arm.traits.reuses else 0
    return Occurrences(hits, max(hits, arm.sent))


def trend(base: Occurrences, new: Occurrences, confidence: float) -> int:
    """1: it happens more often in the new run, -1: less often; 0: that can't be told.

    Where one of them has none at all, it began, or ended: provided that, as often as in the other
    one, it would more likely than not have been seen there. (A connection that is closed after
    1,000 requests shows in a run of 2,000 and not in one of 50.) Else by Fisher's exact test.
    """
    if not base.chances or not new.chances:
        return 0
    if new.hits * base.chances < base.hits * new.chances:
        return -trend(new, base, confidence)
    if base.hits:
        hits, chances = base.hits + new.hits, base.chances + new.chances
        by_chance = hypergeometric_tail(new.hits, new.chances, hits, chances)
        return 1 if by_chance <= (1 - confidence) / 2 else 0
    unseen = (1 - new.hits / new.chances) ** base.chances
    return 1 if new.hits and unseen <= _LIKELY else 0


def _latency(arm: ArmChange, plans: Sequence[Plan]) -> ChangeVerdict:
    """What the typical request says, by the same rule as a speed-up within one run."""
    figure, rule, runs = arm.figures["latency_s.p50"], plans[-1].decision_rule, len(arm.bases)
    if figure.change is None or figure.low is None or figure.high is None:
        least = max(least_requests("p50", plan) or 0 for plan in plans)
        text = (
            f"{arm.label} has too few answers to tell: it takes {least:,} in each run at the "
            "least, and more for a small change."
        )
        return ChangeVerdict("inconclusive", text)
    subject, change = f"A typical request of {arm.label} (p50)", signed_share(figure.change)
    than = "in BASE" if runs == 1 else f"in {runs} BASE runs"
    ends = f"{signed_share(figure.low)} to {signed_share(figure.high)}"
    holds = "with" if runs >= LEAST_RUNS else "without"
    shown = f"{100 * rule.confidence:g} % interval {ends}, {holds} variation between runs"
    low, high, margin = 1 + figure.low, 1 + figure.high, 1 + rule.margin
    if 1 / margin <= low and high <= margin:
        within = f"within {100 * rule.margin:g} %"
        text = f"{subject} takes as long as {than}, {within}: {change} ({shown})."
        return ChangeVerdict("no-difference", text)
    if low <= 1 <= high:
        text = f"{subject} may have changed, or may not: {change} ({shown})."
        return ChangeVerdict("inconclusive", f"{text} {_settling(arm, figure, rule)}")
    code: ChangeCode = "worse" if low > 1 else "better"
    way = "longer" if code == "worse" else "less time"
    by = signed_share(abs(figure.change)).lstrip("+")
    return ChangeVerdict(code, f"{subject} takes {by} {way} than {than} ({shown}).")


def _settling(arm: ArmChange, figure: FigureChange, rule: DecisionRule) -> str:
    """What would make the interval narrow enough."""
    if len(arm.bases) >= LEAST_RUNS:
        return "More BASE runs, or longer ones, narrow the interval."
    requests = min(it.sent for it in (*arm.bases, arm.new))
    enough = required_requests(requests, figure.ratio, rule)
    return f"About {enough:,} requests per arm in each run would settle it."


def _besides(
    arms: Sequence[ArmChange], latency: ChangeVerdict, rule: DecisionRule
) -> Iterator[str]:
    """Other latencies that changed by more than the margin, all of their interval."""
    told = {arms[0].label: latency.code}
    found = []
    for arm, name in list(product(arms, _BESIDES))[1:]:  # the first is the one that decides
        figure = arm.figures[f"latency_s.{name}"]
        code = _beyond(figure, rule.margin)
        if code is not None and told.get(arm.label) != code:
            told[arm.label] = code
            found.append(f"{arm.label} {name} {signed_share(figure.change)}")
    if found:
        yield f"Changed besides: {enumerated(found)}."


def _beyond(figure: FigureChange, margin: float) -> ChangeCode | None:
    if figure.low is None or figure.high is None:
        return None
    if figure.low > margin:
        return "worse"
    return "better" if 1 + figure.high < 1 / (1 + margin) else None
