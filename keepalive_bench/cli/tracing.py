"""From a program, or its records, to a shown report of how it used its connections."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from keepalive_bench.cli import exports
from keepalive_bench.cli.output_file import discard_drafts, open_output, target_of
from keepalive_bench.cli.screen import STDOUT, Screen
from keepalive_bench.errors import ExitCode, KabError, UsageError, limit_reached
from keepalive_bench.trace.program import run
from keepalive_bench.trace.program.ending import end_likewise, finish
from keepalive_bench.trace.program.folder import Folder, running
from keepalive_bench.trace.program.starting import environment
from keepalive_bench.units import clipped, filename, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keepalive_bench.analysis import Requirement
    from keepalive_bench.plan.options import Asked
    from keepalive_bench.trace.report import TraceReport


class Judging(NamedTuple):
    """What a program's connections are held against."""

    requirements: Sequence[Requirement]
    strict: bool


def traced(
    words: Sequence[str], folder: Folder, most_bytes: int, judging: Judging, asked: Asked
) -> int:
    """Run a program, and report; the exit code. What goes wrong with the report is only told."""
    wanted = exports.wanted(asked)
    status = code = None
    try:
        with exports.opened(wanted) as files, ExitStack() as unfinished:
            path = asked[REPORT]
            file = unfinished.enter_context(_opened(path, wanted)) if path is not None else None
            status = code = run(words, environment(folder.path, most_bytes))
            finish(partial(_leave, folder, status))
            report = _report(folder.path, judging)
            if status == 0 and _is_missed(report):
                code = ExitCode.REQUIREMENT_MISSED
            shown = Screen({STDOUT}, asked, file=file)
            try:
                with unfinished:
                    _show(report, shown, folder)
            finally:
                files.write(report)
    except Exception as error:
        if status is None:  # it didn't start
            raise
        folder.is_kept = True
        _tell(f"Error: {_why(error)} Its records are kept: kab trace --read {folder.path}")
    finally:
        folder.discard()
    return end_likewise(code)
