"""What whoever waits for a probe is told meanwhile: what is known so far."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.live import Live
from rich.text import Text

from keepalive_bench.probe.analysis.closings import closings_of
from keepalive_bench.probe.analysis.drops import bracket_of
from keepalive_bench.units import between, duration, for_terminal, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from keepalive_bench.probe.agenda import State


_SILENT_S = 30.0
"""How long nothing is said at most."""


def standing(state: State) -> str:
    """How far a probe is, and what is known: one line."""
    return " · ".join((f"{state.now_s:.0f} s", *_facts(state)))


def _facts(state: State) -> Iterator[str]:
    """The news first, what anybody can do without last."""
    closings = closings_of(state.seen)
    if closings:
        ends = between(closings[0][0], closings[-1][0])
        yield f"{len(closings)} closed after {ends}"
    bracket = bracket_of(state.seen, state.now_s)
    if bracket is not None:
        yield f"lost after {between(*bracket)}"
    answered = _longest_answered(state, "reused", "narrowed")
    if answered:
        yield f"reuse answered after {duration(answered)}"
    yield f"{_open(state)} open"


def _open(state: State) -> int:
    return sum(state.seen[it].opened_s is not None for it in state.running)


def _longest_answered(state: State, *parts: str) -> float:
    return max(
        (each.idle_s for it in state.of(*parts) for each in it.answered if each.idle_s is not None),
        default=0.0,
    )


class News:
    """Says what has become known since it was last told, where no line can be drawn anew."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._answered_s = 0.0
        self._closed = 0
        self._told_s = 0.0
        self._bracket: tuple[float, float] | None = None

    def tell(self, state: State) -> None:
        """Say what is new."""
        news = [*self._news(state)]
        if not news and state.now_s - self._told_s >= _SILENT_S:
            news = [f"{state.now_s:.0f} s: {plural(_open(state), 'connection')} open."]
        for it in news:
            self._say(it)
            self._told_s = state.now_s

    def _news(self, state: State) -> Iterator[str]:
        answered_s = _longest_answered(state, "reused")
        if answered_s > self._answered_s:
            yield f"A reuse after {duration(answered_s)} was answered."
        closings = closings_of(state.seen)
        if len(closings) > self._closed and not self._closed:
            yield f"An idle connection was closed after {duration(closings[0][0])}."
        bracket = bracket_of(state.seen, state.now_s) if state.has_done("narrowed") else None
        if bracket is not None and bracket != self._bracket:
            yield f"Reuses are lost from {between(*bracket)} of idle time on."
        self._answered_s, self._closed = answered_s, len(closings)
        self._bracket = bracket or self._bracket


@contextmanager
def line(console: Console) -> Iterator[Callable[[State], None]]:
    """Draws how far it is on a terminal, and leaves nothing behind."""
    plain_ascii = console.options.ascii_only
    live = Live(
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )

    def draw(state: State) -> None:
        words = for_terminal(standing(state), plain_ascii=plain_ascii)
        live.update(Text(words, no_wrap=True, overflow="crop"), refresh=True)

    with live:
        yield draw
