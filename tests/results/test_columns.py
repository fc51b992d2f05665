from __future__ import annotations

import threading
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns
from keepalive_bench.results.exchange import (
    PHASES,
    Answer,
    Connection,
    Exchange,
    Failure,
    Outcome,
    Phases,
)
from keepalive_bench.results.table import ValueTable

ARMS = ("pooled", "unpooled")
SECONDS = st.floats(0, 1e6)
SINGLE = st.floats(0, 1e6, width=32)
TEXT = st.text(max_size=8)
MAYBE = TEXT | st.none()

EXCHANGES = st.builds(
    Exchange,
    st.sampled_from(ARMS),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.builds(
        Outcome,
        began_s=SECONDS,
        latency_s=SECONDS,
        connection=st.none() | st.integers(0, 2**31 - 1),
        status=st.none() | st.integers(100, 999),
        body_bytes=st.integers(0, 2**63 - 1),
        phases=st.builds(Phases, *[st.none() | SINGLE] * len(PHASES)),
        answer=st.none() | st.builds(Answer, TEXT, MAYBE, MAYBE, MAYBE, cache=MAYBE),
        failure=st.none() | st.builds(Failure, TEXT, TEXT),
        counted=st.none() | st.lists(MAYBE, max_size=2).map(tuple),
        queued_s=st.none() | SINGLE,
    ),
)
TLS = st.none() | st.tuples(TEXT, TEXT, st.booleans())


def connection(  # hypothesis builds it of as many parts
    arm: str,
    slot: int,
    opened_s: float,
    peer: str,
    tls: tuple[str, str, bool] | None,
    exchanges: int,
    of_handshake: tuple[float | None, int | None],
) -> Connection:
    version, cipher, resumed = tls or (None, None, False)
    return Connection(
        arm=arm,
        slot=slot,
        opened_s=opened_s,
        peer=peer,
        tls_version=version,
        cipher=cipher,
        resumed=resumed,
        exchanges=exchanges,
        min_rtt=of_handshake[0],
        retransmissions=of_handshake[1],
    )


CONNECTIONS = st.builds(
    connection,
    st.sampled_from(ARMS),
    st.integers(0, 2**16 - 1),
    SECONDS,
    TEXT,
    TLS,
    st.integers(0, 2**32 - 1),
    st.tuples(st.none() | SINGLE, st.none() | st.integers(0, 2**7 - 1)),
)


@settings(max_examples=30)
@given(st.lists(EXCHANGES, max_size=12))
def test_exchanges_are_read_as_they_were_appended(exchanges: list[Exchange]) -> None:
    columns = ExchangeColumns(ARMS, queued=True, counted=True)
    for exchange in exchanges:
        columns.append(exchange)
    assert list(columns) == exchanges
    assert len(columns) == len(exchanges)
    for arm in ARMS:
        mine = [exchange for exchange in exchanges if exchange.arm == arm]
        assert [columns[row] for row in columns.rows(arm)] == mine


@settings(max_examples=30)
@given(st.lists(CONNECTIONS, max_size=12))
def test_connections_are_read_as_they_were_appended(connections: list[Connection]) -> None:
    columns = ConnectionColumns(ARMS)
    rows = [columns.append(connection) for connection in connections]
    assert rows == list(range(len(connections)))
    assert list(columns) == connections
    for arm in ARMS:
        mine = [connection for connection in connections if connection.arm == arm]
        assert [columns[row] for row in columns.rows(arm)] == mine


def test_an_exchange_with_a_connection_of_its_own_costs_at_most_120_bytes() -> None:
    tables = (ExchangeColumns(ARMS), ConnectionColumns(ARMS))
    columns = [column for table in tables for column in table.columns().values()]
    assert sum(column.itemsize for column in columns) <= 120


def test_one_of_an_open_load_costs_four_bytes_more() -> None:
    tables = [ExchangeColumns(ARMS, queued=queued).columns().values() for queued in (False, True)]
    closed, opened = (sum(column.itemsize for column in table) for table in tables)
    assert opened == closed + 4


