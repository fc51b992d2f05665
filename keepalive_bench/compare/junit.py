"""Requirements on what changed, as test cases: a suite for each new run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.compare import table
from keepalive_bench.report.junit_suite import (
    measurement_case,
    requirement_case,
    suite,
    suites_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from keepalive_bench.compare.change import Change


def junit_lines(changes: Sequence[Change], *, strict: bool = False) -> Iterator[str]:
    """The document's lines. What is undecided is skipped; where that is `strict`, it failed."""
    suites = (_suite(change, number, strict=strict) for number, change in enumerate(changes))
    return suites_lines(suites)


def _suite(change: Change, number: int, *, strict: bool) -> Element:
    name = f"{change.base.name} → {change.new.name}"
    # Whatever the verdict is, it is requirements that fail a build.
    skipped = change.verdict.text if change.verdict.code == "not-comparable" else ""
    run_info = change.new.run.run_info
    cases = [measurement_case(name, run_info.wall_s, skipped=skipped)]
    cases += [requirement_case(checked, strict=strict) for checked in change.requirements]
    properties = {
        "base": change.base.name,
        "new": change.new.name,
        "verdict": change.verdict.code,
    }
    notes = [change.verdict.text, *table.difference_lines(change), table.small_print(change)]
    return suite(name, cases, run_info, properties, notes, number=number)
