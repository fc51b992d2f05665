"""Connections that live at the same time, a thread each: nearly always, all of them wait."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple, Protocol

import keepalive_bench
from keepalive_bench.errors import limit_reached
from keepalive_bench.net.wire_opener import WireOpener
from keepalive_bench.probe.living import Shared, live, way_of
from keepalive_bench.probe.messages import Messages
from keepalive_bench.probe.record import Seen
from keepalive_bench.results.exchange import Failure
from keepalive_bench.results.failure_kinds import LIMIT_REACHED

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.plan.probing import ProbePlan
    from keepalive_bench.probe.lives import Life

_SECOND = 1_000_000_000
_MOST_TO_END_S = 0.5


class Noted(NamedTuple):
    """What became known of a connection."""

    number: int
    seen: Seen
    """All that is known of it."""
    is_over: bool


class Transport(Protocol):
    """The seam at the network and the clock: `tests/support/scripted_probe.py` has another one."""

    def now_s(self) -> float:
        """The time since the probe began."""

    def begin(self, number: int, life: Life) -> None:
        """Have a connection begin to live."""

    def wait(self, until_s: float) -> Noted | None:
        """The next thing that becomes known, until a time; `None`: nothing, or somebody woke us."""

    def end(self, number: int) -> None:
        """End a connection's life: it says what it has seen, and is over."""


class LiveTransport:
    """Real connections.

    `wake` is called when something becomes known, `pause` to wait so long for that.

    Raises:
        UsageError: a file that the plan names can't be used, or urllib3 is another library.
    """

    def __init__(
        self,
        plan: ProbePlan,
        wake: Callable[[], None],
        pause: Callable[[float], object],
    ) -> None:
        self._wake, self._pause, self._clock = wake, pause, time.monotonic_ns
        opener = WireOpener(plan.target, plan.network, plan.tls, self._clock)
        self._noted: SimpleQueue[Noted] = SimpleQueue()
        self._threads: list[Thread] = []
        messages = Messages(plan, f"kab/{keepalive_bench.__version__}")
        self._shared = Shared(plan, opener, messages, self._clock, self._clock(), {}, set())

    def now_s(self) -> float:
        """The time since the probe began."""
        return (self._clock() - self._shared.origin_ns) / _SECOND

    def begin(self, number: int, life: Life) -> None:
        """Have a connection begin to live, in a thread of its own; if one can be started."""
        self._shared.opener.prepare(way_of(life))

        def lived() -> None:
            seen = live(
                self._shared,
                number,
                life,
                lambda it: self._note(Noted(number, it, is_over=False)),
            )
            self._note(Noted(number, seen, is_over=True))

        thread = Thread(target=lived, name=f"kab-connection-{number}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            failure = Failure(LIMIT_REACHED.code, limit_reached(error) or f"{error}")
            seen = Seen(life.part, life.name, failure=failure)
            self._note(Noted(number, seen, is_over=True))
            return
        self._threads.append(thread)

    def wait(self, until_s: float) -> Noted | None:
        """The next thing that becomes known, until a time; `None`: nothing, or somebody woke us."""
        if self._noted.empty():
            self._pause(max(0.0, until_s - self.now_s()))
        try:
            return self._noted.get_nowait()
        except Empty:
            return None

    def end(self, number: int) -> None:
        """End one of them; a request that is under way is forgotten."""
        self._shared.ended.add(number)
        wire = self._shared.wires.get(number)
        if wire is not None:
            wire.halt()

    def close(self) -> None:
        """End all, and wait for them: not for who still opens a connection."""
        for number in tuple(self._shared.wires):
            self.end(number)
        until_s = self.now_s() + _MOST_TO_END_S
        for it in self._threads:
            it.join(max(0.0, until_s - self.now_s()))

    def _note(self, noted: Noted) -> None:
        self._noted.put(noted)
        self._wake()
