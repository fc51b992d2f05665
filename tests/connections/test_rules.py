"""Each reason, named from records of connections that nobody had to open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from keepalive_bench.connections import reason_kinds as kinds
from keepalive_bench.connections.rules import (
    Before,
    FoundClosed,
    Idle,
    LastExchange,
    Owner,
    Silence,
    common_silence,
    reason_for,
    reason_for_one_more,
)
from keepalive_bench.results.exchange import Answer, Ending
from keepalive_bench.results.failure_kinds import (
    READ_TIMEOUT,
    RESET,
    UNEXPECTED_STATUS,
)

if TYPE_CHECKING:
    from keepalive_bench.connections.reason_kinds import ReasonKind
    from keepalive_bench.results.exchange import EndingKind
    from keepalive_bench.results.failure_kinds import FailureKind

OK = Answer("HTTP/1.1", keep_alive="timeout=5, max=100")
CLOSES = Answer("HTTP/1.1", connection="Keep-Alive, CLOSE")
OLD = Answer("HTTP/1.0")
POOL = Owner(kept=1)


def last(answer: Answer | None = OK, failure: FailureKind | None = None) -> LastExchange:
    return LastExchange(failure.code if failure else None, answer is not None, answer)


def after(
    ending: EndingKind,
    exchange: LastExchange | None = None,
    *,
    served: int = 2,
    idle: Idle | None = None,
    after_s: float | None = None,
    data: str = "",
) -> Before:
    """A connection that ended so, and whose place another one took."""
    ended = Ending(ending, None if idle is None else idle.total_s, after_s, data)
    return Before(served, ended, exchange or last(), idle)


def named(before: Before, silence: Silence | None = None) -> ReasonKind:
    return reason_for(before, Owner(1, silence=silence or Silence()))[0]


@pytest.mark.parametrize(("busy", "kind"), [(1, kinds.FIRST_USE), (2, kinds.POOL_EXHAUSTED)])
def test_one_that_takes_no_place_is_one_that_is_kept_or_one_more(
    busy: int, kind: ReasonKind
) -> None:
    assert reason_for_one_more(busy, Owner(kept=2)) == kind


def test_whoever_uses_each_once_does_so_by_design_whatever_ended_the_one_before() -> None:
    before = after("announced", last(CLOSES))
    assert reason_for(before, Owner(1, is_single_use=True)) == (kinds.BY_DESIGN, {})


@pytest.mark.parametrize(
    ("before", "kind", "evidence"),
    [
        (after("failed", last(None, RESET)), kinds.STALE_RACE, {"failure": "reset"}),
        (after("failed", last(OK, RESET)), kinds.AFTER_ERROR, {"failure": "reset"}),
        (after("failed", last(None, RESET), served=0), kinds.AFTER_ERROR, {"failure": "reset"}),
        (after("failed", last(CLOSES, READ_TIMEOUT)), kinds.AFTER_ERROR, None),
        (after("announced", last(CLOSES)), kinds.SERVER_CLOSE, {"connection": "Keep-Alive, CLOSE"}),
        (after("announced", last(CLOSES, UNEXPECTED_STATUS)), kinds.SERVER_CLOSE, None),
        (
            after("announced", last(OLD._replace(connection="close", framing="close"))),
            kinds.SERVER_CLOSE,
            None,
        ),
        (
            after("announced", last(OLD._replace(framing="close"))),
            kinds.HTTP_1_0,
            {"http_version": "HTTP/1.0"},
        ),
        (
            after("announced", last(OLD._replace(connection="keep-alive", framing="close"))),
            kinds.CLOSE_DELIMITED,
            {"http_version": "HTTP/1.0"},
        ),
        (after("announced"), kinds.UNKNOWN, {"seen": "a response that ended the connection"}),
        (after("leftover", data="boo"), kinds.UNSOLICITED_DATA, {"seen": "boo"}),
        (after("cut"), kinds.UNREAD_BODY, {"seen": "cut"}),
        (after("discarded"), kinds.POOL_FULL, {"seen": "discarded"}),
        (after("retired"), kinds.UNKNOWN, {"seen": "retired"}),
    ],
)
def test_of_several_true_reasons_the_first_in_order_is_named_with_its_evidence(
    before: Before, kind: ReasonKind, evidence: dict[str, object] | None
) -> None:
    found, told = reason_for(before, POOL)
    assert found == kind
    assert evidence in (None, told)


def test_of_what_nobody_saw_end_nothing_is_known() -> None:
    before = Before(1, None, last(), None)
    assert named(before) == kinds.UNKNOWN
    assert named(before._replace(last=None)) == kinds.UNKNOWN


def found_closed(idle_s: float, after_s: float | None, by_kab_s: float = 0.0) -> Before:
    return after("fin", idle=Idle(idle_s, by_kab_s), after_s=after_s)


@pytest.mark.parametrize(
    ("before", "silence", "kind"),
    [
        (found_closed(0.5, 0.01), Silence(limit=2), kinds.REQUEST_LIMIT),
        (found_closed(0.5, 0.3), Silence(limit=2, survived_s=0.4), kinds.REQUEST_LIMIT),
        (found_closed(0.5, 0.3), Silence(limit=2, survived_s=0.2), kinds.IDLE_TIMEOUT),
        (found_closed(0.5, 0.01), Silence(), kinds.UNKNOWN),
        (found_closed(0.5, 0.03), Silence(goes_by_time=True), kinds.IDLE_TIMEOUT),
        (found_closed(0.5, 0.3), Silence(survived_s=0.4), kinds.UNKNOWN),
        # Where nobody tells when the close came:
        (found_closed(0.5, None), Silence(), kinds.UNKNOWN),
        (found_closed(0.5, None), Silence(goes_by_time=True), kinds.IDLE_TIMEOUT),
        (found_closed(5.5, None), Silence(survived_s=6.0), kinds.IDLE_TIMEOUT),  # as announced
        (found_closed(0.03, None), Silence(limit=2), kinds.REQUEST_LIMIT),
    ],
)
def test_a_close_without_a_word_is_a_limit_a_timeout_or_unknown(
    before: Before, silence: Silence, kind: ReasonKind
) -> None:
    assert named(before, silence) == kind


@pytest.mark.parametrize("announced", ["max=2", "timeout=5, max=0"])
def test_an_announced_maximum_that_is_used_up_goes_before_a_limit(announced: str) -> None:
    exchange = last(Answer("HTTP/1.1", keep_alive=announced))
    before = after("fin", exchange, idle=Idle(0.5, 0.0), after_s=0.01)
    assert named(before, Silence(limit=2)) == kinds.KEEP_ALIVE_MAX


def test_what_would_have_been_used_in_time_but_for_kab_is_told() -> None:
    _, evidence = reason_for(found_closed(0.5, 0.3, by_kab_s=0.4), POOL)
    assert evidence["interleaved"] is True
    _, evidence = reason_for(found_closed(0.5, 0.3, by_kab_s=0.1), POOL)
    assert evidence["interleaved"] is False


def closed(*served: int, idle_s: float = 0.1) -> list[FoundClosed]:
    return [FoundClosed(each, idle_s) for each in served]


def test_a_limit_shows_in_a_number_seen_twice_that_nobody_exceeded() -> None:
    assert common_silence(closed(3, 3), [], 0.0, 3).limit == 3
    assert common_silence(closed(3), [3], 0.0, 3).limit == 3
    assert common_silence(closed(3), [], 0.0, 3).limit is None
    assert common_silence(closed(3, 3), [], 0.0, 4).limit is None
    assert common_silence(closed(3, 4), [], 0.0, 4).limit is None


def test_it_goes_by_time_where_numbers_vary_and_none_survived_so_long() -> None:
    assert common_silence(closed(3, 4), [], 0.05, 4).goes_by_time
    assert common_silence(closed(3, 3), [], 0.05, 9).goes_by_time
    assert not common_silence(closed(3, 4), [], 0.2, 4).goes_by_time
    assert not common_silence(closed(3, 3), [], 0.05, 3).goes_by_time
    assert common_silence([], [1], 0.5, 4) == Silence()
