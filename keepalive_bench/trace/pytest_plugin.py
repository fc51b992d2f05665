"""The pytest plugin: the fixture `keepalive`, the mark `reuses_connections`, `pytest --keepalive`.

pytest loads it wherever kab is installed, so it imports nothing of kab's until it is used, and
takes nothing of pytest's that version 7 doesn't have.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from keepalive_bench.trace.watch import Seen, Threads

_MARK = "reuses_connections"
_TAKEN = "the mark takes max_opened (a number), origin (a text) and threads ('all' or 'own')"
_SECTION = "keepalive"
_SEEN = pytest.StashKey["list[Seen]"]()
"""What was watched in a test."""


class Keepalive:
    """Watches how a test uses its connections; where the test fails, its report is shown."""

    def __init__(self, seen: list[Seen]) -> None:
        self._seen = seen

    @contextmanager
    def watch(self, *, threads: Threads = "all") -> Iterator[Seen]:
        """The same as `keepalive_bench.watch`."""
        from keepalive_bench.trace.watch import watch

        with watch(threads=threads) as seen:
            self._seen.append(seen)
            yield seen


class ReusesConnections(NamedTuple):
    """What the mark asks for."""

    max_opened: int = 1
    origin: str | None = None
    threads: Threads = "all"

    def is_valid(self) -> bool:
        """Whether these are such values as it takes: anybody may have written them."""
        is_origin = self.origin is None or isinstance(self.origin, str)
        return isinstance(self.max_opened, int) and is_origin and self.threads in {"all", "own"}


@pytest.fixture
def keepalive(request: pytest.FixtureRequest) -> Keepalive:
    """Watch how a block uses its HTTP connections: `with keepalive.watch() as seen`."""
    return _keepalive_of(request.node)


def _keepalive_of(item: pytest.Item) -> Keepalive:
    return Keepalive(item.stash.setdefault(_SEEN, []))


def pytest_addoption(parser: pytest.Parser) -> None:  # noqa: D103
    parser.getgroup("keepalive").addoption(
        "--keepalive",
        action="store_true",
        help="report how all tests used their HTTP connections, and why each was opened",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark, and begin to watch where that is asked for."""
    config.addinivalue_line(
        "markers",
        f"{_MARK}(max_opened=1, origin=None, threads='all'): fail the test if it opens more HTTP "
        "connections than that to an origin: a host, host:port or scheme://host:port; without "
        "one, to any",
    )
    if config.getoption("keepalive"):
        from keepalive_bench.trace.pytest_session import SessionWatch

        config.pluginmanager.register(SessionWatch(config), "keepalive-session")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, None]:
    """Watch a test that has the mark, and fail it where it passed and the mark's limit didn't."""
    marks = [_asked(it) for it in item.iter_markers(_MARK)]
    if not marks:
        yield
        return
    with ExitStack() as stack:
        watch = _keepalive_of(item).watch
        watched = [(it, stack.enter_context(watch(threads=it.threads))) for it in marks]
        outcome = yield
    if outcome.excinfo is None:
        from keepalive_bench.trace.pytest_words import excess

        texts = [excess(seen, it.max_opened, it.origin) for it, seen in watched]
        if any(texts):
            _fail(outcome, "\n".join(filter(None, texts)))


def _fail(outcome: Any, text: str) -> None:  # noqa: ANN401  # pytest doesn't name its type
    error = pytest.fail.Exception(text, pytrace=False)
    if hasattr(outcome, "force_exception"):
        outcome.force_exception(error)
    else:  # pluggy before 1.1, which pytest 7 goes with
        outcome._excinfo = type(error), error, None  # noqa: SLF001  # what that has instead


def _asked(mark: pytest.Mark) -> ReusesConnections:
    try:
        asked = ReusesConnections(*mark.args, **mark.kwargs)
    except TypeError:  # others
        asked = None
    if asked is None or not asked.is_valid():
        shown = ", ".join([*map(repr, mark.args), *(f"{k}={v!r}" for k, v in mark.kwargs.items())])
        pytest.fail(f"{_MARK}({shown}): {_TAKEN}.", pytrace=False)
    return asked


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Show what was watched in a test that failed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and _SEEN in item.stash:
        from keepalive_bench.trace.pytest_words import told

        verbose = item.config.getoption("verbose") > 0
        report.sections += [(_SECTION, told(it, verbose=verbose)) for it in item.stash[_SEEN]]


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Tell why there were so many where an assertion says that there were too many."""
    if "keepalive_bench.trace.watch" not in sys.modules:  # then nothing was watched
        return None
    from keepalive_bench.trace.pytest_words import compared

    return compared(op, left, right)
