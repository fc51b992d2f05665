"""Exchanges and connections as tables: 120 bytes an exchange at most, nothing to collect.

(Of an open load 124: how late each exchange started is kept, too.)

Whoever appends exchanges does so one at a time; connections are opened by any thread.
"""

from __future__ import annotations

from array import array
from math import isnan, nan
from operator import add, and_
from typing import Any

from keepalive_bench.results.exchange import (
    ENDINGS,
    INTERRUPTED,
    PHASES,
    Answer,
    Connection,
    Counted,
    Ending,
    Exchange,
    Failure,
    Outcome,
    Phases,
)
from keepalive_bench.results.table import (
    NONE,
    ColumnKind,
    ColumnTable,
    ValueTable,
    optional,
    seconds,
    whole,
)

Handshake = tuple[str, str, bool]
"""What a TLS handshake settled on: version, cipher, and whether it resumed a session."""
_MOST_AGAIN = 2**7 - 1
_IN_VAIN = "the first address answered"
_OPEN = "it was open to the end"
_NO_PHASE = "it didn't happen"


class ExchangeColumns(ColumnTable[Exchange]):
    """All exchanges of a run, in the order in which they ended.

    Of an open load (`queued`) they have a column more, and 4 bytes: how late each one started.
    Where answers are `counted` by header fields, they have one of 2 bytes for that.
    """

    index = whole(
        "i",
        "Which of the arm's requests, from 0; requests of one index carry the same parameters",
    )
    round = whole("I", "Which round, from 0")
    connection = whole("i", "Row in the table `connections`", "there was none")
    status = whole("H", "Status code", "no answer", least=100, most=999)
    failure = whole("h", "Position in `failures`", "it succeeded", of="failures")
    answer = whole("h", "Position in `answers`", "no answer", of="answers")
    body_bytes = whole("q", "Bytes of body received")
    began_s = seconds(
        "d", "When it began, from the start of the run; with `plan.rate`, when it was to begin"
    )
    latency_s = seconds(
        "d", "From then (asking for a connection) to the last body byte, or to the failure"
    )
    pool_wait_s = seconds("f", "Waiting for a free place in a blocking pool", _NO_PHASE)
    dns_s = seconds("f", "Looking up the name", _NO_PHASE)
    connect_s = seconds("f", "TCP's handshake", _NO_PHASE)
    tunnel_s = seconds("f", "Asking a proxy for a tunnel", _NO_PHASE)
    tls_s = seconds("f", "TLS's handshake, checking the certificate included", _NO_PHASE)
    send_s = seconds("f", "Writing the request", _NO_PHASE)
    wait_s = seconds("f", "From the request written to the first byte of the response", _NO_PHASE)
    receive_s = seconds("f", "From the first byte to the last", _NO_PHASE)
    counted: ColumnKind[array[int] | None] = ColumnKind(
        "h",
        "With `plan.count_by`, position in `counted`",
        "no answer, or no `plan.count_by`",
        of="counted_values",
    )
    queued_s: ColumnKind[array[float] | None] = ColumnKind(
        "f",
        "With `plan.rate`, how much later it really began: part of `latency_s`, as the phases are",
        "no `plan.rate`",
    )

    def __init__(
        self, arms: tuple[str, ...], *, queued: bool = False, counted: bool = False
    ) -> None:
        kept = {"queued_s": queued, "counted": counted}
        super().__init__(arms, without=[name for name, is_kept in kept.items() if not is_kept])
        self.phases: dict[str, array[float]] = {name: getattr(self, f"{name}_s") for name in PHASES}
        self._appends = tuple(column.append for column in self.phases.values())
        self.failures: ValueTable[Failure] = ValueTable(
            lambda failure: Failure(failure.kind, "more messages than are kept")
        )
        self.answers: ValueTable[Answer] = ValueTable(Answer("?"))
        self.counted_values: ValueTable[Counted] = ValueTable(())

    def append(self, exchange: Exchange) -> None:
        """Add one exchange; where that fails, none of it is kept."""
        (
            began_s,
            latency_s,
            connection,
            status,
            body_bytes,
            phases,
            answer,
            failure,
            counted,
            queued_s,
        ) = exchange.outcome
        try:
            self.arm.append(self.arm_numbers[exchange.arm])
            self.index.append(exchange.index)
            self.round.append(exchange.round)
            self.connection.append(NONE if connection is None else connection)
            self.status.append(status or 0)
            self.failure.append(NONE if failure is None else self.failures.number(failure))
            self.answer.append(NONE if answer is None else self.answers.number(answer))
            self.body_bytes.append(body_bytes)
            self.began_s.append(began_s)
            self.latency_s.append(latency_s)
            for append, time_s in zip(self._appends, phases, strict=True):
                append(nan if time_s is None else time_s)
            if self.counted is not None:
                number = NONE if counted is None else self.counted_values.number(counted)
                self.counted.append(number)
            if self.queued_s is not None:
                self.queued_s.append(nan if queued_s is None else queued_s)
        except BaseException:
            self.drop_begun_row()
            raise

    def __getitem__(self, row: int) -> Exchange:
        connection = self.connection[row]
        return Exchange(
            self.arms[self.arm[row]],
            self.index[row],
            self.round[row],
            Outcome(
                began_s=self.began_s[row],
                latency_s=self.latency_s[row],
                connection=None if connection == NONE else connection,
                status=self.status[row] or None,
                body_bytes=self.body_bytes[row],
                phases=Phases(*(optional(column[row]) for column in self.phases.values())),
                answer=self.answers.value(self.answer[row]),
                failure=self.failures.value(self.failure[row]),
                counted=self._counted_of(row),
                queued_s=None if self.queued_s is None else optional(self.queued_s[row]),
            ),
        )

    def _counted_of(self, row: int) -> Counted | None:
        return None if self.counted is None else self.counted_values.value(self.counted[row])

    def ended_of_arm(self, arm: str) -> bytes:
        """A mask of the arm's exchanges that came to an end of their own, well or not."""
        mask, cut_off = self.of_arm(arm), self.cut_off
        if not cut_off:
            return mask
        return bytes(map(and_, mask, (number not in cut_off for number in self.failure)))

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


