"""Whether the later run is better or worse: one sentence, and what it rests on.

What is counted goes first: where requests began to fail, or connections to be reopened, and it is
no chance, a run is worse whatever its latency; what may be chance is said, and leaves the code to
the latency. The latency that decides is one figure, named beforehand: the typical one (p50) of the
first-named arm. More figures would find more changes that are none. It errs towards `worse` as
often as half of an interval's doubt, and so do all counts together (`counts.py`).
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, get_args

from keepalive_bench.analysis.required_requests import least_requests, required_requests
from keepalive_bench.compare.change import ChangeCode, ChangeVerdict
from keepalive_bench.compare.counts import count_verdicts
from keepalive_bench.stats.between_runs import LEAST_RUNS
from keepalive_bench.units import enumerated, percent, signed_share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.compare.change import ArmChange, ComparisonChange, Difference, FigureChange
    from keepalive_bench.plan.plan import DecisionRule, Plan

CODES: tuple[ChangeCode, ...] = get_args(ChangeCode)
_FIRST: tuple[ChangeCode, ...] = ("worse", "better")
"""What decides goes before what doesn't, and what is worse before all."""
_RATIOS_IN_WORDS = {
    "mean_ratio": "the speed-up (all requests)",
    "speedup": "the speed-up (reused connections)",
}
_BESIDES = ("p50", "p95")


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
        return f"The runs can't be compared: {obstacle}; --force compares them anyway"
    first = arms[0]
    before, after = all(it.succeeded for it in first.bases), first.new.succeeded
    if (before and after) or count_verdicts(arms, rule.confidence).decided:
        return None
    return f"Nothing was measured for {first.label} in {'NEW' if before else 'BASE'}"


def change_verdict(
    plans: Sequence[Plan],
    arms: Sequence[ArmChange],
    comparisons: Sequence[ComparisonChange],
    differences: Sequence[Difference],
) -> ChangeVerdict:
    """What changed, by the later plan's rule, of runs that can be compared."""
    obstacle, rule = in_the_way(differences), plans[-1].decision_rule
    counted, latency = count_verdicts(arms, rule.confidence), _latency(arms[0], plans)
    found = sorted((*counted.decided, latency), key=lambda said: said.code != "worse")
    codes = {said.code for said in found}
    code = next((it for it in _FIRST if it in codes), latency.code)
    texts = [f"Compared although {obstacle}."] if obstacle else []
    texts += [*(said.text for said in found), *counted.uncertain]
    return ChangeVerdict(code, " ".join([*texts, *_besides(arms, comparisons, latency, rule)]))


def in_the_way(differences: Sequence[Difference]) -> str:
    """What of the differences matters, as the end of a sentence; empty where nothing does."""
    plans = [it.name for it in differences if it.matters and it.part == "plan"]
    answers = [it.name for it in differences if it.matters and it.part == "answers"]
    parts = [f"their plans differ in {enumerated(plans)}"] if plans else []
    if answers:
        parts.append(f"their responses differ ({enumerated(answers)})")
    return ", and ".join(parts)


def _latency(arm: ArmChange, plans: Sequence[Plan]) -> ChangeVerdict:
    """What the typical request says, by the same rule as a speed-up within one run."""
    figure, rule, runs = arm.figures["latency_s.p50"], plans[-1].decision_rule, len(arm.bases)
    if figure.change is None or figure.low is None or figure.high is None:
        least = max(least_requests("p50", plan) or 0 for plan in plans)
        text = (
            f"{arm.label} has too few responses to tell: it needs at least {least:,} in each run, "
            "and more for a small change."
        )
        return ChangeVerdict("inconclusive", text)
    subject, change = f"A typical request of {arm.label} (p50)", signed_share(figure.change)
    than = "in BASE" if runs == 1 else f"in the {runs} BASE runs"
    ends = f"{signed_share(figure.low)} to {signed_share(figure.high)}"
    held = "" if runs >= LEAST_RUNS else "not "
    shown = f"{percent(rule.confidence)} CI {ends}, variation between runs {held}included"
    low, high, margin = 1 + figure.low, 1 + figure.high, 1 + rule.margin
    if 1 / margin <= low and high <= margin:
        within = f"within {percent(rule.margin)}"
        text = f"{subject} takes as long as {than}, {within}: {change} ({shown})."
        return ChangeVerdict("no-difference", text)
    if low <= 1 <= high:
        text = f"{subject} may or may not have changed: {change} ({shown})."
        return ChangeVerdict("inconclusive", f"{text} {_what_would_do(arm, figure, rule)}")
    code: ChangeCode = "worse" if low > 1 else "better"
    way = "longer" if code == "worse" else "less time"
    by = signed_share(abs(figure.change)).lstrip("+")
    return ChangeVerdict(code, f"{subject} takes {by} {way} than {than} ({shown}).")


def _what_would_do(arm: ArmChange, figure: FigureChange, rule: DecisionRule) -> str:
    """What would make the interval narrow enough."""
    if len(arm.bases) >= LEAST_RUNS:
        return "More BASE runs, or longer ones, narrow the interval."
    requests = min(it.sent for it in (*arm.bases, arm.new))
    enough = required_requests(requests, figure.ratio, rule)
    return f"About {enough:,} requests per arm in each run would settle it."


def _besides(
    arms: Sequence[ArmChange],
    comparisons: Sequence[ComparisonChange],
    latency: ChangeVerdict,
    rule: DecisionRule,
) -> Iterator[str]:
    """Other latencies, and speed-ups, whose whole interval lies beyond the margin."""
    told = {arms[0].label: latency.code}
    worse, found = list[str](), list[str]()
    for arm, name in list(product(arms, _BESIDES))[1:]:  # the first is the one that decides
        figure = arm.figures[f"latency_s.{name}"]
        code = _beyond(figure, rule.margin)
        if code is not None and told.get(arm.label) != code:
            told[arm.label] = code
            said = f"{arm.label} {name} {signed_share(figure.change)}"
            (worse if code == "worse" else found).append(said)
    for it in comparisons:
        for path, said in _RATIOS_IN_WORDS.items():
            figure = getattr(it, path)
            if _beyond(figure, rule.margin) is not None:
                against = f" against {it.against}" if len(comparisons) > 1 else ""
                found.append(f"{said}{against} {signed_share(figure.change)}")
    if worse or found:
        yield f"Also changed: {enumerated([*worse, *found])}."


def _beyond(figure: FigureChange, margin: float) -> ChangeCode | None:
    if figure.low is None or figure.high is None:
        return None
    if figure.low > margin:
        return "worse"
    return "better" if 1 + figure.high < 1 / (1 + margin) else None
