"""A report in GitHub's Markdown, as a job's summary or a comment: its words, set.

Nothing from outside is markup. https://github.github.com/gfm/ is the syntax.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keepalive_bench.report import preamble
from keepalive_bench.report.counted import counted_tables
from keepalive_bench.report.requirements import counted, in_order, reasons, undecided_note, worst
from keepalive_bench.report.run_tables import comparison_table, phase_table
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.analysis import Checked, Finding, Status
    from keepalive_bench.report import Report, TextTable

_ACTIVE = re.compile(r"([\\`*_\[\]<>#|~&$])")
_LIVELY = re.compile(r"(?i)(?<=[@#])|(?<=:)(?=//|(?!\d\d:)[\w+-]+:)|(?<=www)(?=\.)")
_APART = "&#8203;"
"""A zero-width space: what GitHub would make a mention, a reference or a link of, it doesn't."""
_VERDICT_MARKS = {
    "faster": "✅",
    "no-difference": "⚖️",
    "one-arm": "📏",
    "sweep": "📏",
    "not-measured": "❌",
}
_STANDING_MARKS: dict[Status, str] = {"missed": "❌", "undecided": "❔", "met": "✅"}
_LEFT, _RIGHT = ":---", "---:"
_SEVERITY_MARKS = {"warning": "⚠️", "info": "ℹ️"}  # noqa: RUF001  # an emoji


def markdown_lines(report: Report) -> Iterator[str]:
    """The report's lines: the verdict first, then what it rests on."""
    analysis, strict = report.analysis, report.strict
    mark = _VERDICT_MARKS.get(analysis.verdict.code, _SEVERITY_MARKS["warning"])
    yield headline(f"kab: {analysis.verdict.code}", mark, analysis.requirements, strict=strict)
    yield f"**{text(preamble.verdict_text(analysis))}**\n\n"
    yield f"{code(preamble.headline(analysis))}: {text(preamble.circumstances(analysis))}.\n\n"
    yield from requirements(analysis.requirements, strict=strict)
    if report.swept is None:
        yield "### Comparison\n\n"
        yield from set_table(comparison_table(analysis))
    else:
        yield "### What each value does\n\n"
        for table in report.swept.tables:
            yield from set_table(table)
    phases = phase_table(analysis)
    if analysis.has_answers and phases.names.cells:
        yield "### Where the time goes\n\n"
        yield from set_table(phases)
    for table in counted_tables(analysis):
        yield f"### {text(table.title)}\n\n"
        yield from set_table(table)
    yield from _findings(analysis.findings)
    yield from _circumstances(report)


def headline(verdict: str, mark: str, checked: Sequence[Checked], *, strict: bool) -> str:
    """The verdict's code, and how the requirements stand: all that a reader in a hurry needs."""
    leading = worst(checked, strict=strict)
    if leading is None:
        return f"## {mark} {verdict}\n\n"
    return f"## {_STANDING_MARKS[leading]} {verdict}; {counted(checked)}\n\n"


def text(words: str) -> str:
    """Words that show as they are, whatever is in them."""
    return _LIVELY.sub(_APART, _ACTIVE.sub(r"\\\1", printable(words)))


def code(words: str) -> str:
    """Words as they are, set as code, which may stand in a table."""
    shown = printable(words)
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    blank = " " if "`" in shown else ""
    return f"{fence}{blank}{shown}{blank}{fence}".replace("|", r"\|")


def set_table(table: TextTable) -> Iterator[str]:
    """A table: names and words on the left of their columns, numbers on the right."""
    rows = ((_indented(name), *map(text, cells)) for name, *cells in table.rows)
    marks = [_LEFT, *(_LEFT if it.justify == "left" else _RIGHT for it in table.columns)]
    yield from _set_rows([text(head) for head in table.headings], marks, rows)


def _indented(name: str) -> str:
    plain = name.lstrip()
    return "&nbsp;" * (len(name) - len(plain)) + text(plain)


def _set_rows(
    heads: Sequence[str], marks: Sequence[str], rows: Iterable[Sequence[str]]
) -> Iterator[str]:
    """Rows of cells that are Markdown already; `marks` say which side of its column each is on."""
    for cells in (heads, marks, *rows):
        yield f"| {' | '.join(cells)} |\n"
    yield "\n"


def requirements(checked: Sequence[Checked], *, strict: bool) -> Iterator[str]:
    """How each requirement stands, the worst first; nothing where there are none."""
    if checked:
        rows = (
            (
                f"{_STANDING_MARKS[it.status]} {it.status}",
                code(it.requirement.text),
                text(" ".join((it.text, *reasons(it)))),
            )
            for it in in_order(checked)
        )
        yield "### Requirements\n\n"
        heads = ("", "requirement", "what was found")
        yield from _set_rows(heads, [_LEFT] * len(heads), rows)
        note = undecided_note(checked, strict=strict)
        if note:
            yield f"{text(note)}\n\n"


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    if findings:
        yield "### Findings\n\n"
        for finding, words in preamble.told(findings):
            yield f"- {_SEVERITY_MARKS[finding.severity]} {text(words)}\n"
        yield "\n"


def _circumstances(report: Report) -> Iterator[str]:
    """How it was measured, for whoever looks closely."""
    run, analysis, environment = report.run, report.analysis, report.run.environment
    versions = f"kab {environment.kab}, Python {environment.python}, urllib3 {environment.urllib3}"
    lines = [
        *preamble.remarks(analysis),
        *preamble.answers(analysis),
        preamble.urllib3_counters(analysis),
        f"{run.run_info.started_at}; {versions}, {environment.openssl}, {environment.os}",
    ]
    yield "<details><summary>How it was measured</summary>\n\n"
    for line in lines:
        yield f"- {text(line)}\n"
    yield "\n</details>\n"