def test_a_phase_of_30_seconds_is_kept_to_two_microseconds() -> None:
    columns = ExchangeColumns(ARMS)
    columns.append(Exchange("pooled", 0, 0, Outcome(0.0, 30.0, phases=Phases(wait=29.999999))))
    assert columns[0].outcome.phases.wait == pytest.approx(29.999999, abs=2e-6)


def test_a_connection_learns_of_its_handshake_and_of_its_answers() -> None:
    columns = ConnectionColumns(ARMS)
    plain = Connection("pooled", 0, 0.5, "127.0.0.1:1")
    row = columns.append(plain)
    columns.secured(row, "TLSv1.3", "TLS_AES_256_GCM_SHA384", resumed=True)
    columns.answered(row)
    columns.answered(row)
    assert columns[row] == plain._replace(
        tls_version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", resumed=True, exchanges=2
    )


def test_threads_may_open_connections_at_once() -> None:
    columns, rows = ConnectionColumns(("pooled",)), list[int]()

    def open_many() -> None:
        for slot in range(500):
            rows.append(columns.append(Connection("pooled", slot, 0.0, "p")))

    threads = [threading.Thread(target=open_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(rows) == list(range(2000))
    assert {len(column) for column in columns.columns().values()} == {2000}


def test_values_are_stored_once_and_numbered_in_the_order_they_come() -> None:
    known = ValueTable("?")
    assert [known.number(value) for value in "abacb"] == [0, 1, 0, 2, 1]
    assert known.values == ["a", "b", "c"]


def test_past_the_limit_all_new_values_are_one() -> None:
    known = ValueTable("?", limit=3)
    assert [known.number(value) for value in "abcdea?c"] == [0, 1, 2, 3, 3, 0, 3, 2]
    assert known.values == ["a", "b", "c", "?"]


def test_the_value_for_the_rest_may_have_come_before() -> None:
    known = ValueTable("?", limit=2)
    assert [known.number(value) for value in "?abc"] == [0, 1, 0, 0]
    assert known.values == ["?", "a"]


def test_a_hostile_server_fills_no_column_beyond_its_numbers() -> None:
    columns = ExchangeColumns(("pooled",))
    for index in range(40_000):  # more than a 16-bit number has
        answer = Answer("HTTP/1.1", keep_alive=f"max={index}")
        failure = Failure("other", f"message {index}")
        outcome = Outcome(0.0, 0.0, answer=answer, failure=failure)
        columns.append(Exchange("pooled", index, 0, outcome))
    assert len(columns.answers.values) == len(columns.failures.values) == 10_001
    last = columns[39_999].outcome
    assert last.answer == Answer("?")
    assert last.failure == Failure("other", "more messages than are kept")


def test_numbers_from_elsewhere_are_taken_over() -> None:
    known = ValueTable("?")
    known.extend(["x", "y"])
    assert [known.number(value) for value in "yxz"] == [1, 0, 2]


class _Full(array):  # type: ignore[type-arg]  # of whatever
    """A column for which there is no memory."""

    def append(self, _: object) -> None:
        raise MemoryError


def test_a_row_that_finds_no_memory_is_not_kept_by_halves() -> None:
    exchanges, connections = ExchangeColumns(("pooled",)), ConnectionColumns(("pooled",))
    exchanges.append(Exchange("pooled", 0, 0, Outcome(0.0, 1.0)))
    connections.append(Connection(arm="pooled", slot=0, opened_s=0.0, peer="a"))
    exchanges.latency_s, connections.data = _Full("d", [1.0]), _Full("h", [-1])
    with pytest.raises(MemoryError):
        exchanges.append(Exchange("pooled", 1, 0, Outcome(0.0, 1.0)))
    with pytest.raises(MemoryError):
        connections.append(Connection(arm="pooled", slot=1, opened_s=0.0, peer="b"))
    for table in (exchanges, connections):
        assert {len(column) for column in table.columns().values()} == {1}