class ConnectionColumns(ColumnTable[Connection]):
    """All connections of a run, in the order in which they were opened."""

    slot = whole(
        "H",
        "Which of the places that the arm had connections open at, at once, from 0; of *P* "
        "processes, those of process *p* are *p*, *p* + *P* and so on",
    )
    opened_s = seconds("d", "When its TCP handshake was done, from the start of the run")
    peer = whole("h", "Position in `peers`", of="peers")
    failed = whole("h", "Position in `attempts`", _IN_VAIN, of="attempts")
    lost_s = seconds("f", "The part of `connect_s` that those attempts took", "the same")
    min_rtt_s = seconds(
        "f",
        "The round trip to the peer, as the system measured it in the TCP handshake (`TCP_INFO`)",
        "the system doesn't tell: it isn't Linux, or a Unix socket",
    )
    retransmissions = whole(
        "b",
        "How often its SYN was sent again, as the system counted (`TCP_INFO`)",
        "the system doesn't tell: it isn't Linux, or a Unix socket",
    )
    cipher = whole("h", "Position in `ciphers`, and in `resumed`", "no TLS", of="handshakes")
    exchanges = whole("I", "How many responses it carried")
    lifetime_s = seconds("f", "From `opened_s` to when it was closed, or found closed", _OPEN)
    ending = whole("b", "Position in `endings`", _OPEN, of="endings")
    idle_s = seconds(
        "f", "How long it had been idle when it was found closed", "it was not found so"
    )
    closed_after_s = seconds(
        "f", "How long after its last response the server closed it", "unknown"
    )
    data = whole("h", "Position in `unasked`", "nothing came", of="unasked")
    endings = ENDINGS

    def __init__(self, arms: tuple[str, ...]) -> None:
        super().__init__(arms)
        self.peers: ValueTable[str] = ValueTable("?")
        self.attempts: ValueTable[str] = ValueTable("?")
        self.unasked: ValueTable[str] = ValueTable("?")
        self.handshakes: ValueTable[Handshake] = ValueTable(("?", "?", False))

    def append(self, connection: Connection) -> int:
        """Add one connection and return its row; safe from any thread.

        Where that fails, none of it is kept.
        """
        with self.lock:
            try:
                self._append(connection)
            except BaseException:
                self.drop_begun_row()
                raise
            row = len(self.arm) - 1
        if connection.ending is not None and connection.ended_s is not None:
            self.ended(row, connection.ending, connection.ended_s)
        return row

    def _append(self, connection: Connection) -> None:
        version, cipher, failed = connection.tls_version, connection.cipher, connection.failed
        self.arm.append(self.arm_numbers[connection.arm])
        self.slot.append(connection.slot)
        self.opened_s.append(connection.opened_s)
        self.peer.append(self.peers.number(connection.peer))
        self.failed.append(NONE if failed is None else self.attempts.number(failed))
        self.lost_s.append(nan if connection.lost is None else connection.lost)
        self.min_rtt_s.append(nan if connection.min_rtt is None else connection.min_rtt)
        again = connection.retransmissions
        self.retransmissions.append(NONE if again is None else min(again, _MOST_AGAIN))
        self.cipher.append(
            NONE
            if version is None or cipher is None
            else self.handshakes.number((version, cipher, connection.resumed))
        )
        self.exchanges.append(connection.exchanges)
        for column in (self.lifetime_s, self.idle_s, self.closed_after_s):
            column.append(nan)
        self.ending.append(NONE)
        self.data.append(NONE)

    def secured(self, row: int, version: str, cipher: str, *, resumed: bool = False) -> None:
        """Note what a TLS handshake settled on."""
        with self.lock:
            self.cipher[row] = self.handshakes.number((version, cipher, resumed))

    def ended(self, row: int, ending: Ending, ended_s: float) -> None:
        """Note how and when a connection ended."""
        with self.lock:
            self.lifetime_s[row] = ended_s - self.opened_s[row]
        self.set_ending(row, ending)

    def set_ending(self, row: int, ending: Ending) -> None:
        """Note how a connection ended whose end is noted already."""
        kind, idle_s, after_s, data = ending
        with self.lock:
            self.ending[row] = ENDINGS.index(kind)
            self.idle_s[row] = nan if idle_s is None else idle_s
            self.closed_after_s[row] = nan if after_s is None else after_s
            self.data[row] = self.unasked.number(data) if data else NONE

    def answered(self, row: int) -> None:
        """Note one more response on a connection (which one thread has at a time)."""
        self.exchanges[row] += 1

    def __getitem__(self, row: int) -> Connection:
        version, cipher, resumed = self.handshake_of(row) or (None, None, False)
        lifetime_s = optional(self.lifetime_s[row])
        return Connection(
            arm=self.arms[self.arm[row]],
            slot=self.slot[row],
            opened_s=self.opened_s[row],
            peer=self.peers.values[self.peer[row]],
            failed=self.attempts.value(self.failed[row]),
            lost=optional(self.lost_s[row]),
            min_rtt=optional(self.min_rtt_s[row]),
            retransmissions=None if (again := self.retransmissions[row]) == NONE else again,
            tls_version=version,
            cipher=cipher,
            resumed=resumed,
            exchanges=self.exchanges[row],
            ended_s=None if lifetime_s is None else self.opened_s[row] + lifetime_s,
            ending=self.ending_of(row),
        )

    def handshake_of(self, row: int) -> Handshake | None:
        """What a connection's TLS handshake settled on; `None`: there was none, or it failed."""
        return self.handshakes.value(self.cipher[row])

    def ending_of(self, row: int) -> Ending | None:
        """How a connection ended; `None`: it was open to the end."""
        number = self.ending[row]
        if number == NONE:
            return None
        return Ending(
            ENDINGS[number],
            optional(self.idle_s[row]),
            optional(self.closed_after_s[row]),
            self.unasked.value(self.data[row]) or "",
        )


DERIVED_COLUMNS: tuple[ColumnKind[Any], ...] = (
    ColumnKind("f", "Looking up the name", "the URL names an address", name="dns_s"),
    ColumnKind("f", "TCP's handshake, attempts in vain included", name="connect_s", none="unknown"),
    ColumnKind("f", "Asking a proxy for a tunnel", "there is none", name="tunnel_s"),
    ColumnKind("f", "TLS's handshake", "no TLS", name="tls_s"),
    ColumnKind("h", "Position in `reasons`: why it was opened", name="reason"),
    ColumnKind(
        "i", "The connection whose place it took", "it was the first there", name="previous"
    ),
)
"""What a file says of connections besides: what opening them took, and why that was."""
