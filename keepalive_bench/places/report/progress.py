"""How far each place is, for whoever waits."""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Literal, NamedTuple

from keepalive_bench.places.on_dask.work import Progress
from keepalive_bench.places.place import LostPlace
from keepalive_bench.report.progress import EVERY_S
from keepalive_bench.units import for_terminal, plural, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.run import Run

    News = Progress | Run | LostPlace
    Followed = Callable[[int, News], None]

_WIDTH = 20
_MOST_ROWS = 20


class _Ending(NamedTuple):
    word: Literal["done", "interrupted", "lost"]
    sentence: str
    """The same after the place's name."""


class PlacesStatus:
    """What is known of each place so far."""

    def __init__(self, names: Sequence[str], plans: Sequence[Plan]) -> None:
        self._names = [printable(it) for it in names]
        self._totals = [len(it.experiment.arms) * it.experiment.requests for it in plans]
        self._is_limited = all(it.experiment.is_limited for it in plans)
        self._counts = [0] * len(names)
        self._ended: dict[int, _Ending] = {}

    def note(self, number: int, said: News) -> None:
        """Something came of a place."""
        if isinstance(said, Progress):
            self._counts[number] = said.exchanges
        elif isinstance(said, LostPlace):
            self._ended[number] = _Ending("lost", f"is lost. {printable(said.why)}")
        elif said.run_info.interrupted:
            self._ended[number] = _Ending("interrupted", "was interrupted.")
        else:
            self._ended[number] = _Ending("done", "is done.")

    def sentence(self) -> str:
        """All places, in one line."""
        done = sum(self._counts)
        of = f" of {sum(self._totals):,}" if self._is_limited else ""
        places = plural(len(self._names), "place")
        return f"{done:,}{of} requests, {len(self._ended):,} of {places} ended"

    def ended(self, number: int) -> str:
        """That a place has told what it has, or never will."""
        outcome = self._ended[number].sentence
        return f"{self._names[number]} {outcome} ({len(self._ended):,} of {len(self._names):,})"

    def rows(self) -> Iterator[tuple[str, float | None, str]]:
        """A line for each place: name, share, and how far it is in words.

        Where there are too many, those that are still measuring come first.
        """
        numbers: Sequence[int] = range(len(self._names))
        if len(numbers) > _MOST_ROWS:
            numbers = sorted(numbers, key=self._ended.__contains__)[:_MOST_ROWS]
        for number in numbers:
            name, total, count = self._names[number], self._totals[number], self._counts[number]
            if number in self._ended:
                yield name, self._share_at_end(number), self._ended[number].word
            elif self._is_limited:
                yield name, count / total, f"{count:,} of {total:,}"
            else:
                yield name, None, plural(count, "request")

    def _share_at_end(self, number: int) -> float:
        """Nothing came of a lost place, however far it was."""
        word = self._ended[number].word
        if word == "interrupted" and self._is_limited:
            return self._counts[number] / self._totals[number]
        return 0.0 if word == "lost" else 1.0


@contextmanager
def bars(console: Console, status: PlacesStatus) -> Iterator[Followed]:
    """A bar for each place, and how far all are, on a terminal; they leave nothing behind."""
    from rich.console import Group  # noqa: PLC0415  # where there is a terminal
    from rich.live import Live  # noqa: PLC0415  # the same
    from rich.progress_bar import ProgressBar  # noqa: PLC0415  # the same
    from rich.table import Table as Grid  # noqa: PLC0415  # the same
    from rich.text import Text  # noqa: PLC0415  # the same

    plain_ascii = console.options.ascii_only

    def drawn() -> Group:
        grid = Grid.grid(padding=(0, 1))
        for name, share, words in status.rows():
            bar = ProgressBar(None if share is None else 1.0, share or 0.0, width=_WIDTH)
            shown = for_terminal(name, plain_ascii=plain_ascii)
            grid.add_row(Text(shown), bar, Text(words))
        return Group(grid, Text(status.sentence()))

    with Live(
        drawn(),
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as live:

        def followed(number: int, said: News) -> None:
            status.note(number, said)
            live.update(drawn(), refresh=True)

        yield followed


def lines(status: PlacesStatus, say: Callable[[str], None]) -> Followed:
    """A line as each place ends, and one every 10 seconds."""
    due_s = monotonic() + EVERY_S

    def followed(number: int, said: News) -> None:
        nonlocal due_s
        status.note(number, said)
        if not isinstance(said, Progress):
            say(status.ended(number))
        elif monotonic() >= due_s:
            due_s = monotonic() + EVERY_S
            say(status.sentence())

    return followed
