"""Exchanges and connections as flat columns: 120 bytes an exchange at most, nothing to collect.

(Of an open load 124: how late each exchange started is kept, too.)

A million small objects would set the garbage collector going in the middle of a measurement;
an `array` doesn't. Durations of phases are single floats (relative error 6e-8: 2 µs in 30 s).
Rows are only ever appended. Whoever appends exchanges does so one at a time; connections are opened
by any thread, so they have a lock of their own.
"""

from __future__ import annotations

from array import array
from math import isnan, nan
from operator import add
from threading import Lock
from typing import TYPE_CHECKING, Any

from keepalive_bench.results.exchange import (
    ENDINGS,
    INTERRUPTED,
    PHASES,
    Answer,
    Connection,
    Ending,
    Exchange,
    Failure,
    Outcome,
    Phases,
)
from keepalive_bench.results.failure_kinds import OTHER
from keepalive_bench.results.value_table import ValueTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Handshake = tuple[str, str, bool]
"""What a TLS handshake settled on: version, cipher, and whether it resumed a session."""
_NONE = -1


class ExchangeColumns:
    """All exchanges of a run, in the order in which they ended.

    Of an open load (`queued`) they have a column more, and 4 bytes: how late each one started.
    """

    def __init__(self, arms: tuple[str, ...], *, queued: bool = False) -> None:
        self.arms = arms
        self.queued_s = array("f") if queued else None
        self.arm = array("B")
        self.index = array("i")
        self.round = array("I")
        self.connection = array("i")
        self.status = array("H")
        self.failure = array("h")
        self.answer = array("h")
        self.body_bytes = array("q")
        self.began_s = array("d")
        self.latency_s = array("d")
        self.phases = {name: array("f") for name in PHASES}
        self.failures: ValueTable[Failure] = ValueTable(
            Failure(OTHER.code, "more messages than are kept")
        )
        self.answers: ValueTable[Answer] = ValueTable(Answer("?"))
        self._arm_numbers = {label: number for number, label in enumerate(arms)}
        self._appends = tuple(column.append for column in self.phases.values())
        self.lock = Lock()
        """For whoever takes rows away while others may come; an append takes none."""

    def append(self, exchange: Exchange) -> None:
        """Add one exchange; where there is no memory for it, none of it is kept."""
        try:
            self._append(exchange)
        except MemoryError:
            _even(self.columns())
            raise

    def _append(self, exchange: Exchange) -> None:
        began_s, latency_s, connection, status, body_bytes, phases, answer, failure, queued_s = (
            exchange.outcome
        )
        self.arm.append(self._arm_numbers[exchange.arm])
        self.index.append(exchange.index)
        self.round.append(exchange.round)
        self.connection.append(_NONE if connection is None else connection)
        self.status.append(status or 0)
        self.failure.append(_NONE if failure is None else self.failures.number(failure))
        self.answer.append(_NONE if answer is None else self.answers.number(answer))
        self.body_bytes.append(body_bytes)
        self.began_s.append(began_s)
        self.latency_s.append(latency_s)
        for append, value in zip(self._appends, phases, strict=True):
            append(nan if value is None else value)
        if self.queued_s is not None:
            self.queued_s.append(nan if queued_s is None else queued_s)

    def __len__(self) -> int:
        return len(self.latency_s)

    def __getitem__(self, row: int) -> Exchange:
        failure, answer, connection = self.failure[row], self.answer[row], self.connection[row]
        return Exchange(
            self.arms[self.arm[row]],
            self.index[row],
            self.round[row],
            Outcome(
                began_s=self.began_s[row],
                latency_s=self.latency_s[row],
                connection=None if connection == _NONE else connection,
                status=self.status[row] or None,
                body_bytes=self.body_bytes[row],
                phases=Phases(*(optional(column[row]) for column in self.phases.values())),
                answer=None if answer == _NONE else self.answers.values[answer],
                failure=None if failure == _NONE else self.failures.values[failure],
                queued_s=None if self.queued_s is None else optional(self.queued_s[row]),
            ),
        )

    def __iter__(self) -> Iterator[Exchange]:
        return (self[row] for row in range(len(self)))

    def columns(self) -> dict[str, array[Any]]:
        """All columns by name, for a file."""
        return {
            "arm": self.arm,
            "index": self.index,
            "round": self.round,
            "connection": self.connection,
            "status": self.status,
            "failure": self.failure,
            "answer": self.answer,
            "body_bytes": self.body_bytes,
            "began_s": self.began_s,
            "latency_s": self.latency_s,
            **{f"{name}_s": column for name, column in self.phases.items()},
            **({} if self.queued_s is None else {"queued_s": self.queued_s}),
        }

    @property
    def interned(self) -> dict[str, ValueTable[Any]]:
        """What the numbers of some columns stand for, by the column's name."""
        return {"failure": self.failures, "answer": self.answers}

    @property
    def cut_off(self) -> frozenset[int]:
        """The numbers in the column `failure` that stand for what kab itself cut off."""
        kinds = enumerate(failure.kind for failure in self.failures.values)
        return frozenset(number for number, kind in kinds if kind == INTERRUPTED)

    @property
    def started_s(self) -> array[float]:
        """When each was really started, which for those of an open load is later than `began_s`."""
        if self.queued_s is None:
            return self.began_s
        late = (0.0 if isnan(value) else value for value in self.queued_s)
        return array("d", map(add, self.began_s, late))

    def rows(self, arm: str) -> list[int]:
        """The rows of one arm's exchanges."""
        number = self._arm_numbers[arm]
        return [row for row, other in enumerate(self.arm) if other == number]


