"""Run → Analysis, each part of it made in its own room: pure, as all of these rooms are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis import Analysis
from keepalive_bench.analysis.arm_view import ArmView
from keepalive_bench.analysis.arms import summarise
from keepalive_bench.analysis.comparison import compare
from keepalive_bench.analysis.untimed import untimed
from keepalive_bench.analysis.verdict import verdict_of
from keepalive_bench.errors import RequirementError
from keepalive_bench.findings import noticed
from keepalive_bench.findings.one_at_a_time import why_incomparable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.analysis import Requirement
    from keepalive_bench.results.run import Run

__all__ = ["analyse", "require"]


def analyse(run: Run, requirements: Iterable[str] = ()) -> Analysis:
    """Everything that a run's numbers come to; with requirements beyond those of its plan.

    Raises:
        UsageError: a requirement is none.
    """
    # Most runs do without requirements and sweeps, and without their modules.
    demanded: tuple[Requirement, ...] = ()
    if run.plan.decision_rule.requirements or requirements:
        from keepalive_bench.requirements import requirements_of  # noqa: PLC0415  # see above

        demanded = requirements_of(run.plan, requirements)
    labels, mask = run.plan.experiment.labels, untimed(run).mask
    views = {label: ArmView(label, run.plan, run.exchanges, mask) for label in labels}
    arms = summarise(run, views)
    first = arms[0]
    comparisons = tuple(
        compare(run.exchanges, (first, other), (views[first.label], views[other.label]))
        for other in arms[1:]
    )
    findings = noticed(run, views, arms, comparisons)
    if why := why_incomparable(run.plan, findings):
        comparisons = tuple(
            it if not it.pairs else it._replace(incomparable=why) for it in comparisons
        )
    sweep = None
    if run.plan.experiment.sweep is not None:
        from keepalive_bench.sweep import sweep_of  # noqa: PLC0415  # see above

        sweep = sweep_of(run, arms, views)
    analysis = Analysis(
        plan=run.plan,
        run_info=run.run_info,
        warmup=run.warmup,
        arms=arms,
        comparisons=comparisons,
        verdict=verdict_of(arms, comparisons, run.plan, sweep),
        findings=findings,
        sweep=sweep,
    )
    if not demanded:
        return analysis
    from keepalive_bench.report.document import demandable  # noqa: PLC0415  # see above
    from keepalive_bench.requirements import check  # noqa: PLC0415  # the same

    document = demandable(analysis)
    checked = (check(each, document, run.plan, views, findings) for each in demanded)
    return analysis._replace(requirements=tuple(checked))


def require(run: Run, *requirements: str, strict: bool = False) -> Analysis:
    """Analyse a run, and refuse it where it misses a requirement: an assertion for a test.

    `strict` refuses what is undecided, too.

    Raises:
        RequirementError: one is missed; it is an `AssertionError`, and says what was found.
        UsageError: a requirement is none.
    """
    analysis = analyse(run, requirements)
    wrong = {"missed", "undecided"} if strict else {"missed"}
    found = [each for each in analysis.requirements if each.status in wrong]
    if found:
        raise RequirementError(
            "\n".join(f"{each.status}: {each.requirement.text}: {each.text}" for each in found)
        )
    return analysis
