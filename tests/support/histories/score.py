"""What the rules say of generated histories, held against the truth."""

from __future__ import annotations

from collections import Counter
from statistics import mean
from typing import TYPE_CHECKING, Literal, NamedTuple

from support.histories.causes import history_of
from support.histories.known import known_rows
from support.histories.seen import seen_by

from keepalive_bench.analysis.history import History as Before
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
    wrong_in: Counter[int]
    """By seed: how many."""
    unknown_in: Counter[int]

    @property
    def wrong_share(self) -> float:
        """Of all."""
        return self.wrong / (self.connections or 1)

    @property
    def unknown_share(self) -> float:
        """Of those that the client can know."""
        return self.unknown / (self.known or 1)


class Shares(NamedTuple):
    """Means over causes, each of which weighs the same, however many connections it costs."""

    wrong: float
    unknown: float
    """Of those that the client can know."""
    known: float


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


def all_judged(history: History) -> Iterator[Judged]:
    """The same of all arms that reuse connections."""
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
    each = [(seed, it) for seed in seeds for it in all_judged(history_of(cause, seed))]
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
        wrong_in=wrong,
        unknown_in=unknown,
    )


def shares(scores: Sequence[Score]) -> Shares:
    """How often they are wrong about causes, and don't name what the client can know."""
    met = [it for it in scores if it.connections]
    return Shares(
        wrong=mean(it.wrong_share for it in met),
        unknown=mean(it.unknown_share for it in met),
        known=mean(it.known / it.connections for it in met),
    )


def table(scores: Sequence[Score]) -> str:
    """A line for each cause, and what they come to."""
    heads = "connections", "right", "wrong", "can know", "unknown"
    lines = [f"{'':36}" + "".join(f"{it:>12}" for it in heads) + "  said instead; where"]
    for it in scores:
        numbers = it.connections, it.right, it.wrong, it.known, it.unknown
        said = ", ".join(f"{code} {number}" for code, number in it.instead.most_common(4))
        where = _seeds("wrong", it.wrong_in) + _seeds("unknown", it.unknown_in)
        lines.append(f"{it.cause:36}" + "".join(f"{it:12}" for it in numbers) + f"  {said}{where}")
    wrong, unknown, known = shares(scores)
    lines.append(f"mean of causes: {wrong:.3%} wrong, {unknown:.2%} unknown of {known:.0%} known")
    return "\n".join(lines)


def _seeds(title: str, counts: Counter[int]) -> str:
    worst = " ".join(str(seed) for seed, _ in counts.most_common(4))
    return f"; {title} in seed {worst}" if worst else ""
