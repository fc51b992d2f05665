"""What changed between probes, for people and for CI systems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

import keepalive_bench
from keepalive_bench.probe.changes import told, way_words
from keepalive_bench.report import TextColumn, TextTable, github, junit, markdown, webpage
from keepalive_bench.report.grids import grids
from keepalive_bench.report.page import summary
from keepalive_bench.report.page.markup import element, set_table
from keepalive_bench.report.terminal import requirement_parts
from keepalive_bench.units import for_terminal, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from rich.console import RenderableType

    from keepalive_bench.probe.changes import ProbeChange, ProbeSource

_MARKS = {"better": "✅", "worse": "❌", "no-difference": "⚖️"}
_OPEN = "⚠️"
_STYLES = {"better": "faster", "worse": "slower"}
_OF_THE_PROBE = {"connections", "requests"}
"""Numbers that tell how much was sent, and nothing of the endpoint."""
_MINUTES = len("2026-01-02T03:04")


def _source(it: ProbeSource) -> str:
    at = it.probed.record.info.started_at[:_MINUTES].replace("T", " ")
    return f"{printable(it.name)}: {printable(it.probed.record.asked.url)}, {at} UTC"


def table(change: ProbeChange) -> TextTable:
    """A row for each number that one of both knows."""
    rows = [
        it
        for it in change.numbers
        if it.name not in _OF_THE_PROBE and (it.base.low, it.new.low) != (None, None)
    ]
    return TextTable(
        "Limits",
        TextColumn("", tuple(it.name.replace("_", " ") for it in rows), justify="left"),
        (
            (
                (
                    TextColumn("base", tuple(told(it.base, it.unit) for it in rows)),
                    TextColumn("new", tuple(told(it.new, it.unit) for it in rows)),
                    TextColumn("change", tuple(map(way_words, rows)), justify="left"),
                ),
            ),
        ),
    )


def terminal_parts(
    change: ProbeChange, width: int, *, plain_ascii: bool
) -> Iterator[RenderableType]:
    """The whole comparison with one new probe, for a terminal of a width."""

    def text(said: str, style: str = "") -> Text:
        shown = for_terminal(printable(said), plain_ascii=plain_ascii)
        return Text(shown, style=style, overflow="fold")

    yield text(f"{change.verdict.code}: {change.verdict.text}", "bold")
    yield Text()
    for role, source in (("base", change.base), ("new", change.new)):
        yield text(f"{role:<4}  {_source(source)}")
        yield Padding(text(source.probed.sentence), (0, 0, 0, 6))
    yield Text()
    yield from grids(table(change), width, plain_ascii=plain_ascii)
    yield from requirement_parts(
        change.requirements, plain_ascii=plain_ascii, strict=change.strict, explaining=True
    )


def markdown_lines(changes: Sequence[ProbeChange]) -> Iterator[str]:
    """GitHub's Markdown: a part for each new probe, the verdict first."""
    text = markdown.text
    for change in changes:
        found, checked, strict = change.verdict, change.requirements, change.strict
        mark = _MARKS.get(found.code, _OPEN)
        yield markdown.headline(f"kab compare: {found.code}", mark, checked, strict=strict)
        yield f"**{text(found.text)}**\n\n"
        for role, source in (("base", change.base), ("new", change.new)):
            yield f"- {role}: {text(_source(source))}: {text(source.probed.sentence)}\n"
        yield "\n"
        yield from markdown.requirements(checked, strict=strict)
        yield from markdown.set_table(table(change))


def page_lines(changes: Sequence[ProbeChange]) -> Iterator[str]:
    """An HTML page of tables, which loads nothing and has no script."""
    content = [part for change in changes for part in _section(change)]
    title = f"{changes[0].base.probed.record.asked.url} compared"
    yield from webpage.document(title, content)


def _section(change: ProbeChange) -> Iterator[Element]:
    found, checked, strict = change.verdict, change.requirements, change.strict
    said = f"{found.code}: {found.text}"
    yield element(
        "header",
        element("p", element("strong", f"kab {keepalive_bench.__version__}"), class_="origin"),
        element("h1", f"{change.new.probed.record.asked.url} compared"),
        *summary.answer(said, _STYLES.get(found.code, found.code), checked, strict=strict),
        element("p", f"base: {_source(change.base)}: {change.base.probed.sentence}"),
        element("p", f"new: {_source(change.new)}: {change.new.probed.sentence}"),
    )
    yield element("section", element("h2", "Limits"), set_table(table(change)))


def annotation_lines(changes: Sequence[ProbeChange]) -> Iterator[str]:
    """Annotations of a job on GitHub: what was missed, and what can't be compared."""
    for change in changes:
        if change.verdict.code == "not-comparable":
            title = f"kab compare: {change.verdict.code}"
            yield github.annotation("warning", title, change.verdict.text)
        yield from github.missed(change.requirements, strict=change.strict)


def junit_lines(changes: Sequence[ProbeChange]) -> Iterator[str]:
    """Requirements on what changed as test cases, in a suite for each new probe."""
    return junit.suites_lines(_suite(it, number) for number, it in enumerate(changes))


def _suite(change: ProbeChange, number: int) -> Element:
    info = change.new.probed.record.info
    skipped = change.verdict.text if change.verdict.code == "not-comparable" else ""
    cases = [junit.measurement_case(change.new.name, info.wall_s, skipped=skipped)]
    cases += [junit.requirement_case(it, strict=change.strict) for it in change.requirements]
    properties = {
        "base": change.base.name,
        "new": change.new.name,
        "verdict": change.verdict.code,
    }
    took = junit.Took(info.wall_s, info.started_at)
    notes = [change.verdict.text, change.base.probed.sentence, change.new.probed.sentence]
    name = f"{change.base.name} → {change.new.name}"
    return junit.suite(name, cases, took, properties, notes, number=number)
