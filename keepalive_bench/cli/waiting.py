"""What whoever waits for a measurement is shown meanwhile."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from keepalive_bench.engine.interrupts import held_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keepalive_bench.cli.screen import Screen
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.report.progress import Progress
    from keepalive_bench.results.exchange import Exchange


@contextmanager
def followed(plan: Plan, shown: Screen) -> Iterator[Callable[[Exchange], None] | None]:
    """What is to be told of each exchange, for as long as a plan is carried out; `None`: nothing.

    Where standard error is a terminal, it has a bar; elsewhere, what is asked and a line every 10
    seconds. `-v` shows a line for each response instead of the bar.
    """
    # Not all of it is always needed.
    told_of: Callable[[Exchange], None] | None = None
    if shown.verbose and plan.experiment.processes == 1:
        from keepalive_bench.report.verbose import exchange_line  # noqa: PLC0415

        def told_of(exchange: Exchange) -> None:
            shown.show_lines([exchange_line(plan, exchange)])

    if shown.quiet:
        yield told_of
    elif not shown.can_draw:
        from keepalive_bench.report.preamble import planned  # noqa: PLC0415
        from keepalive_bench.report.progress import progress_lines  # noqa: PLC0415

        shown.remark(planned(plan))
        lines = progress_lines(plan.experiment, shown.remark)
        with _looking(lines):
            yield lines if told_of is None else _both(told_of, lines)
    elif told_of is None:
        from keepalive_bench.report.progress_bar import progress_bar  # noqa: PLC0415

        with progress_bar(shown.err, plan) as bar, _looking(bar):
            yield bar
    else:
        yield told_of


@contextmanager
def _looking(progress: Progress) -> Iterator[None]:
    """Have it look again and again, in case nothing ends for long.

    It sleeps nearly always. Signals are left to the other threads: the main one may hold them back.
    """
    over = Event()

    def look() -> None:
        while not over.wait(progress.look()):
            pass

    thread = Thread(target=look, name="kab-progress", daemon=True)
    with suppress(RuntimeError), held_back():  # where no thread is left, nobody looks
        thread.start()
    try:
        yield
    finally:
        over.set()
        if thread.ident is not None:
            thread.join()


def _both(
    one: Callable[[Exchange], None], other: Callable[[Exchange], None]
) -> Callable[[Exchange], None]:
    def told_of(exchange: Exchange) -> None:
        one(exchange)
        other(exchange)

    return told_of
