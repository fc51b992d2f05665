"""How long to wait for processes that may never say anything again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterable

LOOK_S = 0.5
"""How often to look at the processes that are waited for."""
_MOST_S = 2 * LOOK_S
"""What counts of the time between two looks. Longer means that whoever looks was stopped itself, or
the machine slept: that is no evidence against the others."""
_SILENCE_S = 10.0
"""How long all processes may say nothing after they were told to stop."""


class Patience:
    """Decides which processes to give up, from looks at them now and then."""

    def __init__(self, stopped_s: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        """`stopped_s` is how long a process may be stopped (as by SIGSTOP)."""
        self._limit_s, self._clock_s = stopped_s, clock_s
        self._looked_s = clock_s()
        self._stopped_s: dict[int, float] = {}
        self._silent_s = 0.0

    def heard(self) -> None:
        """Some process has said something."""
        self._silent_s = 0.0

    def look(
        self,
        owing: Iterable[int],
        stopped_by: Callable[[int], signal.Signals | None],
        *,
        halted: bool,
    ) -> dict[int, str]:
        """Which of those that owe something to give up, and why; it is soon enough to ask often.

        A process that is stopped may be continued. One that only says nothing may have nothing to
        say, until all were told to stop (`halted`).
        """
        passed_s = self._clock_s() - self._looked_s
        if passed_s < LOOK_S:
            return {}
        self._looked_s += passed_s
        passed_s = min(passed_s, _MOST_S)
        self._silent_s = self._silent_s + passed_s if halted else 0.0
        signals = {number: by for number in owing if (by := stopped_by(number)) is not None}
        before = self._stopped_s
        self._stopped_s = {
            number: before[number] + passed_s if number in before else 0.0 for number in signals
        }
        reasons = {number: self._reason(number, signals.get(number)) for number in owing}
        return {number: reason for number, reason in reasons.items() if reason is not None}

    def _reason(self, number: int, by: signal.Signals | None) -> str | None:
        """Why to give up a process, which a signal has stopped or none; `None`: go on waiting."""
        if by is not None and (stopped_s := self._stopped_s[number]) > self._limit_s:
            how = f"it was stopped ({by.name}) for {stopped_s:.1f} s"
            return f"{how}, longer than the timeout and grace"
        if self._silent_s >= _SILENCE_S:
            stopped = "" if by is None else f", because it was stopped ({by.name})"
            return f"it said nothing for {self._silent_s:.0f} s after it was told to stop{stopped}"
        return None
