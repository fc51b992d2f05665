"""What the rules say of generated histories, held against the truth."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from support.histories.causes import history_of
from support.histories.known import known_rows
from support.histories.seen import seen_by

from keepalive_bench.analysis.reasons import History as Before
from keepalive_bench.analysis.reasons import Reason, Reasons

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from support.histories.truth import Truth
    from support.histories.world import History

    from keepalive_bench.plan.arms import Arm

Verdict = Literal["right", "unknown", "wrong"]


class Judged(NamedTuple):
    """What was said of one connection."""

    before: int
    """The row of the one whose place it took: it is that one's end that is told."""
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


def judged(history: History, arm: Arm) -> Iterator[Judged]:
    """What is said of each connection of an arm that took another's place."""
    run = history.run
    known = known_rows(seen_by(run, arm), history.ended)
    reasons = Reasons(Before(run), arm, run.connections.of_arm(arm.label))
    for reason in reasons.values():
        before = reason.previous
        if before is not None:
            why = history.ended[before]
            yield Judged(before, _verdict(reason, why), reason, why, before in known)


def _all_of(history: History) -> Iterator[Judged]:
    for arm in history.run.plan.experiment.arms:
        if not arm.is_single_use:
            yield from judged(history, arm)


def _verdict(said: Reason, true: Truth) -> Verdict:
    if said.code in true.right:
        return "right"
    fits = {it.strip() for it in str(said.evidence.get("fits", "")).split(",")}
    return "unknown" if said.code in true.vague or fits & true.right else "wrong"


def score(cause: str, seeds: Iterable[int]) -> Score:
    """How often they are right about it."""
    each = [(seed, it) for seed in seeds for it in _all_of(history_of(cause, seed))]
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
