"""What a program did with its connections, for CI systems: Markdown, test cases, annotations.

Each sets the words of `words.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.report import github, junit, markdown
from keepalive_bench.trace.findings import finding_of, told
from keepalive_bench.trace.naming import file_within, origin_names
from keepalive_bench.trace.report import words
from keepalive_bench.trace.span import span_s
from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.trace.report import TraceReport
    from keepalive_bench.trace.usage import Opening, Usage

_MOST_ORIGINS, _MOST_REASONS, _MOST_ROWS = 20, 10, 50
"""A job's summary, or a comment, takes no more than a page does."""
_MOST_ANNOTATIONS = 10
"""GitHub shows no more of a step."""
_NOTHING_SEEN = "No request was seen."
_EPOCH = "1970-01-01T00:00:00"
"""Where no process was traced, there is no time; Ant's schema wants one."""


def markdown_lines(report: TraceReport) -> Iterator[str]:
    """GitHub's Markdown: the answer first."""
    text, usage = markdown.text, report.usage
    avoidable = any(it.avoidable for it in usage.origins)
    mark = "⚠️" if avoidable or not usage.origins else "✅"
    yield markdown.headline("kab trace", mark, report.requirements, strict=report.strict)
    yield f"**{text(usage.sentence)}**\n\n"
    yield from markdown.requirements(report.requirements, strict=report.strict)
    if usage.origins:
        yield "### Origins\n\n"
        yield from markdown.set_table(words.origin_table(usage, _MOST_ROWS))
        yield f"{text(words.SMALL_PRINT)}\n\n"
        yield from _openings(report)
    yield "### What was seen\n\n"
    for line in (words.traced(usage), *words.not_seen(usage)):
        yield f"- {text(line)}\n"
    yield "\n"


def _openings(report: TraceReport) -> Iterator[str]:
    text = markdown.text
    if words.explained_origins(report.usage):
        yield "### Why connections were opened\n\n"
    shown = 0
    for part in words.origin_parts(report, _MOST_ORIGINS, _MOST_REASONS):
        shown += 1
        yield f"{text(part.heading)}\n\n"
        for it in part.all:
            mark = "⚠️" if it.severity == "warning" else "ℹ️"  # noqa: RUF001  # an emoji
            yield f"- {mark} {text(it.text)} {markdown.code(it.reason)}"
            yield f"<br>{text(it.remedy)}" if it.remedy else ""
            yield f"<br>{markdown.code(it.code)}\n" if it.code else "\n"
        if part.more:
            yield f"- {text(part.more)}\n"
        yield "\n"
    left = words.explained_origins(report.usage) - shown
    if left > 0:
        yield f"{plural(left, 'more origin')}\n\n"


def junit_lines(report: TraceReport) -> Iterator[str]:
    """Requirements as test cases; the reasons why connections were opened are its output."""
    usage = report.usage
    time_s = span_s(usage)
    error = "" if any(it.requests for it in usage.origins) else _nothing_seen(usage)
    cases = [junit.measurement_case("kab trace", time_s, error=error)]
    cases += [junit.requirement_case(it, strict=report.strict) for it in report.requirements]
    properties = {
        "processes": f"{len(usage.processes)}",
        "untraced": f"{len(usage.untraced)}",
        "origins": f"{len(usage.origins)}",
    }
    found = (
        " ".join(filter(None, (f"{it.severity}: {part.name}: {it.text}", it.remedy, it.code)))
        for part in words.origin_parts(report)
        for it in part.all
    )
    notes = [usage.sentence, *found, *words.not_seen(usage), words.traced(usage)]
    started_at = usage.started_at or _EPOCH
    made = junit.suite("kab trace", cases, junit.Took(time_s, started_at), properties, notes)
    return junit.suites_lines([made])


def _nothing_seen(usage: Usage) -> str:
    return " ".join((_NOTHING_SEEN, words.traced(usage), *words.not_seen(usage)))


def annotation_lines(report: TraceReport) -> Iterator[str]:
    """Annotations of a job on GitHub: what was missed, and each place that could do with less."""
    usage = report.usage
    if not any(it.requests for it in usage.origins):
        yield github.annotation("warning", "kab trace", _nothing_seen(usage))
    yield from github.missed(report.requirements, strict=report.strict)
    avoidable = [
        (opening, name)
        for name, origin in zip(origin_names(usage.origins), usage.origins, strict=True)
        for opening in origin.openings
        if opening.is_avoidable
    ]
    avoidable.sort(key=lambda it: -it[0].connections)
    for opening, name in avoidable[:_MOST_ANNOTATIONS]:
        message = f"{told(opening, report.folder)} ({name})."
        yield github.annotation(
            "warning",
            f"kab: {opening.reason}",
            f"{message} {finding_of(opening, name, report.folder).advice}".rstrip(),
            _place(opening, report.folder),
        )


def _place(opening: Opening, folder: str) -> dict[str, str]:
    """Its file and line, where GitHub knows the file: beneath the folder, and no `<string>`."""
    within = None if opening.site is None else file_within(opening.site.file, folder)
    if opening.site is None or within is None or within.startswith("<"):
        return {}
    return {"file": printable(within), "line": f"{opening.site.line}"}
