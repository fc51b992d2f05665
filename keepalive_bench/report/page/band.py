"""Connections that carry one request each, as one band: how many there are at a time."""

from __future__ import annotations

from array import array
from itertools import accumulate
from typing import TYPE_CHECKING

from keepalive_bench.results.table import optional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.results.run import Run

_STEPS = 300
_DIGITS = 2


class Steps:
    """How many of some spans of time there are in each step, on average."""

    def __init__(self, last_s: float) -> None:
        self._per_s = _STEPS / (last_s or 1.0)
        self._partly = array("d", bytes(8 * (_STEPS + 2)))
        self._changes = array("d", bytes(8 * (_STEPS + 2)))

    def add(self, start_s: float, end_s: float) -> None:
        """Count a span; what lies beyond the last step is left out."""
        start, end = start_s * self._per_s, end_s * self._per_s
        if not 0 <= start < end <= _STEPS:
            start, end = (min(max(it, 0.0), float(_STEPS)) for it in (start, end))
        first, last = int(start), int(end)
        if first == last:
            self._partly[first] += max(end - start, 0.0)
        elif first < last:
            self._partly[first] += first + 1 - start
            self._partly[last] += end - last
            self._changes[first + 1] += 1
            self._changes[last] -= 1

    @property
    def averages(self) -> list[float]:
        """One a step."""
        both = zip(self._partly, accumulate(self._changes), strict=True)
        return [round(partly + wholly, _DIGITS) for partly, wholly in both][:_STEPS]


def band(run: Run, label: str, ready_s: Sequence[float], last_s: float) -> dict[str, list[float]]:
    """How many of an arm's connections are being opened, and in use, in each step of a run."""
    opening, used = Steps(last_s), Steps(last_s)
    it, opened_s = run.exchanges, run.connections.opened_s
    for row in it.rows(label):
        connection = it.connection[row]
        if connection >= 0:
            started, ready = it.started_s[row], ready_s[connection]
            opening.add(min(started, opened_s[connection]), ready)
            used.add(max(started, ready), it.began_s[row] + it.latency_s[row])
    return {"opening": opening.averages, "used": used.averages}


def connections_ready(run: Run) -> Sequence[float]:
    """When each connection's last handshake was over, in seconds from the start of the run.

    TCP's is at `opened_s`; those in a tunnel, and TLS, come after it.
    """
    setups = run.setups()
    return array(
        "d",
        (
            opened_s + (optional(tunnel) or 0.0) + (optional(tls) or 0.0)
            for opened_s, tunnel, tls in zip(
                run.connections.opened_s, setups["tunnel"], setups["tls"], strict=True
            )
        ),
    )
