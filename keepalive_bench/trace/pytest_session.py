"""`pytest --keepalive`: how all tests used their connections, told at the end.

The process that reports makes one folder for all records; with pytest-xdist, its workers get that
folder's name, and record there, too.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from keepalive_bench.trace.watch import records_folder, recording_into, usage_in
from keepalive_bench.trace.watched import report_lines

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

_KEY = "keepalive_records"


class SessionWatch:
    """Watches a process of a session, and reports where that is the one that has a terminal."""

    def __init__(self, config: pytest.Config) -> None:
        given: dict[str, Any] | None = getattr(config, "workerinput", None)
        self._stack = ExitStack()
        self._unrecorded: list[str] = []
        self._folder = self._stack.enter_context(records_folder()) if given is None else given[_KEY]
        if os.path.isdir(self._folder):
            self._stack.enter_context(recording_into(self._folder))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where to record."""
        node.workerinput[_KEY] = self._folder

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Report what was recorded."""
        terminalreporter.section("keepalive")
        for line in report_lines(usage_in(self._folder)):
            terminalreporter.write_line(line)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Take the patches out, and remove what was recorded."""
        self._stack.close()
