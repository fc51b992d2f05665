"""Which request of a block is next, when it is to start, and how many were due: no threads here."""

from __future__ import annotations

from bisect import bisect_left
from math import inf
from typing import TYPE_CHECKING

from keepalive_bench.engine.pacing import Turn
from keepalive_bench.engine.schedule import BlockEnd
from keepalive_bench.plan.load import LATE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from keepalive_bench.engine.pacing import Pacing
    from keepalive_bench.engine.schedule import Block

LATEST_S = 1.0
"""After time is over, how long what was due before is still sent, or a round may go on."""
Claim = tuple[int, "float | None"]
"""A request's index, and when it is to start; `None`: at once."""


class Dispatcher:
    """Goes through blocks, and gives their requests to workers that ask for one.

    Not safe by itself: one thread at a time asks, and none while the next block begins. `threads`
    has how many work on each arm, by label; `pacing`, what they wait for, if they do.
    """

    def __init__(
        self,
        threads: Mapping[str, int],
        pacing: Pacing | None,
        now_s: Callable[[], float],
        first_worker: int = 0,
    ) -> None:
        self._threads, self._pacing, self._now_s = threads, pacing, now_s
        self._first_worker = first_worker
        self.stopped: set[str] = set()
        """Arms that don't go on."""
        self.block: Block | None = None
        self._claimed, self._began_s = 0, 0.0
        self._ends_s = self._cut_s = inf
        self._reached = dict.fromkeys(threads, 0)
        self._rested_s = dict.fromkeys(threads, -inf)
        self._last: dict[int, tuple[float, int]] = {}
        """When each worker's last request of the block ended, and its index."""
        self._late_s, self._idle_blocks = 0.0, 0
        self._behind_s: dict[str, float] = {}

    @property
    def reached(self) -> dict[str, int]:
        """How many requests of each arm were due before time, or a rule, ended the run."""
        if self.block is None or self._ends_s == inf:
            return self._reached
        arm = self.block.arm
        return {**self._reached, arm: self._reached[arm] + self._claimed}

    def begin(self, block: Block) -> None:
        """Go on with a block; the one before has been left."""
        self.block, self._claimed = block, 0
        if self._pacing is not None:
            self._began_s = block.began_s - self._behind_s.get(block.arm, 0.0)
        self._ends_s = self._cut_s = inf
        if block.seconds is not None:
            began_s = self._now_s() if self._pacing is None else block.began_s
            self._ends_s = self._cut_s = began_s + block.seconds
        elif block.over_s is not None:
            self._ends_s, self._cut_s = block.over_s, block.over_s + LATEST_S
        else:
            self._reached[block.arm] += len(block.indexes)

    def leave(self) -> BlockEnd | None:
        """The block is over: what the times of the next ones depend on; without pacing, nothing."""
        block, pacing = self.block, self._pacing
        self._reached, self.block = self.reached, None
        if block is not None and block.indexes:
            self._idle_blocks = 0 if self._claimed else self._idle_blocks + 1
        if block is None or pacing is None:
            return None
        lasts_to_s, behind_s = 0.0 if self._claimed else self._began_s, 0.0
        if self._claimed == len(block.indexes) and block.arm not in self.stopped:
            lasts_to_s = self._began_s + pacing.lasts_s(block.indexes.stop - block.first)
            if pacing.is_schedule:
                behind_s = self._behind(block, pacing, lasts_to_s)
        self._behind_s[block.arm] = behind_s
        self._last.clear()
        return BlockEnd(self._claimed > 0, lasts_to_s, self._rested_s[block.arm])

    def _behind(self, block: Block, pacing: Pacing, lasts_to_s: float) -> float:
        """How far the schedule of an arm is behind at a block's end: its next block takes it up.

        A stall at a block's end delays what was to start after it, too. It is one where it holds
        all threads, or all requests from some one on, several of them; threads that are left would
        have started as many more. A single slow answer holds nobody up.
        """
        threads, step = self._threads[block.arm], block.indexes.step
        held = sorted(last for last in self._last.values() if last[0] > lasts_to_s)
        if not held:
            return 0.0
        idle = 0 if self._late_s >= LATE_S else threads - len(held)
        from_it_on = (block.indexes[-1] - min(index for _, index in held)) // step + 1
        if idle and (len(held) == 1 or len(held) != from_it_on):
            return 0.0
        return max(0.0, held[0][0] - lasts_to_s - pacing.lasts_s(idle * step))

    @property
    def is_over(self) -> bool:
        """Whether nobody has anything to do any more: all arms are stopped, or out of time."""
        return self._idle_blocks >= len(self._threads) - len(self.stopped)

    def claim(self, worker: int, own_s: float) -> Claim | None:
        """A worker's next request; `own_s` is when its last one of the arm ended, or -infinity."""
        block = self.block
        if block is None or self._claimed >= len(block.indexes) or block.arm in self.stopped:
            return None
        index, start_s = block.indexes[self._claimed], None
        if self._pacing is not None:
            start_s = self._start_s(block, self._pacing, index, worker, own_s)
        if self._ends_s != inf and self._is_too_late(block, start_s):
            return None
        self._claimed += 1
        if start_s is not None:
            self._late_s = self._now_s() - start_s
        return index, start_s

    def give_back(self) -> None:
        """What was claimed isn't sent: its arm, or all, has been stopped."""
        self._claimed -= 1

    def ended(self, worker: int, arm: str, index: int) -> None:
        """Note that a worker's request is over; without pacing, nobody asks when."""
        if self._pacing is not None:
            self._rested_s[arm] = now_s = self._now_s()
            self._last[worker] = now_s, index

    def _start_s(
        self, block: Block, pacing: Pacing, index: int, worker: int, own_s: float
    ) -> float:
        position, worker = index - block.first, self._first_worker + worker
        return pacing.start_s(Turn(index, position, worker, self._began_s, own_s, block.rested_s))

    def _is_too_late(self, block: Block, start_s: float | None) -> bool:
        """Whether a block's time is over for its next request.

        What was due before, but is late, is sent for a moment more; the rest of it was due, too.
        """
        now_s, ends_s, pacing = self._now_s(), self._ends_s, self._pacing
        if start_s is None or pacing is None:
            return now_s >= self._cut_s
        if not pacing.is_schedule:
            return start_s >= ends_s if start_s > now_s else now_s >= self._cut_s
        if start_s < ends_s and now_s >= ends_s + LATEST_S:
            left = block.indexes[self._claimed :]
            self._claimed += bisect_left(
                left, ends_s, key=lambda index: self._start_s(block, pacing, index, 0, -inf)
            )
            return True
        return start_s >= ends_s
