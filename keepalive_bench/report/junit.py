"""Requirements as test cases, for CI systems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.report import preamble
from keepalive_bench.report.failed_run import nothing_measured
from keepalive_bench.report.junit_suite import (
    measurement_case,
    requirement_case,
    suite,
    suites_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis.analysis import Analysis
    from keepalive_bench.results.run import Run


def junit_lines(run: Run, analysis: Analysis, *, strict: bool = False) -> Iterator[str]:
    """The document's lines. What is undecided is skipped; where that is `strict`, it failed."""
    name = preamble.headline(analysis)
    error = "" if analysis.has_answers else nothing_measured(analysis)
    cases = [measurement_case(name, run.run_info.wall_s, error=error)]
    cases += [requirement_case(checked, strict=strict) for checked in analysis.requirements]
    properties = _properties(run, analysis)
    return suites_lines([suite(name, cases, run.run_info, properties, _notes(analysis))])


def _properties(run: Run, analysis: Analysis) -> dict[str, str]:
    environment = run.environment
    return {
        "url": analysis.plan.target.shown,
        "verdict": analysis.verdict.code,
        "kab": environment.kab,
        "python": environment.python,
        "urllib3": environment.urllib3,
        "os": environment.os,
        "started_at": run.run_info.started_at,
    }


def _notes(analysis: Analysis) -> Iterator[str]:
    """The verdict, then what was noticed."""
    yield analysis.verdict.text
    for finding in analysis.findings:
        yield f"{finding.severity}: {finding.text} {finding.advice}".rstrip()
