"""A run with everything in it that an export has to cope with, and what exports make of one."""

from __future__ import annotations

import io
import re
from functools import cache
from typing import TYPE_CHECKING

from rich.console import Console, Group
from support.runs import REFUSED, Script

from keepalive_bench import DecisionRule, Plan, Request, Target, Variation, analyse
from keepalive_bench.cli.exports import EXPORTERS
from keepalive_bench.cli.session import report_of
from keepalive_bench.report import terminal
from keepalive_bench.report.document import derived_document
from keepalive_bench.results.exchange import Answer, Ending, Failure, Phases
from keepalive_bench.results.file import document_lines
from keepalive_bench.results.measured import WarmUp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType

    from keepalive_bench import Analysis, Run

DIALECTS = tuple(it.name for it in EXPORTERS)
HOSTILE_TEXT = "=1+1|`<script>@team\n\x1b[31m\u202e]](http://evil.example) #7 \U0001f600\ufffe"
HOSTILE_URL = "http://127.0.0.1:8000/a|b`c?q=%3Cb%3E&token=hunter2"


@cache
def everything() -> Run:
    """Requests that fail, connections that end, and a server that says hostile things."""
    base = Plan(
        Target(HOSTILE_URL),
        Request(
            headers=(("Accept", "*/*"), ("X-Secret", "hunter2")),
            cookies=("a=hunter2",),
            count_by=("X-Pod",),
            variation=Variation(fields=(("q", ("=1", "<b>")),)),
        ),
        decision_rule=DecisionRule(requirements=("reopened==0", "pooled.p95<=50ms", "failed<=2")),
    )
    script = Script("pooled", "unpooled", plan=base, requests=12)
    answer = Answer("HTTP/1.1", HOSTILE_TEXT, HOSTILE_TEXT, HOSTILE_TEXT)
    ending = Ending("data", 0.5, 0.25, HOSTILE_TEXT)
    shared: int | None = None
    for index in range(10):
        is_first = shared is None or index == 6
        if index == 6:
            shared = script.open("pooled", ended_s=9.0, ending=ending)
        elif shared is None:
            shared = script.open(
                "pooled", ended_s=0.4, ending=ending, failed="[::1]:80", lost=0.001
            )
        phases = Phases(connect=0.001 if is_first else None, send=1e-5, wait=0.011 + index * 1e-4)
        latency_s, counted = 0.0125 + index * 1e-4, (HOSTILE_TEXT,)
        script.send("pooled", latency_s, on=shared, answer=answer, phases=phases, counted=counted)
        row = script.open("unpooled", tls_version="TLSv1.3", cipher="X")
        phases = Phases(dns=0.002, connect=0.003, tls=0.004, wait=0.012)
        script.send("unpooled", 0.0225 + index * 1e-4, on=row, phases=phases, counted=(None,))
    script.fail("pooled", failure=Failure("other", HOSTILE_TEXT), on=shared)
    script.fail("unpooled")
    warmup = WarmUp(requests=2, connections=1, failures=(REFUSED,))
    return script.run(warmup={"pooled": warmup}, interrupted=True)


@cache
def nothing() -> Run:
    """A run without an answer, with a hostile cause."""
    script = Script(plan=Plan(Target(HOSTILE_URL)), requests=2)
    script.fail("pooled", failure=Failure("other", HOSTILE_TEXT))
    return script.run()


def stored(run: Run) -> str:
    return "".join(document_lines(run, derived_document(analyse(run))))


def written(dialect: str, run: Run, analysis: Analysis | None = None) -> str:
    """What an option writes."""
    (exporter,) = (it for it in EXPORTERS if it.name == dialect)
    return "".join(exporter.of_run(report_of(run, analysis)))


def all_lines(run: Run, analysis: Analysis) -> Iterator[str]:
    """What all of them write."""
    for dialect in DIALECTS:
        yield written(dialect, run, analysis)


def printed(run: Run, width: int, *, plotted: bool = False, plain_ascii: bool = False) -> str:
    """What a terminal of a width shows, with blanks at the ends of lines taken off."""
    parts = terminal.report_parts(report_of(run), width, plotted=plotted, plain_ascii=plain_ascii)
    return set_by_rich(parts, width)


def intervals_are_whole(shown: str) -> bool:
    """Whether there are intervals in a terminal's tables, and each is there with both ends."""
    found = re.findall(r"\[.*….*", shown)
    return bool(found) and all(it.count("]") == it.count("[") for it in found)


def set_by_rich(parts: Iterable[RenderableType], width: int) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
    console.print(Group(*parts))
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())
