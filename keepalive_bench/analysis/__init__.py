"""Run → Analysis: pure, no clocks, files, sockets or printing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.arms import summarise
from keepalive_bench.analysis.comparison import compare
from keepalive_bench.analysis.findings import find
from keepalive_bench.analysis.verdict import verdict
from keepalive_bench.model.analysis import Analysis

if TYPE_CHECKING:
    from keepalive_bench.model.run import Run

__all__ = ["analyse"]


def analyse(run: Run) -> Analysis:
    """Everything that a run's numbers come to."""
    arms = tuple(summarise(run, arm) for arm in run.plan.experiment.arms)
    comparisons = tuple(compare(run, arms[0], other) for other in arms[1:])
    return Analysis(
        plan=run.plan,
        course=run.course,
        warmup=run.warmup,
        arms=arms,
        comparisons=comparisons,
        verdict=verdict(arms, comparisons[0] if comparisons else None, run.plan.judgement),
        findings=find(run, arms, comparisons),
    )
