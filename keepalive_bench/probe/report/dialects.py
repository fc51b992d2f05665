"""A probe, for CI systems: Markdown, test cases, annotations. Each sets the words of `words.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.probe.report import words
from keepalive_bench.probe.report.timeline import timeline, told
from keepalive_bench.report import github, junit, markdown
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.probe.probed import Probed
    from keepalive_bench.probe.report import ProbeReport

_TITLE = "kab probe"


def markdown_lines(report: ProbeReport) -> Iterator[str]:
    """GitHub's Markdown: the answer first."""
    text, probed = markdown.text, report.probed
    is_well = probed.persistence == "kept" and not words.is_warned(probed)
    mark = "✅" if is_well else "⚠️"
    yield markdown.headline(_TITLE, mark, report.requirements, strict=report.strict)
    yield f"**{text(probed.sentence)}**\n\n"
    if advice := words.advice_on_silence(probed):
        yield f"{text(advice)}\n\n"
    if said := words.consistent(probed):
        yield f"{text(said)}\n\n"
    yield from markdown.requirements(report.requirements, strict=report.strict)
    for remark in words.remarks(probed):
        sign = "⚠️" if remark.severity == "warning" else "ℹ️"  # noqa: RUF001  # an emoji
        yield f"- {sign} {text(remark.text)}\n"
    yield "\n"
    if probed.persistence != "silent":
        yield f"### {words.FOUND}\n\n"
        yield from markdown.set_table(words.found_table(probed))
    if (picture := timeline(probed)) is not None:
        yield f"{text(told(picture))}\n\n"
    yield from _settings(report)
    if probed.behaviours:
        yield f"### {words.KEEPS}\n\n"
        yield from markdown.set_table(words.behaviour_table(probed))
    yield f"{markdown.code(words.requested(probed))}: {text(words.sent(probed))}\n"


def _settings(report: ProbeReport) -> Iterator[str]:
    probed = report.probed
    if not probed.advice:
        return
    yield f"### {words.SET}\n\n"
    for advice in probed.advice:
        yield f"- {markdown.text(advice)}\n"
    yield "\n"
    if probed.code:
        yield "```python\n"
        for line in probed.code.splitlines():
            yield f"{printable(line)}\n"
        yield "```\n\n"


def junit_lines(report: ProbeReport) -> Iterator[str]:
    """Whether anything answered as a test case, and each requirement; what was found is output."""
    probed, info = report.probed, report.probed.record.info
    error = _nothing(probed) if probed.persistence == "silent" else ""
    cases = [junit.measurement_case(_TITLE, info.wall_s, error=error)]
    cases += [junit.requirement_case(it, strict=report.strict) for it in report.requirements]
    properties = {
        "url": probed.record.asked.url,
        "connections": f"{probed.connections}",
        "requests": f"{probed.requests}",
        "kab": info.kab,
    }
    notes = [
        probed.sentence,
        words.consistent(probed),
        *(f"{it.severity}: {it.text}" for it in words.remarks(probed)),
        *map(_in_a_line, words.found_rows(probed)),
        *probed.advice,
    ]
    took = junit.Took(info.wall_s, info.started_at)
    made = junit.suite(_TITLE, cases, took, properties, filter(None, notes))
    return junit.suites_lines([made])


def _in_a_line(row: words.Row) -> str:
    note = f" ({row.note})" if row.note else ""
    return f"{row.name.strip()}: {row.value}{note}"


def _nothing(probed: Probed) -> str:
    """Why nothing was measured, and what to do."""
    return f"{probed.sentence} {words.advice_on_silence(probed)}".rstrip()


def annotation_lines(report: ProbeReport) -> Iterator[str]:
    """Annotations of a job on GitHub: what was missed, and what to be careful with."""
    probed = report.probed
    if probed.persistence == "silent":
        yield github.annotation("error", "Nothing was measured", _nothing(probed))
    yield from github.missed(report.requirements, strict=report.strict)
    for remark in words.remarks(probed):
        if remark.severity == "warning":
            yield github.annotation("warning", _TITLE, remark.text)
