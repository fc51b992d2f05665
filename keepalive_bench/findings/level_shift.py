"""A level that shifts in one arm: at which request, and what else changed there."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Hashable
from functools import partial
from itertools import compress
from typing import TYPE_CHECKING, TypeVar

from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.results.table import NONE
from keepalive_bench.units import duration, enumerated, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.analysis.shift import Shift
    from keepalive_bench.results.columns import ExchangeColumns
    from keepalive_bench.results.run import Run

_Seen = TypeVar("_Seen", bound=Hashable)
_MOST = 0.8
"""Of an arm's requests before a shift, and of those after it, what is called theirs."""

LEVEL_SHIFT = FindingKind(
    code="level-shift",
    title="The latency of one arm shifted",
    who="path",
    evidence=("arm", "against", "index", "before_s", "after_s", "changed"),
    proof="From one request on (`index`), the ratio of the arms is on another level, by more than "
    "chance and autocorrelation explain (`before_s` and `after_s`: the arm's medians). If the "
    "requests before and after would give different verdicts, the verdict is `inconclusive`.",
    text="From request {index} on, {arm} took {after_s} instead of {before_s}, while {against} "
    "took {held} (medians){there}.",
    advice="Find out what happened then, or measure again: the figures mix both levels.",
    cases={
        "gradual": Case(
            text="The latency of {arm} {moved} during the run, from {before_s} before request "
            "{index} to {after_s} after it, while {against} took {held} (medians){there}.",
            advice="The arms drifted apart: their figures are averages over that time.",
        )
    },
    clauses={"there": "; {changed} changed, too"},
    is_in_sweeps=False,
    provoked=Provoked(test="tests/findings/test_level_shift.py"),
)


def level_shift_findings(
    run: Run,
    views: Mapping[str, ArmView],
    arms: Sequence[ArmSummary],
    comparisons: Sequence[Comparison],
) -> Iterator[Finding]:
    """Each arm's once: of three arms, the first-named one's shift is in two comparisons.

    A sweep's values are held against each other otherwise.
    """
    if run.plan.experiment.sweep is not None:
        return
    shifts = {it.shift.arm: it for it in reversed(comparisons) if it.shift is not None}
    for label, comparison in shifts.items():
        if comparison.shift is not None:
            arm = next(it for it in arms if it.label == label)
            yield _finding(run, views[label], arm, comparison, comparison.shift)


def _finding(
    run: Run, view: ArmView, arm: ArmSummary, comparison: Comparison, shift: Shift
) -> Finding:
    other = comparison.against if shift.arm == comparison.arm else comparison.arm
    own, its = shift.levels[shift.arm], shift.levels[other]
    before_s, after_s = duration(its.before_s), duration(its.after_s)
    changed = enumerated(seen) if (seen := [*_changed(run, view, arm, shift)]) else None
    return LEVEL_SHIFT.found(
        arm,
        against=other,
        index=shift.index,
        before_s=own.before_s,
        after_s=own.after_s,
        changed=changed,
        case="gradual" if shift.is_gradual else None,
        clauses=["there"] if changed else [],
        words={
            "held": f"{after_s} as before"
            if before_s == after_s
            else f"{after_s} instead of {before_s}",
            "moved": "rose" if own.change > 0 else "fell",
        },
    )


def _changed(run: Run, view: ArmView, arm: ArmSummary, shift: Shift) -> Iterator[str]:
    """What nearly all of the arm's requests have otherwise after the shift than before it."""
    indexes, connections = run.exchanges.index, run.exchanges.connection
    before, after = array("I"), array("I")
    for row in compress(range(len(indexes)), view.succeeded):
        (before if indexes[row] < shift.index else after).append(row)
    left, taken = (_typical(rows, connections.__getitem__) for rows in (before, after))
    if NONE != left != taken and taken is not None and taken in arm.reasons:
        first = min(indexes[row] for row in (*before, *after) if connections[row] == taken)
        yield f"its connection (new from request {first} on: {arm.reasons[taken].code})"
    for name, of in _features(run):
        old, new = (_typical(rows, of) for rows in (before, after))
        if None not in {old, new} and old != new:
            yield f"its {name} ({printable(f'{old}')}, then {printable(f'{new}')})"


def _features(run: Run) -> Iterator[tuple[str, Callable[[int], int | str | None]]]:
    """What an exchange has, by its row in the table; and what that is called."""
    exchanges, connections = run.exchanges, run.connections

    def address(row: int) -> str | None:
        its = exchanges.connection[row]
        return None if its == NONE else connections.peers.values[connections.peer[its]]

    def server(row: int) -> str | None:
        answer = exchanges.answers.value(exchanges.answer[row])
        return None if answer is None else answer.server

    yield "address", address
    yield "Server", server
    yield "status", exchanges.status.__getitem__
    yield "size in bytes", exchanges.body_bytes.__getitem__
    for place, name in enumerate(run.plan.request.count_by):
        yield name, partial(_counted, exchanges, place)


def _counted(exchanges: ExchangeColumns, place: int, row: int) -> str | None:
    """What an answer says in one of the fields that answers are counted by."""
    if exchanges.counted is None or exchanges.counted[row] == NONE:
        return None
    said = exchanges.counted_values.values[exchanges.counted[row]]
    return said[place] if said else None


def _typical(rows: Sequence[int], of: Callable[[int], _Seen]) -> _Seen | None:
    """What nearly all rows have; `None`: they differ."""
    ((value, count),) = Counter(map(of, rows)).most_common(1)
    return value if count >= _MOST * len(rows) else None
