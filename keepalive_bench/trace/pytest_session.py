"""`pytest --keepalive`: how all tests together used their connections, told at the end.

One process makes a folder for the records and reports them. With pytest-xdist that is the one that
has the terminal; its workers get to know the folder, and record there.
"""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from keepalive_bench.trace.watch import recording_into, records_folder, usage_in
from keepalive_bench.trace.watched import report_text

if TYPE_CHECKING:
    from typing import TextIO

    from _pytest.terminal import TerminalReporter

_FOLDER, _UNSEEN = "keepalive_records", "keepalive_unseen"


class _Node(Protocol):
    """A worker of pytest-xdist's, as the process that started it knows it."""

    workerinput: dict[str, Any]
    workeroutput: dict[str, Any]


class SessionWatch:
    """Traces one process of a session."""

    def __init__(self, config: pytest.Config) -> None:
        self._kept, self._tracing = ExitStack(), ExitStack()
        self._unseen = 0
        """How many workers couldn't record."""
        given = getattr(config, "workerinput", {}).get(_FOLDER)
        self._folder = Path(given) if given else self._kept.enter_context(records_folder())
        if self._folder.is_dir():
            self._tracing.enter_context(recording_into(self._folder))
        else:  # it is another machine's
            config.workeroutput[_UNSEEN] = True  # type: ignore[attr-defined]  # a worker has it

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: _Node) -> None:
        """Tell a worker where to record."""
        node.workerinput[_FOLDER] = str(self._folder)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: _Node) -> None:
        """Note whether a worker recorded."""
        self._unseen += bool(getattr(node, "workeroutput", {}).get(_UNSEEN))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Trace no more: tests and fixtures are done."""
        self._tracing.close()

    def pytest_terminal_summary(
        self, terminalreporter: TerminalReporter, config: pytest.Config
    ) -> None:
        """Report."""
        terminalreporter.section("keepalive")
        usage = usage_in(self._folder)
        text = report_text(
            usage,
            columns=shutil.get_terminal_size().columns,
            plain_ascii=not _is_unicode(sys.__stdout__),
            verbose=config.getoption("verbose") > 0,
        )
        terminalreporter.write_line(text)
        if self._unseen:
            terminalreporter.write_line(f"Not traced: {self._unseen} workers on other machines.")

    def pytest_unconfigure(self) -> None:
        """Leave nothing behind, however the session went."""
        self._tracing.close()
        self._kept.close()


def _is_unicode(stream: TextIO | None) -> bool:
    return stream is not None and stream.encoding.lower().startswith("utf")
