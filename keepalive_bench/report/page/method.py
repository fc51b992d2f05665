"""How it was measured: what it takes to do it again, and what matters to few."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.report import preamble
from keepalive_bench.report.page.command import command, left_out
from keepalive_bench.report.page.markup import element
from keepalive_bench.units import duration, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from xml.etree.ElementTree import Element

    from keepalive_bench.report import Report
    from keepalive_bench.results.run import Run


def method(report: Report) -> list[Element]:
    """The command and the machine; seeds, limits and counters to open."""
    run = report.run
    details = [_terms(_details(run)), *_remarks(report)]
    return [
        _terms(_essentials(run)),
        element("details", element("summary", "Seed, limits, resources and counters"), *details),
    ]


def _terms(terms: Iterable[tuple[str, str]]) -> Element:
    listed = (element(*it) for term, said in terms for it in (("dt", term), ("dd", said)))
    return element("dl", *listed)


def _essentials(run: Run) -> Iterator[tuple[str, str]]:
    machine, without = run.environment, left_out(run.plan)
    yield "command", command(run.plan)
    if without:
        yield "which lacks", without
    versions = f"kab {machine.kab}, urllib3 {machine.urllib3}, {machine.implementation}"
    yield "with", f"{versions} {machine.python}, {machine.openssl}"
    yield "on", f"{machine.os}, {machine.machine}, {plural(machine.cpu_count, 'processor')}"


def _details(run: Run) -> Iterator[tuple[str, str]]:
    experiment, rule, course = run.plan.experiment, run.plan.decision_rule, run.run_info
    named = (
        arm.label if arm.label == arm.kind else f"{arm.label} ({arm.kind})"
        for arm in experiment.arms
    )
    yield "arms", ", ".join(named)
    warmups = plural(experiment.warmup, "warm-up")
    yield "before it", f"{warmups} of each arm, on pools of their own, not counted"
    yield "seed", f"{experiment.seed}"
    yield "judged at", f"{100 * rule.confidence:g} % confidence, margin {100 * rule.margin:g} %"
    yield "time limit", f"{duration(run.plan.network.timeout_s)} for each exchange"
    yield "started", course.started_at
    resources = (duration(course.cpu_s), plural(course.gc_collections, "garbage collection"))
    yield "took", f"{duration(course.wall_s)}, {' of processor time, '.join(resources)}"


def _remarks(report: Report) -> Iterator[Element]:
    lines = [*preamble.remarks(report.analysis)]
    if report.swept is None:
        lines.append(preamble.urllib3_counters(report.analysis))
    yield from (element("p", line, class_="remark") for line in lines)