class ConnectionColumns:
    """All connections of a run, in the order in which they were opened."""

    def __init__(self, arms: tuple[str, ...]) -> None:
        self.arms = arms
        self.arm = array("B")
        self.slot = array("H")
        self.opened_s = array("d")
        self.peer = array("h")
        self.failed = array("h")
        self.lost = array("f")
        self.min_rtt = array("f")
        self.cipher = array("h")
        self.exchanges = array("I")
        self.lifetime = array("f")
        self.ending = array("h")
        self.idle = array("f")
        self.closed_after = array("f")
        self.data = array("h")
        self.peers: ValueTable[str] = ValueTable("?")
        self.attempts: ValueTable[str] = ValueTable("?")
        self.unasked: ValueTable[str] = ValueTable("?")
        self.handshakes: ValueTable[Handshake] = ValueTable(("?", "?", False))
        self._arm_numbers = {label: number for number, label in enumerate(arms)}
        self.lock = Lock()
        """Held by whoever changes anything."""

    def append(self, connection: Connection) -> int:
        """Add one connection and return its row; safe from any thread.

        Where there is no memory for it, none of it is kept.
        """
        with self.lock:
            try:
                row = self._append(connection)
            except MemoryError:
                _even(self.columns())
                raise
        if connection.ending is not None and connection.ended_s is not None:
            self.ended(row, connection.ending, connection.ended_s)
        return row

    def _append(self, connection: Connection) -> int:
        version, cipher = connection.tls_version, connection.cipher
        self.arm.append(self._arm_numbers[connection.arm])
        self.slot.append(connection.slot)
        self.opened_s.append(connection.opened_s)
        self.peer.append(self.peers.number(connection.peer))
        failed = connection.failed
        self.failed.append(_NONE if failed is None else self.attempts.number(failed))
        self.lost.append(nan if connection.lost is None else connection.lost)
        self.min_rtt.append(nan if connection.min_rtt is None else connection.min_rtt)
        self.cipher.append(
            _NONE
            if version is None or cipher is None
            else self.handshakes.number((version, cipher, connection.resumed))
        )
        self.exchanges.append(connection.exchanges)
        for column in (self.lifetime, self.idle, self.closed_after):
            column.append(nan)
        self.ending.append(_NONE)
        self.data.append(_NONE)
        return len(self.arm) - 1

    def secured(self, row: int, version: str, cipher: str, *, resumed: bool = False) -> None:
        """Note what a TLS handshake settled on."""
        with self.lock:
            self.cipher[row] = self.handshakes.number((version, cipher, resumed))

    def ended(self, row: int, ending: Ending, ended_s: float) -> None:
        """Note how and when a connection ended."""
        with self.lock:
            self.lifetime[row] = ended_s - self.opened_s[row]
        self.set_ending(row, ending)

    def set_ending(self, row: int, ending: Ending) -> None:
        """Note how a connection ended whose end is noted already."""
        kind, idle_s, after_s, data = ending
        with self.lock:
            self.ending[row] = ENDINGS.index(kind)
            self.idle[row] = nan if idle_s is None else idle_s
            self.closed_after[row] = nan if after_s is None else after_s
            self.data[row] = self.unasked.number(data) if data else _NONE

    def answered(self, row: int) -> None:
        """Note one more response on a connection (which one thread has at a time)."""
        self.exchanges[row] += 1

    def __len__(self) -> int:
        return len(self.arm)

    def __getitem__(self, row: int) -> Connection:
        version, cipher, resumed = self.handshake_of(row) or (None, None, False)
        failed = self.failed[row]
        return Connection(
            arm=self.arms[self.arm[row]],
            slot=self.slot[row],
            opened_s=self.opened_s[row],
            peer=self.peers.values[self.peer[row]],
            failed=None if failed == _NONE else self.attempts.values[failed],
            lost=optional(self.lost[row]),
            min_rtt=optional(self.min_rtt[row]),
            tls_version=version,
            cipher=cipher,
            resumed=resumed,
            exchanges=self.exchanges[row],
            ended_s=None if isnan(self.lifetime[row]) else self.opened_s[row] + self.lifetime[row],
            ending=self.ending_of(row),
        )

    def handshake_of(self, row: int) -> Handshake | None:
        """What a connection's TLS handshake settled on; `None`: there was none, or it failed."""
        number = self.cipher[row]
        return None if number == _NONE else self.handshakes.values[number]

    def ending_of(self, row: int) -> Ending | None:
        """How a connection ended; `None`: it was open to the end."""
        number, data = self.ending[row], self.data[row]
        if number == _NONE:
            return None
        return Ending(
            ENDINGS[number],
            optional(self.idle[row]),
            optional(self.closed_after[row]),
            "" if data == _NONE else self.unasked.values[data],
        )

    def __iter__(self) -> Iterator[Connection]:
        return (self[row] for row in range(len(self)))

    def columns(self) -> dict[str, array[Any]]:
        """All columns by name, for a file."""
        return {
            "arm": self.arm,
            "slot": self.slot,
            "opened_s": self.opened_s,
            "peer": self.peer,
            "failed": self.failed,
            "lost_s": self.lost,
            "min_rtt_s": self.min_rtt,
            "cipher": self.cipher,
            "exchanges": self.exchanges,
            "lifetime_s": self.lifetime,
            "ending": self.ending,
            "idle_s": self.idle,
            "closed_after_s": self.closed_after,
            "data": self.data,
        }

    @property
    def interned(self) -> dict[str, ValueTable[Any]]:
        """What the numbers of some columns stand for, by the column's name."""
        return {
            "peer": self.peers,
            "failed": self.attempts,
            "cipher": self.handshakes,
            "data": self.unasked,
        }

    def rows(self, arm: str) -> list[int]:
        """The rows of one arm's connections."""
        number = self._arm_numbers[arm]
        return [row for row, other in enumerate(self.arm) if other == number]


def _even(columns: Mapping[str, array[Any]]) -> None:
    """Cut all columns to the shortest: a row that was only begun is none."""
    rows = min(map(len, columns.values()))
    for column in columns.values():
        del column[rows:]


def optional(value: float) -> float | None:
    """A column's value; what was not measured is stored as NaN and read as `None`."""
    return None if isnan(value) else value
