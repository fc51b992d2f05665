"""What a run keeps: at most 120 bytes an exchange, and nothing for the garbage collector to do."""

from __future__ import annotations

import gc
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING

import pytest

from keepalive_bench import Plan, Target
from keepalive_bench.engine.process_runner import new_tables, quiet_collector
from keepalive_bench.engine.processes.merging import merge
from keepalive_bench.engine.processes.messages import Sender, put
from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns
from keepalive_bench.results.exchange import Answer, Connection, Exchange, Failure, Outcome, Phases

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.engine.process_runner import Tables

ROWS = 25_000
MOST_BYTES = 120
OUTCOME = Outcome(
    1.5,
    0.02,
    connection=7,
    status=200,
    body_bytes=1024,
    phases=Phases(dns=0.001, connect=0.002, tls=0.003, send=0.0001, wait=0.01, receive=0.0002),
    answer=Answer("HTTP/1.1", "text/html"),
)


def kept(append_all: Callable[[], None]) -> float:
    """Bytes that are kept for each row, with the spare room that growing columns have."""
    tracemalloc.start()
    try:
        append_all()
        return tracemalloc.get_traced_memory()[0] / ROWS
    finally:
        tracemalloc.stop()


def test_an_exchange_takes_no_more_than_it_may() -> None:
    columns = ExchangeColumns(("pooled", "unpooled"))

    def append_all() -> None:
        for index in range(ROWS):
            columns.append(Exchange("pooled", index, index, OUTCOME))

    assert kept(append_all) <= MOST_BYTES
    assert len(columns) == ROWS


def test_an_exchange_with_a_connection_of_its_own_takes_no_more_either() -> None:
    exchanges = ExchangeColumns(("unpooled",))
    connections = ConnectionColumns(("unpooled",))
    row = connections.append(Connection("unpooled", 0, 1.0, "127.0.0.1:80"))
    exchanges.append(Exchange("unpooled", 0, 0, OUTCOME._replace(connection=row)))
    columns = [*exchanges.columns().values(), *connections.columns().values()]
    # Without the spare room that growing columns have: a sixteenth at most.
    assert sum(len(column) * column.itemsize for column in columns) <= MOST_BYTES


def test_what_several_processes_measured_takes_no_more_while_it_is_merged() -> None:
    parts = [_tables(ROWS // 2) for _ in range(2)]
    received, merged = [_tables(0) for _ in parts], _tables(0)
    tracemalloc.start()
    try:
        for own, there in zip(parts, received, strict=True):
            put_all = partial(put, there.exchanges)
            Sender(own.exchanges, put_all, 500, of_exchanges=True).send()
            put_all = partial(put, there.connections)
            Sender(own.connections, put_all, 500, of_exchanges=False).send()
        merge(received, merged)
        assert tracemalloc.get_traced_memory()[1] / len(merged.exchanges) <= MOST_BYTES
    finally:
        tracemalloc.stop()


def _tables(rows: int) -> Tables:
    tables = new_tables(Plan(Target("http://127.0.0.1/")))
    own = tables.connections.append(Connection("pooled", 0, 1.0, "127.0.0.1:80"))
    for index in range(rows):
        outcome = OUTCOME._replace(connection=own, began_s=float(index))
        tables.exchanges.append(Exchange("pooled", index, index, outcome))
    return tables


@pytest.mark.slow
def test_a_server_that_never_says_the_same_twice_is_kept_within_bounds() -> None:
    columns = ExchangeColumns(("pooled",))

    def append_all() -> None:
        for index in range(ROWS):
            answer = Answer("HTTP/1.1", f"text/{index:060}")
            failure = Failure("other", f"{index:0300}")
            outcome = OUTCOME._replace(answer=answer, failure=failure)
            columns.append(Exchange("pooled", index, index, outcome))

    # On top of the columns, ten thousand of each, with its string, its tuple, its place in a dict.
    assert kept(append_all) <= MOST_BYTES + 2 * 10_000 * 800 / ROWS
    assert columns[ROWS - 1].outcome.answer == Answer("?")
    assert columns[0].outcome.answer == Answer("HTTP/1.1", f"text/{0:060}")


@pytest.mark.parametrize("freezes", [False, True])
def test_what_a_program_has_frozen_stays_so(*, freezes: bool) -> None:
    before = gc.get_freeze_count()  # the tests' own
    gc.unfreeze()
    try:
        if freezes:
            gc.freeze()
        with quiet_collector():
            assert gc.get_freeze_count() > 0
        assert (gc.get_freeze_count() > 0) is freezes
    finally:
        gc.freeze() if before else gc.unfreeze()


@pytest.mark.parametrize("is_enabled", [False, True])
def test_the_collector_is_at_work_while_measuring(*, is_enabled: bool) -> None:
    (gc.enable if is_enabled else gc.disable)()  # kab starts without it
    try:
        with quiet_collector():
            assert gc.isenabled()
        assert gc.isenabled() is is_enabled
    finally:
        gc.enable()


def test_exchanges_are_nothing_to_collect() -> None:
    columns = ExchangeColumns(("pooled",))
    gc.collect()
    before = len(gc.get_objects())
    for index in range(1000):
        columns.append(Exchange("pooled", index, index, OUTCOME))
    assert len(gc.get_objects()) - before < 100
