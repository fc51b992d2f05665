"""The queues of pools: what waits there for its next request, and what has no place."""

from __future__ import annotations

import queue
from threading import get_ident
from typing import TYPE_CHECKING, Any, ClassVar

from keepalive_bench.results.exchange import Ending

if TYPE_CHECKING:
    from keepalive_bench.net.tracer import Tracer

_NOT_HELD, _NOTHING_LEFT = object(), object()


class TracedQueue(queue.LifoQueue[Any]):
    """A pool's queue: times the wait for a free connection, and notes which are thrown away."""

    tracer: ClassVar[Tracer]

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ANN401, FBT001, FBT002  # the queue's signature
        """Put a connection back, or note that there is no place for it."""
        try:
            super().put(item, block, timeout)
        except queue.Full:
            if item is not None:
                item.ending = Ending("discarded")
            raise

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ANN401, FBT001, FBT002  # the queue's signature
        """Take one out, and note how long that takes where none is free."""
        try:
            return super().get(block=False)
        except queue.Empty:
            if not block:
                raise
        clock, trace = self.tracer.clock, self.tracer.trace
        began = clock()
        try:
            return super().get(timeout=timeout)
        finally:
            trace.pool_wait = clock() - began


class SingleUseQueue(TracedQueue):
    """A pool's queue that keeps no connection: the place becomes free, the connection is retired.

    Whoever asked for the exchange closes it when the clock has stopped.
    """

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ANN401, FBT001, FBT002  # the queue's signature
        """Give the place back without the connection."""
        if item is not None:
            item.ending = Ending("retired")
            self.tracer.trace.retired = item
        super().put(None, block, timeout)


class HoldingQueue(TracedQueue):
    """The queue of a pool that never makes a thread wait, which may be told to `hold` still.

    A thread that goes on without a pause takes its next connection right after it has put the last
    one back. If kab lets others have their turn in between, it takes it before that rather than
    after: no more and no fewer connections wait in the pool than if nobody had had a turn.
    """

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._held: dict[int, Any] = {}

    def hold(self) -> None:
        """Take the calling thread's next connection out, for its next `get`."""
        if get_ident() in self._held:  # it had no turn since
            return
        try:
            self._held[get_ident()] = super().get(block=False)
        except queue.Empty:
            self._held[get_ident()] = _NOTHING_LEFT

    def let_go(self) -> None:
        """Close what is held: its threads have ended."""
        for item in list(self._held.values()):
            if item is not None and item is not _NOTHING_LEFT:
                item.close()
        self._held.clear()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ANN401, FBT001, FBT002  # the queue's signature
        """What was held for the calling thread, or else what there is."""
        item = self._held.pop(get_ident(), _NOT_HELD) if self._held else _NOT_HELD
        if item is _NOT_HELD:
            return super().get(block, timeout)
        if item is _NOTHING_LEFT:
            raise queue.Empty
        return item
