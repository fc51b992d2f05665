"""Shares of a run become one: against the run that they were cut from."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from keepalive_bench import Experiment, Plan, Target
from keepalive_bench.analysis.required_requests import LOOKED_AT
from keepalive_bench.engine.process_runner import new_tables
from keepalive_bench.engine.processes.merging import merge
from keepalive_bench.engine.processes.messages import Rows, Sender, clear, put
from keepalive_bench.plan.load import Load
from keepalive_bench.results.exchange import Answer, Connection, Ending, Exchange, Failure, Outcome

if TYPE_CHECKING:
    from keepalive_bench.engine.process_runner import Tables

LABELS = ("pooled", "unpooled")
PLAN = Plan(Target("http://127.0.0.1/"))

steps = st.lists(
    st.tuples(
        st.sampled_from(range(3)),  # the process
        st.sampled_from(LABELS),
        st.sampled_from([None, "reset", "read-timeout"]),
        st.sampled_from(["text/plain", "text/html"]),
    ),
    max_size=60,
)


def empty() -> Tables:
    return new_tables(PLAN)


def measured(script: list[tuple[int, str, str | None, str]]) -> tuple[list[Tables], Tables]:
    """What three processes measured, and what one would have that did the same."""
    parts, whole = [empty() for _ in range(3)], empty()
    indexes = [count(process, 3) for process in range(3)]
    for now, (process, arm, failure, kind) in enumerate(script):
        slot = now % 2
        for part, place in ((parts[process], slot), (whole, slot * 3 + process)):
            row = part.connections.append(
                Connection(arm=arm, slot=place, opened_s=now + 0.25, peer=f"127.0.0.1:{process}")
            )
            part.connections.answered(row)
            part.connections.ended(row, Ending("fin", idle_s=1.0), now + 0.75)
        index = next(indexes[process])
        for part in (parts[process], whole):
            outcome = Outcome(
                began_s=float(now),
                latency_s=0.5,
                connection=len(part.connections) - 1,
                status=200,
                answer=Answer("HTTP/1.1", kind),
                failure=None if failure is None else Failure(failure, "as told"),
            )
            part.exchanges.append(Exchange(arm, index, now, outcome))
    return parts, whole


@settings(max_examples=80)
@given(steps)
def test_the_whole_comes_back(script: list[tuple[int, str, str | None, str]]) -> None:
    parts, whole = measured(script)
    merged = empty()
    merge(parts, merged)
    assert list(merged.exchanges) == list(whole.exchanges)
    assert list(merged.connections) == list(whole.connections)
    assert all(len(table) == 0 for part in parts for table in part)  # moved, not copied


@settings(max_examples=40)
@given(steps, st.integers(1, 7))
def test_rows_arrive_as_they_were_sent(
    script: list[tuple[int, str, str | None, str]], most: int
) -> None:
    _, whole = measured(script)
    before = list(whole.exchanges), list(whole.connections)
    arrived, sent = empty(), list[Rows]()
    Sender(whole.exchanges, sent.append, most, of_exchanges=True).send()
    Sender(whole.connections, sent.append, most, of_exchanges=False).send()
    for rows in sent:
        put(arrived.exchanges if rows.of_exchanges else arrived.connections, rows)
    assert (list(arrived.exchanges), list(arrived.connections)) == before
    assert len(whole.exchanges) == len(whole.connections) == 0


def test_some_columns_can_be_followed_and_thrown_away() -> None:
    _, whole = measured([(0, "pooled", None, "text/html"), (1, "unpooled", "reset", "text/html")])
    before = list(whole.exchanges.latency_s)
    followed = empty().exchanges
    follow = partial(put, followed, names=LOOKED_AT)
    Sender(whole.exchanges, follow, 2, of_exchanges=True).send()
    assert list(followed.latency_s) == before
    kept = {name for name, column in followed.columns().items() if len(column)}
    assert kept == set(LOOKED_AT)
    clear(followed)
    assert not any(map(len, followed.columns().values()))


def test_within_a_share_rows_keep_the_order_of_their_record() -> None:
    open_load = Plan(PLAN.target, experiment=Experiment(load=Load(rate=1.0)))
    *parts, merged = [new_tables(open_load) for _ in range(3)]
    ends = ([1.0, 0.9, 3.0], [0.95, 2.0])  # a thread that ended at 0.9 was overtaken
    for process, part in enumerate(parts):
        for number, end in enumerate(ends[process]):
            outcome = Outcome(end - 0.5, 0.5, status=200, queued_s=0.25)
            part.exchanges.append(Exchange("pooled", 2 * number + process, 0, outcome))
    merge(parts, merged)
    assert list(merged.exchanges.index) == [1, 0, 2, 3, 4]
    assert [it.outcome.queued_s for it in merged.exchanges] == [0.25] * 5


def test_nothing_is_lost_where_rows_have_the_same_time() -> None:
    parts, merged = [empty() for _ in range(2)], empty()
    for process, part in enumerate(parts):
        for number in range(9):
            outcome = Outcome(1.0, 0.5, status=200)
            part.exchanges.append(Exchange("pooled", 2 * number + process, 0, outcome))
    merge(parts, merged)
    assert sorted(merged.exchanges.index) == list(range(18))
