"""What `kab explain` says of the numbers that other commands than `kab run` tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.program_reasons import PROGRAM_REASONS
from keepalive_bench.connections.reason_kinds import REASON_KINDS
from keepalive_bench.report.explanation import Explanation, Section
from keepalive_bench.report.explanations import EXAMPLES, plain
from keepalive_bench.requirements.names import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.requirements.names import Scope


class Teller(NamedTuple):
    """A command that tells numbers of its own."""

    usage: str
    """How it is called, with a requirement."""
    whole: str
    """What numbers of all together are of."""
    each: str = ""
    """What the others are of."""
    one: str = ""
    """How one of these is called."""


TRACE = Teller(
    "kab trace --require '{}' python app.py", "the whole program", "each origin", "api.example.com"
)
PLACES = Teller("kab places --require '{}' results/", "all places together")
PROBE = Teller("kab probe --require '{}' https://api.example.com/", "an endpoint")


def of_teller(name: str, among: Sequence[Scope], teller: Teller) -> Explanation | None:
    """What a name means in requirements of a command; `None`: nothing."""
    subject = resolve(name.strip(), among)
    if subject is None:
        return None
    metric, is_of_each = subject.metric, bool(subject.scope.steps)
    reasons = {it.code: it.title for it in (*PROGRAM_REASONS, *REASON_KINDS)}
    meaning = (
        f"Connections that were opened for the reason {subject.key}: {reasons[subject.key]}"
        if subject.key
        else plain(metric.meaning)
    )
    sentences = (
        meaning,
        f"{metric.better} is better".capitalize() if metric.better else "",
        f"Unknown where {metric.lacking}" if metric.lacking else "",
    )
    is_none_best = metric.unit == "count" and not name.endswith("connections")
    bound = "==0" if is_none_best and metric.better == "lower" else EXAMPLES.get(metric.unit)
    bound = bound or (">=10" if metric.better == "higher" else "<=10")
    if metric.words:
        bound = f"=={metric.words[0]}"
    elif metric.unit == "seconds" and metric.better == "higher":
        bound = ">=60s"
    asked = f"{name}{bound}"
    lines = [teller.usage.format(asked)]
    if is_of_each:
        lines.append(teller.usage.format(f"{teller.one}: {asked}"))
    sections = (
        Section("", (f"{'. '.join(filter(None, sentences))}.",)),
        Section("Require it", lines=tuple(lines)),
    )
    whose, command = teller.each if is_of_each else teller.whole, teller.usage.split(" --")[0]
    return Explanation(name, f"What {command} tells of {whose}", sections)
