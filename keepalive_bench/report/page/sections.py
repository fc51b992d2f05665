"""What the page says in words: verdict, comparison, requirements, findings, how it was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.report import preamble
from keepalive_bench.report import table as words
from keepalive_bench.report.failed_run import nothing_measured
from keepalive_bench.report.page.command import command, left_out
from keepalive_bench.report.page.markup import element, table
from keepalive_bench.report.requirements import counted, in_order, undecided_note, worst
from keepalive_bench.sweep.curve import listed
from keepalive_bench.units import duration, plural, rate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from keepalive_bench.analysis.analysis import Analysis, Checked, Finding
    from keepalive_bench.results.run import Run


def section(heading: str, name: str, *content: Element) -> Element:
    """A part of the page, which its heading names."""
    title = element("h2", heading, id=f"{name}-heading")
    return element("section", title, *content, aria_labelledby=f"{name}-heading")


def verdict(analysis: Analysis, *, strict: bool) -> Element:
    """What was asked, and the answer; with how the requirements stand, if there are any."""
    said = analysis.verdict.text if analysis.has_answers else nothing_measured(analysis)
    return element(
        "header",
        element("h1", preamble.headline(analysis)),
        *answer(said, analysis.verdict.code, analysis.requirements, strict=strict),
        element("p", preamble.circumstances(analysis)),
        *(element("p", line, class_="remark") for line in preamble.remarks(analysis)),
    )


def answer(said: str, code: str, checked: Sequence[Checked], *, strict: bool) -> Iterator[Element]:
    """A verdict; nobody should take it for a pass where a requirement is missed."""
    leading = worst(checked, strict=strict)
    yield element("p", said, class_=f"verdict {code} {leading or ''}".strip())
    if leading is not None:
        yield element("p", f"{counted(checked)}.", class_=f"status {leading}")


def comparison(analysis: Analysis) -> Element:
    """The table of the report."""
    if analysis.sweep is not None:
        remarks = (element("p", line, class_="remark") for line in preamble.answers(analysis))
        return section("Comparison", "comparison", *listed(analysis, analysis.sweep), *remarks)
    rows = words.comparison_rows(analysis)
    intervals = any(any(row.intervals) for row in rows)
    headings = ["", *(arm.label for arm in analysis.arms)]
    for heading in words.savings_headers(analysis) if analysis.comparisons else ():
        headings += [heading, words.confidence(analysis)][: 1 + intervals]
    cells = []
    for row in rows:
        line = [row.name, *row.cells]
        for saving, interval in zip(row.savings, row.intervals, strict=True):
            line += [saving, interval][: 1 + intervals]
        cells.append(tuple(line))
    below = [*preamble.answers(analysis), preamble.urllib3_counters(analysis)]
    return section(
        "Comparison",
        "comparison",
        table("Counts and times of each arm", headings, cells),
        *(element("p", line, class_="remark") for line in below),
    )


def requirements(
    checked: Sequence[Checked], *, strict: bool, name: str = "requirements"
) -> Iterator[Element]:
    """What was demanded, if anything was, the worst first."""
    if checked:
        listed = element("ul", *map(_requirement, in_order(checked)), class_="findings")
        note = undecided_note(checked, strict=strict)
        below = [element("p", note, class_="remark")] if note else []
        yield section("Requirements", name, listed, *below)


def _requirement(checked: Checked) -> Element:
    return element(
        "li",
        element("strong", f"{checked.status}: "),
        element("code", checked.requirement.text),
        f" – {checked.text}",
        class_=checked.status,
    )


def findings(analysis: Analysis) -> Element:
    """What kab noticed, and its advice."""
    if not analysis.findings:
        return section("Findings", "findings", element("p", "kab noticed nothing unusual."))
    listed = element("ul", *map(_finding, analysis.findings), class_="findings")
    return section("Findings", "findings", listed)


def _finding(finding: Finding) -> Element:
    return element(
        "li",
        element("strong", "Warning: " if finding.severity == "warning" else "Note: "),
        f"{finding.text} {finding.advice}".strip(),
        " ",
        element("code", finding.code),
        class_=finding.severity,
    )


def method(run: Run, analysis: Analysis) -> Element:
    """How it was measured, and with what."""
    terms: list[Element] = []
    for term, said in _circumstances(run, analysis):
        terms += [element("dt", term), element("dd", said)]
    return section("How it was measured", "method", element("dl", *terms))


def _circumstances(run: Run, analysis: Analysis) -> Iterator[tuple[str, str]]:
    experiment, decision_rule, network = (
        run.plan.experiment,
        run.plan.decision_rule,
        run.plan.network,
    )
    machine, run_info = run.environment, run.run_info
    yield "asked", preamble.headline(analysis)
    yield (
        "arms",
        ", ".join(
            arm.label if arm.label == arm.kind else f"{arm.label} ({arm.kind})"
            for arm in experiment.arms
        ),
    )
    yield "experiment", preamble.circumstances(analysis)
    warmups = plural(experiment.warmup, "warm-up")
    yield "before it", f"{warmups} of each arm, on pools of their own, not counted"
    yield "seed", f"{experiment.seed}"
    yield (
        "judged at",
        f"{100 * decision_rule.confidence:g} % confidence, margin {decision_rule.margin:g}",
    )
    yield "time limit", f"{duration(network.timeout_s)} for each exchange"
    yield "command", command(run.plan)
    without = left_out(run.plan)
    if without:
        yield "which lacks", without
    yield "started", run_info.started_at + (", interrupted" if run_info.interrupted else "")
    yield (
        "took",
        f"{duration(run_info.wall_s)}, {duration(run_info.cpu_s)} of processor time, "
        + (plural(run_info.gc_collections, "garbage collection")),
    )
    yield (
        "with",
        (
            f"kab {machine.kab}, urllib3 {machine.urllib3}, {machine.implementation} "
            f"{machine.python}, {machine.openssl}"
        ),
    )
    yield "on", f"{machine.os}, {machine.machine}, {plural(machine.cpu_count, 'processor')}"
    rates = [
        f"{arm.label} {rate(arm.requests_per_second)} requests/s"
        for arm in analysis.arms
        if arm.requests_per_second is not None and arm.failed <= arm.succeeded
    ]
    if rates:
        yield "rates", ", ".join(rates)
