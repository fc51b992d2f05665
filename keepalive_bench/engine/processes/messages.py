"""What a run's processes say to each other, and the pipes that it goes through."""

from __future__ import annotations

import pickle
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Collection
    from pathlib import Path
    from typing import BinaryIO

    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.measured import WarmUp
    from keepalive_bench.results.table import ColumnTable


@dataclass(frozen=True, kw_only=True)
class Task:
    """What all processes are told first."""

    plan: Plan
    folder: Path
    """Where the plan's relative paths begin."""


class Start(NamedTuple):
    """All are ready."""

    origin: int
    """The zero of the run's times, on the clock that all processes share."""


class Word(Enum):
    """What a process is told without more."""

    END = "there are no more blocks"
    HALT = "stop at once, and report"


class Ready(NamedTuple):
    """A process has warmed up."""

    warmup: dict[str, WarmUp]


class Failed(NamedTuple):
    """A process can't go on."""

    why: str


class Rows(NamedTuple):
    """Some rows of exchanges, or of connections."""

    of_exchanges: bool
    columns: dict[str, array[Any]]
    values: dict[str, list[Any]]
    """By column, what its numbers stand for, as far as it wasn't said before."""


class Channel:
    """A pipe each way. What goes through is pickled: both ends are kab, and no user's words run."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming, self._outgoing, self._lock = incoming, outgoing, Lock()

    def send(self, message: object) -> None:
        """Say something; safe from any thread.

        Raises:
            OSError: the other end is gone.
        """
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        with self._lock:
            self._outgoing.write(data)
            self._outgoing.flush()

    def hang_up(self) -> None:
        """Say nothing more; what was still to be sent may have no reader any more."""
        with suppress(OSError):
            self._outgoing.close()

    def receive(self) -> Any:  # noqa: ANN401  # whatever the other end sends
        """What the other end said next.

        Raises:
            EOFError: it is gone.
        """
        try:
            return pickle.load(self._incoming)  # noqa: S301  # our own child's, or parent's
        except Exception as error:  # whatever is raised by what is no message
            raise EOFError from error


class Sender:
    """Sends the rows of a table away, from the first on: what is sent isn't kept.

    Safe from any thread: on Ctrl-C, two may have something to say.
    """

    def __init__(
        self, table: ColumnTable[Any], say: Callable[[Rows], None], most: int, *, of_exchanges: bool
    ) -> None:
        """`most` is how many rows `say` gets at once."""
        self._table, self._say, self._most = table, say, most
        self._of_exchanges, self._lock = of_exchanges, Lock()
        self._said = dict.fromkeys(table.value_tables, 0)

    def send(self) -> None:
        """Send what there is."""
        with self._lock:
            while len(self._table):
                self._say(self._taken())

    def _taken(self) -> Rows:
        with self._table.lock:
            columns = {name: it[: self._most] for name, it in self._table.columns().items()}
            for column in self._table.columns().values():
                del column[: self._most]
            values = {}
            for name, known in self._table.value_tables.items():
                values[name] = known.values[self._said[name] :]
                self._said[name] = len(known.values)
        return Rows(self._of_exchanges, columns, values)


def put(table: ColumnTable[Any], rows: Rows, names: Collection[str] | None = None) -> None:
    """Append rows to the table that stands for the sender's; of some columns only, if so named."""
    for name, column in table.columns().items():
        if names is None or name in names:
            column.extend(rows.columns[name])
    for name, known in table.value_tables.items():
        if names is None or name in names:
            known.extend(rows.values[name])


def clear(table: ColumnTable[Any]) -> None:
    """Take all rows away."""
    for column in table.columns().values():
        del column[:]
