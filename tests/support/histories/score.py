"""What the rules say of generated histories, held against the truth."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from support.histories.draw import history_of
from support.histories.known import known_rows, seen_by

from keepalive_bench.analysis.reasons import History as Before
from keepalive_bench.analysis.reasons import Reason, Reasons
from keepalive_bench.results.table import NONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from support.histories.truth import Truth
    from support.histories.world import History

Verdict = Literal["right", "unknown", "wrong"]


class Judged(NamedTuple):
    """What was said of one connection."""

    row: int
    verdict: Verdict
    said: Reason
    true: Truth
    can_know: bool
    """Whether the client can know it."""


class Score(NamedTuple):
    """How often the rules were right about a cause."""

    cause: str
    connections: int
    right: int
    wrong: int
    known: int
    """Of how many the client can know."""
    unknown: int
    """Of those, how many aren't named."""
    instead: Counter[str]
    """What they said, where that wasn't right."""
    worst: Counter[int]
    """Seeds, by how many of their connections are wrong, or unknown though the client can know."""


def judged(history: History) -> Iterator[Judged]:
    """What is said of each connection that took another's place, in arms that reuse."""
    run, before = history.run, Before(history.run)
    for arm in run.plan.experiment.arms:
        if arm.is_single_use:
            continue
        reasons = Reasons(before, arm, run.connections.of_arm(arm.label))
        known = known_rows(seen_by(run, arm), history.ended)
        for row, reason in reasons.items():
            if reason.previous is None:
                continue
            why = history.ended[reason.previous]
            yield Judged(row, _verdict(reason, why), reason, why, reason.previous in known)


def _verdict(said: Reason, true: Truth) -> Verdict:
    if said.code in true.right:
        return "right"
    fits = {it.strip() for it in str(said.evidence.get("fits", "")).split(",")}
    return "unknown" if said.code in true.vague or fits & true.right else "wrong"


def score(cause: str, seeds: Iterable[int]) -> Score:
    """How often they are right about it."""
    each = [(seed, it) for seed in seeds for it in judged(history_of(cause, seed))]
    wrong = Counter(seed for seed, it in each if it.verdict == "wrong")
    unknown = Counter(seed for seed, it in each if it.verdict == "unknown" and it.can_know)
    return Score(
        cause,
        len(each),
        right=sum(it.verdict == "right" for _, it in each),
        wrong=wrong.total(),
        known=sum(it.can_know for _, it in each),
        unknown=unknown.total(),
        instead=Counter(it.said.code for _, it in each if it.verdict != "right"),
        worst=wrong + unknown,
    )


def table(scores: Sequence[Score]) -> str:
    """A line for each cause, and one for all."""
    heads = "connections", "right", "wrong", "can know", "unknown"
    lines = [f"{'':36}" + "".join(f"{it:>12}" for it in heads) + "  said instead; worst seeds"]
    for it in scores:
        said = ", ".join(f"{code} {number}" for code, number in it.instead.most_common(4))
        seeds = " ".join(str(seed) for seed, _ in it.worst.most_common(4))
        numbers = it.connections, it.right, it.wrong, it.known, it.unknown
        lines.append(_line(it.cause, numbers) + f"  {said}" + (f"; {seeds}" if seeds else ""))
    sums = (
        sum(it.connections for it in scores),
        sum(it.right for it in scores),
        sum(it.wrong for it in scores),
        sum(it.known for it in scores),
        sum(it.unknown for it in scores),
    )
    return "\n".join([*lines, _line("all", sums)])


def _line(title: str, numbers: Iterable[int]) -> str:
    return f"{title:36}" + "".join(f"{it:12}" for it in numbers)


def shown(history: History) -> str:
    """A history's connections one by one: what was recorded, what is true, and what was said."""
    run, lines = history.run, []
    plan, load = run.plan.experiment, run.plan.experiment.load
    lines.append(
        f"{plan.requests} requests, {plan.concurrency} at a time, pauses {load.think_s} s "
        f"({load.traffic}), {len(plan.arms)} arms, proxy {run.plan.network.proxy is not None}"
    )
    for arm in plan.arms:
        if arm.is_single_use:
            continue
        seen = seen_by(run, arm)
        lines.append(
            f"pauses survived: {len(seen.survived_s)}, the longest {max(seen.survived_s, default=0):.3f} s; "
            f"most served {seen.most_served}; fresh ones: {seen.fresh} answered, {seen.fresh_died} died"
        )
        ends = {it.row: it for it in seen.ends}
        for it in judged(history):
            end = ends[it.said.previous if it.said.previous is not None else NONE]
            lines.append(
                f"{end.row:4} {end.how:9} {end.failure or '':22} served {end.served:3} "
                f"idle {end.idle_s:8.3f} closed after {end.after.least:.3f} to {end.after.most:.3f} "
                f"aged {end.age.least:.3f} to {end.age.most:.3f}: {it.verdict} "
                f"{'' if it.can_know else '(can not know) '}{'/'.join(sorted(it.true.right))}"
                f" <- {it.said.code}"
            )
    return "\n".join(lines)
