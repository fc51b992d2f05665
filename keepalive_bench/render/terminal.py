"""A report for a terminal: Rich sets the words of `table.py`. Nothing from outside is markup."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from keepalive_bench.model.exchange import Failure
from keepalive_bench.render import table
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from keepalive_bench.model.analysis import Analysis, Finding

_WIDE = 100
_BAR_WIDTH = 10
_BLOCKS = " ▏▎▍▌▋▊▉█"
_ADVICE = {
    "tls-untrusted": " --cacert FILE trusts the certificate's issuer; -k doesn't check it.",
    "tls-handshake": " Does this port speak TLS?",
    "dns": " Is the host's name right?",
    "connect-refused": " Does a server listen there?",
    "connect-timeout": " Is the address right, and is there a firewall between?",
    "closed-before-response": " Does this port speak HTTP, or only HTTPS?",
    "malformed-response": " Does this port speak HTTP/1.1?",
}
_VERDICT_STYLES = {"faster": "bold green", "slower": "bold red", "no-difference": "bold"}


def report(analysis: Analysis, width: int, *, plain_ascii: bool = False) -> RenderableType:
    """The whole report, for a terminal of a width; bars only where there is room for them."""
    parts: list[RenderableType] = [
        Text(table.headline(analysis), style="bold", overflow="fold"),
        Text(table.circumstances(analysis)),
        *(Text(line, style="dim") for line in table.remarks(analysis)),
        Text(),
        _comparison(analysis),
    ]
    if any(arm.succeeded for arm in analysis.arms):
        parts += [Text(), _phases(analysis, bars=width >= _WIDE, plain_ascii=plain_ascii)]
    parts += [Text(), *(Text(line, style="dim") for line in table.answers(analysis))]
    parts.append(Text(table.urllib3_counters(analysis), style="dim"))
    for finding in analysis.findings:
        parts.append(_finding(finding))
    style = _VERDICT_STYLES.get(analysis.verdict.code, "bold yellow")
    parts += [Text(), Text(analysis.verdict.text, style=style)]
    return Padding(Group(*parts), (0, 1))


def nothing_measured(analysis: Analysis) -> str:
    """One sentence for a run without any answer: what happened, where, and what to do."""
    where = printable(analysis.plan.target.shown)
    failures = Counter[Failure]()
    for arm in analysis.arms:
        failures.update(arm.failures)
    if not failures:
        return f"Nothing was measured of {where}."
    failure, _ = failures.most_common(1)[0]
    advice = _ADVICE.get(failure.kind, "")
    cause = f"{failure.kind} ({printable(failure.message)})"
    return f"Nothing could be measured of {where}: {cause}.{advice}"


def _comparison(analysis: Analysis) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    grid.add_column("")
    grid.add_column("")
    for arm in analysis.arms:
        grid.add_column(arm.label, justify="right", no_wrap=True)
    rows = table.comparison_rows(analysis)
    with_intervals = any(any(row.intervals) for row in rows)
    for header in table.savings_headers(analysis) if analysis.comparisons else ():
        grid.add_column(header, justify="right", style="bold")
        if with_intervals:
            grid.add_column("95 % interval", justify="right", no_wrap=True)
    for row in rows:
        tail: list[str] = []
        for saving, interval in zip(row.savings, row.intervals, strict=True):
            tail += [saving, interval] if with_intervals else [saving]
        grid.add_row(row.group, row.name, *row.cells, *tail)
    return grid


def _phases(analysis: Analysis, *, bars: bool, plain_ascii: bool) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    grid.add_column("where the time goes", no_wrap=True)
    for arm in analysis.arms:
        grid.add_column(arm.label, justify="right", no_wrap=True)
        if bars:
            grid.add_column("", width=_BAR_WIDTH, no_wrap=True)
    rows = table.phase_rows(analysis)
    longest = max((share for row in rows for share in row.shares), default=0.0)
    widths = [
        max((len(row.cells[number][1]) for row in rows), default=0)
        for number in range(len(analysis.arms))
    ]
    for row in rows:
        cells: list[RenderableType] = []
        for number, ((count, each), share) in enumerate(zip(row.cells, row.shares, strict=True)):
            text = f"{count} × {each:>{widths[number]}}" if each else count
            cells.append(text)
            if bars:
                cells.append(Text(_bar(share, longest, plain_ascii=plain_ascii), style="cyan"))
        grid.add_row(row.phase, *cells)
    return grid


def _bar(share: float, longest: float, *, plain_ascii: bool) -> str:
    eighths = round(share / longest * _BAR_WIDTH * 8) if longest else 0
    if plain_ascii:
        return "#" * round(eighths / 8)
    full, rest = divmod(eighths, 8)
    return _BLOCKS[-1] * full + (_BLOCKS[rest] if rest else "")


def _finding(finding: Finding) -> Text:
    mark, style = ("!", "yellow") if finding.severity == "warning" else ("i", "dim")
    text = f"{mark} {finding.text}"
    return Text(f"{text} {finding.advice}" if finding.advice else text, style=style)
