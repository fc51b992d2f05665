"""What to say of a run without any answer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from keepalive_bench.report import preamble
from keepalive_bench.results.exchange import Failure
from keepalive_bench.results.failure_kinds import failure_kind
from keepalive_bench.units import clipped, printable

if TYPE_CHECKING:
    from keepalive_bench.analysis.analysis import Analysis


def nothing_measured(analysis: Analysis) -> str:
    """One sentence for a run without any answer: what happened, where, and what to do."""
    where = clipped(preamble.place(analysis))
    failures = Counter[Failure]()
    for arm in analysis.arms:
        failures.update(arm.failures)
    if not failures:
        if analysis.run_info.interrupted:
            return f"Nothing was measured of {where}: the run was interrupted."
        lost = [f" A process is lost: {printable(it.why)}." for it in analysis.run_info.lost]
        return f"Nothing was measured of {where}.{''.join(lost[:1])}"
    failure, _ = failures.most_common(1)[0]
    kind = failure_kind(failure.kind)
    cause = f"{failure.kind} ({printable(failure.message)})"
    said = f"Nothing could be measured of {where}: {cause}."
    return f"{said} {kind.advice}" if kind is not None and kind.advice else said
