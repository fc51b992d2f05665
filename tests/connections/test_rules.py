"""Each reason, named from records of connections that nobody had to open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from keepalive_bench.connections import reason_kinds as kinds
from keepalive_bench.connections.idle_timeouts import IdleFit
from keepalive_bench.connections.lives import Ends, EndsByKind, Fates, Span, Uses
from keepalive_bench.connections.patterns import Pattern, closing_statuses, pattern_of
from keepalive_bench.connections.records import Before, Closer, Idle, LastExchange, Owner
from keepalive_bench.connections.rules import actor, reason_for, reason_for_one_more
from keepalive_bench.results.exchange import Answer, Ending
from keepalive_bench.results.failure_kinds import (
    READ_TIMEOUT,
    RESET,
    UNEXPECTED_STATUS,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.connections.reason_kinds import ReasonKind
    from keepalive_bench.results.exchange import EndingKind
    from keepalive_bench.results.failure_kinds import FailureKind

OK = Answer("HTTP/1.1", keep_alive="timeout=5, max=100")
CLOSES = Answer("HTTP/1.1", connection="Keep-Alive, CLOSE")
OLD = Answer("HTTP/1.0")
QUIET = Answer("HTTP/1.1")
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


def found_closed(
    idle_s: float,
    after_s: float | None,
    exchange: LastExchange | None = None,
    *,
    by_kab_s: float = 0.0,
) -> Before:
    return after("fin", exchange, idle=Idle(idle_s, by_kab_s), after_s=after_s)


def fit(least_s: float, most_s: float) -> IdleFit:
    return IdleFit(Span(least_s, most_s), is_sure=True)


def named(before: Before, pattern: Pattern | None = None, **owner: Any) -> ReasonKind:  # noqa: ANN401  # an Owner's
    known = {"pattern": pattern or Pattern(), **owner}
    return reason_for(before, Owner(1, **known))[0]


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
        (after("failed", last(None, RESET)), kinds.AFTER_ERROR, {"failure": "reset"}),
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
        (after("announced", last(QUIET._replace(framing="chunked"))), kinds.CHUNKS_MISREAD, None),
        (
            after("announced", last(OLD._replace(connection="te, keep-alive", framing="length"))),
            kinds.HTTP_1_0,
            {"unread": True},
        ),
        (
            after("leftover", last(QUIET._replace(framing="none")), data="boo"),
            kinds.UNSOLICITED_DATA,
            {"bodiless": True},
        ),
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
    assert evidence is None or evidence.items() <= told.items()


def test_of_what_nobody_saw_end_nothing_is_known() -> None:
    before = Before(1, None, last(), None)
    assert named(before) == kinds.UNKNOWN
    assert named(before._replace(last=None)) == kinds.UNKNOWN


@pytest.mark.parametrize(
    ("before", "owner", "kind"),
    [
        (after("announced", last(CLOSES)), {"asks_to_close": True}, kinds.ASKED_TO_CLOSE),
        (found_closed(0.5, 0.001), {"asks_to_close": True}, kinds.ASKED_TO_CLOSE),
        (found_closed(0.5, 0.4), {"asks_to_close": True}, kinds.ASKED_TO_CLOSE),  # some linger
        (after("announced", last(OLD)), {"asks_to_close": True}, kinds.ASKED_TO_CLOSE),
        (
            after("announced", last(CLOSES)._replace(status=413)),
            {"pattern": Pattern(closing_statuses=frozenset({413}))},
            kinds.ERROR_RESPONSE,
        ),
        (  # Go, of plain HTTP on a port that expects https
            after("announced", last(OLD)._replace(status=400)),
            {"pattern": Pattern(closing_statuses=frozenset({400}))},
            kinds.ERROR_RESPONSE,
        ),
        (
            after("announced", last(CLOSES)._replace(status=501)),
            {"pattern": Pattern(desynchronised=frozenset({501})), "sends_bodies": True},
            kinds.UNREAD_REQUEST,
        ),
        (
            after("rst", idle=Idle(0.01)),
            {"sends_bodies": True},
            kinds.UNREAD_REQUEST,
        ),
        (after("rst", idle=Idle(0.01)), {}, kinds.UNKNOWN),
    ],
)
def test_what_the_request_explains_is_no_doing_of_the_servers(
    before: Before, owner: dict[str, Any], kind: ReasonKind
) -> None:
    assert named(before, **owner) == kind


def test_several_connection_fields_are_one_list_whichever_the_client_reads() -> None:
    answer = Answer("HTTP/1.1", connection="keep-alive, close")  # of two fields, as they are joined
    kind, evidence = reason_for(found_closed(0.5, 0.001, last(answer)), POOL)
    assert (kind, evidence["unread"]) == (kinds.SERVER_CLOSE, True)


@pytest.mark.parametrize(
    ("said", "option"),
    [("close;q=1", "close;q=1"), ("te, Disclose", "Disclose"), ('"close", te', '"close"')],
)
def test_an_option_that_only_looks_like_close_is_misread_by_the_client(
    said: str, option: str
) -> None:
    exchange = last(Answer("HTTP/1.1", connection=said))
    kind, evidence = reason_for(after("announced", exchange), POOL)
    assert (kind, evidence["option"]) == (kinds.CLOSE_MISREAD, option)


def test_what_a_server_does_the_proxy_does_that_forwards_to_it() -> None:
    proxied = Owner(1, closer=Closer("proxy", "The proxy 127.0.0.1:3128"))
    assert actor(kinds.IDLE_TIMEOUT, proxied) == "proxy"
    assert actor(kinds.POOL_FULL, proxied) == "client"


@pytest.mark.parametrize("announced", ["max=2", "timeout=5, max=0"])
def test_an_announced_maximum_that_is_used_up_goes_before_a_limit(announced: str) -> None:
    exchange = last(Answer("HTTP/1.1", keep_alive=announced))
    before = found_closed(0.5, 0.01, exchange)
    assert named(before, Pattern(limit=2)) == kinds.KEEP_ALIVE_MAX


def test_what_would_have_been_used_in_time_but_for_kab_is_told() -> None:
    pool = Owner(1, pattern=Pattern(idle=fit(0.3, 0.3)))
    for by_kab_s, is_caused in ((0.4, True), (0.1, False)):
        before = found_closed(0.5, 0.3, by_kab_s=by_kab_s)
        assert reason_for(before, pool)[1]["interleaved"] is is_caused


@pytest.mark.parametrize(
    ("before", "pattern", "kind"),
    [
        (found_closed(0.5, 0.01), Pattern(limit=2), kinds.REQUEST_LIMIT),
        (found_closed(0.5, 0.01), Pattern(limit=3), kinds.UNKNOWN),
        (found_closed(0.5, 0.3), Pattern(idle=fit(0.3, 0.3)), kinds.IDLE_TIMEOUT),
        (found_closed(0.5, 0.3), Pattern(idle=fit(0.1, 0.2)), kinds.UNKNOWN),
        (found_closed(9.5, 5.3), Pattern(), kinds.IDLE_TIMEOUT),  # as announced
        (found_closed(0.5, 0.3), Pattern(age=Span(1.3, 1.3), is_aged=True), kinds.MAX_AGE),
        (found_closed(0.5, 0.3), Pattern(age=Span(1.3, 1.3)), kinds.UNKNOWN),
        (found_closed(0.5, 0.01), Pattern(limit=2, age=Span(1.0, 1.1)), kinds.UNDECIDED),
        # Where nobody tells when the close came:
        (found_closed(0.5, None), Pattern(limit=2, idle=fit(0.5, 0.5)), kinds.UNDECIDED),
        (found_closed(0.5, None), Pattern(idle=fit(0.4, 0.5)), kinds.IDLE_TIMEOUT),
        (found_closed(0.5, None), Pattern(), kinds.UNKNOWN),
    ],
)
def test_a_close_without_a_word_is_the_limit_that_fits(
    before: Before, pattern: Pattern, kind: ReasonKind
) -> None:
    assert named(before._replace(age_s=1.0), pattern) == kind


def test_a_limit_that_is_named_tells_the_other_that_fits() -> None:
    pattern = Pattern(idle=fit(0.3, 0.3), age=Span(1.3, 1.3))
    kind, evidence = reason_for(
        found_closed(0.5, 0.3)._replace(age_s=1.0), Owner(1, pattern=pattern)
    )
    assert (kind, evidence["fits"]) == (kinds.IDLE_TIMEOUT, "idle-timeout, max-age")


def test_of_a_single_event_a_restart_may_be_the_cause_as_well() -> None:
    # Both were idle for 1 s; the first two lived at once, the others one after the other.
    for opened, fits in (((0.0, 0.0), "idle-timeout, recycled"), ((0.0, 10.0), None)):
        closed = [(2, at_s, 0.5, 1.0, 1.2) for at_s in opened]
        pattern = pattern_of(ends(closed=closed), uses(0.2))
        kind, evidence = reason_for(found_closed(1.2, 1.0), Owner(1, pattern=pattern))
        assert (kind, evidence.get("fits")) == (kinds.IDLE_TIMEOUT, fits)


def died(idle_s: float | None, failure: FailureKind = RESET, answer: Answer = QUIET) -> Before:
    exchange = LastExchange(failure.code, has_answer=False, answer=answer, after_idle_s=idle_s)
    return after("failed", exchange)


ONLY_REUSED = Pattern(is_only_reused=True)


@pytest.mark.parametrize(
    ("before", "pattern", "kind"),
    [
        (died(0.3), ONLY_REUSED._replace(idle=fit(0.3, 0.3)), kinds.STALE_RACE),
        (died(5.0, answer=OK), ONLY_REUSED, kinds.STALE_RACE),  # as announced
        (died(0.001), ONLY_REUSED._replace(idle=fit(0.3, 0.3)), kinds.AFTER_ERROR),
        (died(0.3), Pattern(idle=fit(0.3, 0.3)), kinds.AFTER_ERROR),
        (died(0.001), ONLY_REUSED._replace(limit=2), kinds.REQUEST_LIMIT),
        (died(None), ONLY_REUSED._replace(limit=2), kinds.AFTER_ERROR),
        (died(6.0), Pattern(drop=Span(2.0, 5.0)), kinds.IDLE_DROP),
        (died(6.0, READ_TIMEOUT), Pattern(drop=Span(2.0, 5.0)), kinds.IDLE_DROP),
        (died(3.0, READ_TIMEOUT), Pattern(drop=Span(2.0, 5.0)), kinds.AFTER_ERROR),
        (died(6.0), Pattern(drop=Span(2.0, 5.0), is_late_close=True), kinds.LATE_CLOSE),
    ],
)
def test_a_death_under_a_request_is_what_its_idle_time_and_others_show(
    before: Before, pattern: Pattern, kind: ReasonKind
) -> None:
    assert named(before, pattern) == kind


@pytest.mark.parametrize(
    ("idle_s", "status", "kind"),
    [
        (0.001, 500, kinds.ERROR_RESPONSE),
        (0.001, 200, kinds.AFTER_ERROR),
        (0.5, 500, kinds.AFTER_ERROR),  # a close that belongs to the error comes at once
    ],
)
def test_a_request_right_after_an_error_response_dies_of_the_close_that_belongs_to_it(
    idle_s: float, status: int, kind: ReasonKind
) -> None:
    before = died(idle_s)
    assert before.last is not None
    after_error = before._replace(last=before.last._replace(status=status))
    assert named(after_error, Pattern(closing_statuses=frozenset({500}))) == kind


def ends(**rows: Sequence[tuple[float, ...]]) -> EndsByKind:
    """Rows of (served, opened, age, idle) and, if that is known, (when it was found so)."""
    made = EndsByKind(*(Ends() for _ in EndsByKind._fields))
    for kind, each in rows.items():
        for served, *times in each:
            getattr(made, kind).add(int(served), *times)
    return made


def uses(*idle_s: float, age_s: float = 0.0, most_served: int = 1, lost: int = 0) -> Uses:
    return Uses(
        sorted(idle_s),
        sorted(idle_s),
        age_s=age_s,
        kept_age_s=age_s,
        most_served=most_served,
        first=Fates(20, lost=lost),
        later=Fates(20, lost=4),
    )


def closed(*rows: tuple[float, float]) -> list[tuple[float, ...]]:
    """Of (served, idle): closed then, found a little later; each opened at a time of its own."""
    return [(each[0], 10.0 * turn, 0.01, each[1], each[1] + 0.2) for turn, each in enumerate(rows)]


def test_a_limit_shows_in_a_number_seen_twice_that_nobody_exceeded() -> None:
    for rows, cut, most_served, limit in (
        ([(3, 0.0), (3, 0.0)], [], 3, 3),
        ([(3, 0.0)], [(3, 1.0, 0.1, 0.0)], 3, 3),
        ([], [(3, 0.0, 0.1, 0.0), (3, 1.0, 0.1, 0.0)], 3, 3),
        ([(3, 0.0)], [], 3, None),
        ([(3, 0.0), (3, 0.0)], [], 4, None),
        ([(3, 0.0), (4, 0.0)], [], 4, None),
    ):
        seen = ends(closed=closed(*rows), cut=cut)
        assert pattern_of(seen, uses(0.01, most_served=most_served)).limit == limit


def test_an_idle_timeout_shows_where_none_survived_it_however_short() -> None:
    assert pattern_of(ends(closed=closed((1, 0.3))), uses(0.2)).idle.span == Span(0.3, 0.3)
    assert pattern_of(ends(closed=closed((1, 0.3))), uses(0.5)).idle.span is None
    assert pattern_of(ends(closed=closed((1, 0.03), (1, 0.031))), uses()).idle.span == Span(
        0.03, 0.031
    )
    assert pattern_of(ends(closed=closed((1, 0.03))), uses()).idle.span is None


def test_a_coarse_timer_lets_a_few_survive() -> None:
    # As servers do that look at their timers now and then: 1.0 to 1.4 s, and one escapes.
    coarse = closed(*((1 + turn % 2, 1.0 + turn / 25) for turn in range(10)))
    pattern = pattern_of(ends(closed=coarse), uses(0.9, 0.9, 1.4, most_served=3))
    assert pattern.idle.span == pytest.approx((1.0, 1.36))
    many = pattern_of(ends(closed=coarse), uses(*[2.5] * 10, most_served=3))
    assert (many.idle.span, many.idle.is_refuted) == (None, True)


def test_what_exceeds_an_idle_timeout_strains_it_however_many_ended() -> None:
    for ended, spared in ((3, 90), (30, 60)):
        seen = ends(closed=closed(*((1 + turn % 3, 1.0 + turn / 100) for turn in range(ended))))
        fit = pattern_of(seen, uses(0.5)._replace(idle_s=[1.9] * spared)).idle
        assert (fit.is_refuted, fit.is_strained, fit.is_exceeded) == (False, True, True)


def test_closes_sooner_than_others_were_idle_are_no_timeouts() -> None:
    pattern = pattern_of(ends(closed=closed((3, 0.001), (7, 0.002))), uses(*[0.1] * 9))
    before = found_closed(0.1, 0.001)
    assert named(before, pattern._replace(uses=uses(*[0.1] * 9))) == kinds.RECYCLED


def test_an_age_shows_where_counts_and_idle_times_differ() -> None:
    aged = [
        (served, 10.0 * turn, 1.0 - idle_s, idle_s, 0.5)
        for turn, (served, idle_s) in enumerate([(3, 0.1), (5, 0.3), (4, 0.0), (6, 0.2)])
    ]
    pattern = pattern_of(ends(closed=aged), uses(*[0.4] * 9, age_s=0.99, most_served=6))
    assert (pattern.is_aged, pattern.limit, pattern.idle.span) == (True, None, None)
    assert pattern.age is not None
    assert pattern.age.has(1.0)


def test_connections_opened_and_ended_together_are_one_event() -> None:
    together = [(served, 0.0, 0.9, 0.1, 0.5) for served in (3, 4, 5)]
    assert not pattern_of(ends(closed=together), uses(*[0.4] * 9, age_s=0.9)).is_aged


def test_a_path_forgets_what_was_idle_for_longer_than_all_that_went_on() -> None:
    for kind in ("reset", "hung"):
        dead = ends(**{kind: [(1, 0.0, 5.0, 3.5), (2, 9.0, 9.0, 4.0)]})
        assert pattern_of(dead, uses(0.5, 2.9)).drop == Span(2.9, 3.5)
        assert pattern_of(dead, uses(0.5, 3.9)).drop is None
    assert pattern_of(ends(reset=[(1, 0.0, 5.0, 3.5)]), uses(0.5)).drop is None
    # First requests die just so:
    dead = ends(reset=[(1, 0.0, 5.0, 3.5), (2, 9.0, 9.0, 4.0)])
    assert pattern_of(dead, uses(0.5, 2.9, lost=4)).drop is None


@pytest.mark.parametrize(
    ("closed_after", "answered", "found"),
    [
        ({500: 4}, {200: 40, 500: 4}, {500}),
        ({500: 4, 200: 9}, {200: 40, 500: 4}, set()),  # others end, too
        ({413: 9}, {413: 9}, {413}),
        ({404: 9}, {404: 9}, set()),  # nobody knows whether others would
        ({429: 1}, {200: 40, 429: 9}, set()),
    ],
)
def test_a_close_belongs_to_an_error_where_others_are_kept(
    closed_after: dict[int, int], answered: dict[int, int], found: set[int]
) -> None:
    assert closing_statuses(closed_after, answered) == found
