"""What a person sees of a report, on all kinds of terminals: as text that can be reviewed."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from support import probes, usages
from support.exports import everything
from support.runs import Script
from support.scripted import closing_run, scripted_run
from support.sweeps import scripted_sweep

from keepalive_bench.cli.options import VERBOSE
from keepalive_bench.cli.screen import Screen
from keepalive_bench.cli.session import report_of, show
from keepalive_bench.plan.options import Asked
from keepalive_bench.probe.report.terminal import terminal_parts as probe_parts
from keepalive_bench.results.exchange import Answer, Ending, Phases
from keepalive_bench.trace.report.terminal import terminal_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench import Run
    from keepalive_bench.probe.report import ProbeReport
    from keepalive_bench.trace.report import TraceReport

FOLDER = Path(__file__).parent.parent / "report" / "screens"
_STYLES = {"1": "bold", "1;31": "bold red", "0": "/"}
"""All that kab may send to a terminal: no colour that a light or a dark background would hide."""


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def screen(
    run: Run,
    columns: int,
    *,
    encoding: str = "utf-8",
    verbose: bool = False,
    is_terminal: bool = False,
) -> str:
    """What standard output gets; on a terminal with its codes as `{bold}`."""

    def show_it(shown: Screen) -> None:
        show(report_of(run), shown, plotted=True)

    return _seen(show_it, columns, encoding, verbose=verbose, is_terminal=is_terminal)


def trace_screen(
    report: TraceReport, columns: int, *, encoding: str = "utf-8", verbose: bool = False
) -> str:
    """What a pipe gets of a program's use of connections."""

    def show_it(shown: Screen) -> None:
        plain_ascii = shown.plain_ascii
        shown.show(terminal_parts(report, columns, plain_ascii=plain_ascii, verbose=verbose))

    return _seen(show_it, columns, encoding, verbose=verbose, is_terminal=False)


def probe_screen(
    report: ProbeReport,
    columns: int,
    *,
    encoding: str = "utf-8",
    verbose: bool = False,
    is_terminal: bool = False,
) -> str:
    """What standard output gets of a probe."""

    def show_it(shown: Screen) -> None:
        plain_ascii = shown.plain_ascii
        shown.show(probe_parts(report, columns, plain_ascii=plain_ascii, verbose=verbose))

    return _seen(show_it, columns, encoding, verbose=verbose, is_terminal=is_terminal)


def _seen(
    show_it: Callable[[Screen], None],
    columns: int,
    encoding: str,
    *,
    verbose: bool,
    is_terminal: bool,
) -> str:
    kind = _Terminal if is_terminal else io.TextIOWrapper
    written = io.BytesIO()
    stream = kind(written, encoding=encoding)
    environment = {"COLUMNS": str(columns), "TERM": "xterm-256color"}
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with patch.dict(os.environ, {**kept, **environment}, clear=True), redirect_stdout(stream):
        show_it(Screen((), Asked({VERBOSE.name: verbose})))
    stream.flush()
    text = written.getvalue().decode(encoding)
    for code, name in _STYLES.items():
        text = text.replace(f"\x1b[{code}m", f"{{{name}}}")
    return text.replace("{/}{bold}", "")  # of a heading's cells


def _nothing_reused() -> Run:
    """A server that says `Connection: close` each time."""
    script = Script("pooled", "unpooled", requests=20, maxsize=1)
    closing = Answer("HTTP/1.1", "text/html", "close", server="nginx/1.22.1")
    for index in range(20):
        for label in ("pooled", "unpooled"):
            row = script.open(label)
            phases = Phases(connect=0.001, wait=0.01)
            script.send(label, 0.0112, on=row, index=index, answer=closing, phases=phases)
            ending = Ending("announced" if label == "pooled" else "retired")
            script.connections.ended(row, ending, script.now_s)
    return script.run()


def screens() -> dict[Path, str]:
    """Each golden file with what stands in it."""
    limited, many = closing_run(), scripted_run(("resumed", "unpooled"), ("other", "pooled"))
    found = {f"limit-{columns}": screen(limited, columns) for columns in (40, 80, 120, 200)}
    found |= {
        "limit-80-ascii": screen(limited, 80, encoding="ascii"),
        "limit-80-terminal": screen(limited, 80, is_terminal=True),
        "limit-80-verbose": screen(limited, 80, verbose=True),
        "four-arms-80": screen(many, 80),
        "nothing-reused-80": screen(_nothing_reused(), 80),
        "everything-80-terminal": screen(everything(), 80, is_terminal=True),
        "sweep-80": screen(scripted_sweep(1, 2, 4, 8), 80),
    }
    found |= _of_traces() | _of_probes()
    return {FOLDER / f"{name}.txt": text for name, text in found.items()}


def _of_traces() -> dict[str, str]:
    required = (
        "reuse>=90%",
        "api.example.co: opened.unread-response==0",
        "latency_reused.p95<=50ms",
    )
    mixed = usages.report_of(usages.mixed(), *required)
    found = {f"trace-mixed-{columns}": trace_screen(mixed, columns) for columns in (80, 200)}
    found |= {
        "trace-mixed-80-ascii": trace_screen(mixed, 80, encoding="ascii"),
        "trace-mixed-80-verbose": trace_screen(mixed, 80, verbose=True),
    }
    others = {
        "no-session": usages.no_session(),
        "well": usages.well(),
        "nothing": usages.nothing(),
        "silent": usages.silent(),
        "hostile": usages.hostile(),
        "many-origins": usages.many_origins(),
    }
    for name, usage in others.items():
        found[f"trace-{name}-80"] = trace_screen(usages.report_of(usage), 80)
    return found


def _of_probes() -> dict[str, str]:
    worlds = probes.worlds()
    required = ("idle_timeout>=60s", "silent_drop>=350s", "lifetime>=1min")
    whole = probes.report_on(worlds["everything"], *required)
    found = {f"probe-everything-{columns}": probe_screen(whole, columns) for columns in (80, 200)}
    found |= {
        "probe-everything-80-ascii": probe_screen(whole, 80, encoding="ascii"),
        "probe-everything-80-verbose": probe_screen(whole, 80, verbose=True),
        "probe-everything-80-terminal": probe_screen(whole, 80, is_terminal=True),
    }
    for name, probed in worlds.items():
        if name != "everything":
            report = probes.report_on(probed)
            found[f"probe-{name.replace(' ', '-')}-80"] = probe_screen(report, 80)
    return found
