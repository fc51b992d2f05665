"""One history in detail: what was recorded of each connection, what is true, and what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.histories.score import judged
from support.histories.seen import seen_by

if TYPE_CHECKING:
    from support.histories.score import Judged
    from support.histories.seen import End, Seen, Span
    from support.histories.world import History


def detail(history: History) -> str:
    """Lines of text; times in seconds."""
    run = history.run
    plan, load = run.plan.experiment, run.plan.experiment.load
    least, most = load.think_s
    asked = (
        f"{plan.requests} requests in each of {len(plan.arms)} arms, {plan.concurrency} at a time"
    )
    lines = [f"{asked}, pauses of {least:.3f} to {most:.3f}, {load.traffic}"]
    for arm in plan.arms:
        if not arm.is_single_use:
            seen = seen_by(run, arm)
            lines.append(_common(seen))
            ends = {it.row: it for it in seen.ends}
            lines += [_line(ends[it.before], it) for it in judged(history, arm)]
    return "\n".join(lines)


def _common(seen: Seen) -> str:
    return (
        f"{len(seen.survived_s)} pauses survived, the longest {max(seen.survived_s, default=0):.3f}"
        f"; {seen.most_served} served at most; "
        f"of fresh connections {seen.fresh} answered, {seen.fresh_died} died"
    )


def _line(end: End, it: Judged) -> str:
    return (
        f"{end.row:5} {end.how:9} {end.failure or '':22} served {end.served:3}, "
        f"idle {end.idle_s:7.3f}, closed after {_span(end.after)}, aged {_span(end.age)}: "
        f"{it.verdict}{'' if it.can_know else ' (nobody can know)'}: "
        f"{'/'.join(sorted(it.true.right))}, said {it.said.code}"
    )


def _span(span: Span) -> str:
    return f"{span.least:.3f} to {span.most:.3f}"
