"""What is said of what a watch has seen: the report, why connections were opened, what is unknown.

Files are named from the working folder.
"""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from keepalive_bench.trace.naming import is_meant, origin_names
from keepalive_bench.trace.report import TraceReport, words
from keepalive_bench.trace.report.terminal import terminal_parts
from keepalive_bench.trace.requirements import without_requests

if TYPE_CHECKING:
    from keepalive_bench.trace.usage import Usage

_COLUMNS = 100
_MOST_REASONS = 5


def report_text(
    usage: Usage, *, columns: int = _COLUMNS, plain_ascii: bool = False, verbose: bool = False
) -> str:
    """The report as it is shown on a terminal, without colours."""
    text = StringIO()
    console = Console(
        file=text, width=columns, color_system=None, markup=False, emoji=False, highlight=False
    )
    report = TraceReport(usage, folder=str(Path.cwd()))
    for part in terminal_parts(report, columns, plain_ascii=plain_ascii, verbose=verbose):
        console.print(part)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def why_opened(usage: Usage) -> list[str]:
    """Lines that tell why connections were opened, and what to do about it."""
    lines = []
    report = TraceReport(usage, folder=str(Path.cwd()))
    for part in words.origin_parts(report, most_reasons=_MOST_REASONS):
        lines.append(part.heading)
        for it in part.all:
            lines.append(f"  {it.text} [{it.reason}]")
            lines += [f"    {said}" for said in (it.remedy, it.code) if said]
        if part.more:
            lines.append(f"  {part.more}")
    return lines


def selected(usage: Usage, origin: str | None) -> Usage:
    """Of the origins, those that a name is about; `None`: all."""
    if origin is None:
        return usage
    return usage._replace(origins=tuple(it for it in usage.origins if is_meant(origin, it.origin)))


def nowhere(usage: Usage, origin: str) -> str:
    """That no request went to an origin; with those that some went to."""
    names = zip(origin_names(usage.origins), usage.origins, strict=True)
    return without_requests(origin, usage, [name for name, it in names if it.requests])


def gaps(usage: Usage) -> str:
    """Why the figures may be too low; empty: they aren't."""
    if not usage.processes:
        return "Nothing could be recorded."
    return " ".join(words.not_seen(usage._replace(untraced=())))
