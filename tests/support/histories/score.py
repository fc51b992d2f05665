"""What the rules say of generated histories, held against the truth."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from support.histories.draw import history_of

from keepalive_bench.analysis.reasons import History as Before
from keepalive_bench.analysis.reasons import Reason, Reasons

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from support.histories.truth import Truth
    from support.histories.world import History

Verdict = Literal["right", "unknown", "excused", "wrong"]


class Judged(NamedTuple):
    """What was said of one connection."""

    row: int
    verdict: Verdict
    said: Reason
    true: Truth


class Score(NamedTuple):
    """How often the rules were right about a cause."""

    cause: str
    verdicts: Counter[Verdict]
    codes: Counter[str]
    """What they said, where that wasn't right."""
    wrong_seeds: Counter[int]
    unknown_seeds: Counter[int]


def judged(history: History) -> Iterator[Judged]:
    """What is said of each connection that took another's place, in arms that reuse."""
    run, before = history.run, Before(history.run)
    for arm in run.plan.experiment.arms:
        if arm.is_single_use:
            continue
        reasons = Reasons(before, arm, run.connections.of_arm(arm.label))
        for row, reason in reasons.items():
            if reason.previous is not None:
                why = history.ended[reason.previous]
                yield Judged(row, _verdict(reason, why), reason, why)


def _verdict(said: Reason, true: Truth) -> Verdict:
    if said.code in true.right:
        return "right"
    fits = {it.strip() for it in str(said.evidence.get("fits", "")).split(",")}
    return "unknown" if said.code in true.vague or fits & true.right else "wrong"


def score(cause: str, seeds: Iterable[int]) -> Score:
    """How often they are right about it."""
    result = Score(cause, Counter(), Counter(), Counter(), Counter())
    for seed in seeds:
        history = history_of(cause, seed)
        for it in judged(history):
            result.verdicts[it.verdict] += 1
            if it.verdict != "right":
                result.codes[f"{it.said.code}"] += 1
            if it.verdict == "wrong":
                result.wrong_seeds[seed] += 1
            elif it.verdict == "unknown":
                result.unknown_seeds[seed] += 1
    return result


def table(scores: Iterable[Score]) -> str:
    """A line for each cause, and one for all."""
    lines = [
        f"{'cause':36} {'conns':>7} {'right':>7} {'unkn.':>7} {'excus.':>7} {'wrong':>7}  said instead"
    ]
    total: Counter[Verdict] = Counter()
    for it in scores:
        total.update(it.verdicts)
        lines.append(_line(it.cause, it.verdicts) + "  " + _listed(it.codes))
    return "\n".join([*lines, _line("all", total)])


def _line(cause: str, verdicts: Counter[Verdict]) -> str:
    cells = [verdicts[it] for it in ("right", "unknown", "excused", "wrong")]
    return f"{cause:36} {sum(cells):7} " + " ".join(f"{it:7}" for it in cells)


def _listed(codes: Counter[str]) -> str:
    return ", ".join(f"{code} {number}" for code, number in codes.most_common(4))
