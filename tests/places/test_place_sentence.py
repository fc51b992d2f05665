"""The sentence on all places: true, and as an engineer would say it, for each mixture."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from support.exports import nothing
from support.places import Link, compared, place_at, run_over
from support.runs import paired_run
from support.sweeps import scripted_sweep

from keepalive_bench.analysis.verdict import VERDICTS, Verdict
from keepalive_bench.places.place import LostPlace
from keepalive_bench.places.sentence import sentence_of, some_of
from keepalive_bench.stats.intervals import Estimate

if TYPE_CHECKING:
    from keepalive_bench import Run
    from keepalive_bench.analysis.verdict import VerdictCode

SERVER_CLOSES = Link(0.02, closes_after=1)
REUSING = "Reusing the connection"
MAY_BE = "reusing the connection may be faster, or may not."
NO_DIFFERENCE = Link(1e-7, server_s=0.05, noise=0.001)


def gone(name: str) -> LostPlace:
    return LostPlace(name, f"{name}.json", f"{name}.json can't be read.")


@cache
def over(milliseconds: float, *arms: str, tls: str | None = None, failing: int = 0) -> Run:
    return run_over(Link(milliseconds / 1000, tls=tls), *arms, failing=failing)


@cache
def unsure() -> Run:
    """Latencies that allow for both."""
    noise = [0.01 + (number * 7919 % 101) / 1000 for number in range(40)]
    return paired_run(noise, noise[::-1])


def said(*lost: str, **runs: Run) -> str:
    return compared(runs, lost=tuple(map(gone, lost))).sentence


def test_of_one_place() -> None:
    sentence = "Reusing the connection is worth 1 round trip: 20.0 ms in eu."
    assert said(eu=over(20)) == sentence


def test_of_two_and_three_places_each_is_told() -> None:
    assert said(eu=over(2), us=over(20)) == (
        "Reusing the connection is worth 1 round trip everywhere: 2.00 ms in eu and 20.0 ms in us."
    )
    secured = {name: over(ms, tls="TLSv1.3") for name, ms in (("a", 2), ("b", 20), ("c", 206))}
    assert said(**secured) == (
        "Reusing the connection is worth 2 round trips everywhere: 4.00 ms in a, 40.0 ms in b and "
        "412 ms in c."
    )


@pytest.mark.parametrize("count", [4, 100])
def test_of_many_places_the_least_and_the_most_are_told(count: int) -> None:
    runs = {f"p{number}": over(2 * number) for number in range(count, 0, -1)}
    assert said(**runs) == (
        "Reusing the connection is worth 1 round trip everywhere: from 2.00 ms in p1 to "
        f"{2 * count}{'.00' if count < 5 else ''} ms in p{count}."
    )


def test_places_of_which_the_same_is_told_are_named_together() -> None:
    runs = {f"p{number}": over(20) for number in range(7)}
    assert said(**runs) == (
        "Reusing the connection is worth 1 round trip everywhere: 20.0 ms in p0, p1, p2, p3, p4 "
        "and 2 more."
    )


def test_a_saving_that_may_be_none_is_not_said() -> None:
    sure, other = (place_at(name, over(20)) for name in ("sure", "unsure"))
    unsure = other._replace(saving_s=Estimate(0.02, -0.01, 0.05))
    assert sentence_of([sure, unsure], []) == (
        "Reusing the connection is worth 1 round trip: 20.0 ms in sure. It is faster in unsure, "
        "too."
    )
    assert sentence_of([unsure], []) == "Reusing the connection is faster in unsure."


def test_where_the_number_of_round_trips_differs_each_is_told() -> None:
    assert said(eu=over(20), us=over(80, tls="TLSv1.3")) == (
        "Reusing the connection saves 20.0 ms (1 round trip) in eu and 160 ms (2 round trips) in "
        "us."
    )
    mixed = {"a": over(20), "b": over(80), "c": over(2), "d": over(80, tls="TLSv1.3")}
    assert said(**mixed) == (
        "Reusing the connection saves between 2.00 ms (1 round trip) in c and 160 ms (2 round "
        "trips) in d."
    )


def test_where_it_isn_t_known_milliseconds_are_enough() -> None:
    hidden = run_over(Link(0.02, tells_round_trip=False))
    assert said(eu=hidden) == "Reusing the connection saves 20.0 ms in eu."
    assert said(eu=hidden, us=over(30)) == (
        "Reusing the connection saves 20.0 ms in eu and 30.0 ms (1 round trip) in us."
    )


def test_every_verdict_has_its_sentence_and_faster_comes_first() -> None:
    runs = {"sa": run_over(SERVER_CLOSES), "ap": run_over(NO_DIFFERENCE), "me": unsure()}
    assert said(**runs, eu=over(20)) == (
        "Reusing the connection is worth 1 round trip: 20.0 ms in eu. It makes no difference of "
        "more than 5 % in ap. Results are inconclusive in me. Almost no connection was reused in "
        "sa."
    )


@pytest.mark.parametrize(
    ("run", "one", "two"),
    [
        (
            run_over(NO_DIFFERENCE),
            "Reusing the connection makes no difference of more than 5 % in eu.",
            "Reusing the connection makes no difference of more than 5 % anywhere.",
        ),
        (
            unsure(),
            f"Results are inconclusive in eu: {MAY_BE}",
            f"Results are inconclusive everywhere: {MAY_BE}",
        ),
        (
            run_over(SERVER_CLOSES),
            "Almost no connection was reused in eu.",
            "Almost no connection was reused anywhere.",
        ),
        (
            over(20, "unpooled", "pooled"),
            "Using unpooled rather than pooled is slower in eu.",
            "Using unpooled rather than pooled is slower everywhere.",
        ),
    ],
    ids=["no-difference", "inconclusive", "not-reused", "slower"],
)
def test_nothing_is_saved_anywhere(run: Run, one: str, two: str) -> None:
    assert said(eu=run) == one
    assert said(eu=run, us=run) == two


@pytest.mark.parametrize(
    ("code", "one", "two"),
    [
        (
            "not-comparable",
            "The arms can't be compared in eu.",
            "The arms can't be compared anywhere.",
        ),
        ("not-measured", "An arm got no response in eu.", "An arm got no response anywhere."),
        ("faster", f"{REUSING} is faster in eu.", f"{REUSING} is faster everywhere."),
    ],
)
def test_where_no_amount_is_known_none_is_told(code: VerdictCode, one: str, two: str) -> None:
    known = place_at("eu", over(20))
    place = known._replace(verdict=Verdict(code, ""), saving_s=Estimate(None), saved_trips=None)
    assert sentence_of([place], ()) == one
    assert sentence_of([place, place._replace(name="us")], ()) == two


def test_every_verdict_on_a_comparison_has_words() -> None:
    place = place_at("eu", over(20))
    for code in VERDICTS:
        told = sentence_of([place._replace(verdict=Verdict(code, ""))], ())
        assert " in eu" in told or code in {"one-arm", "sweep"}, code


def test_where_something_else_was_compared_that_is_told_apart() -> None:
    assert said(eu=over(20), us=over(80, "unpooled", "pooled"), ap=over(20, "pooled")) == (
        "Reusing the connection is worth 1 round trip: 20.0 ms in eu. Using unpooled rather than "
        "pooled is slower in us. A typical request takes 21.1 ms in ap."
    )


def test_of_one_arm_alone_its_latency_is_told() -> None:
    assert said(eu=over(20, "pooled"), us=over(80, "pooled")) == (
        "A typical request takes 21.1 ms in eu and 81.1 ms in us."
    )
    four = {f"p{number}": over(20 * number, "unpooled") for number in range(1, 5)}
    assert said(**four) == "A typical request takes between 41.1 ms in p1 and 161 ms in p4."


def test_of_sweeps_what_they_recommend_is_told() -> None:
    assert (
        said(
            eu=scripted_sweep(1, 2, 4, 8),
            us=scripted_sweep(1, 2, 4, 8, threads=8),
            ap=scripted_sweep(1, 2),
            sa=scripted_sweep(1, 2, 4, 8),
        )
        == "Recommended maxsize: 4 in eu and sa; 8 in us. No maxsize can be recommended in ap."
    )


def test_lost_places_are_counted_and_nothing_is_so_everywhere_then() -> None:
    assert said("gone", eu=over(2), us=over(20)) == (
        "Reusing the connection is worth 1 round trip: 2.00 ms in eu and 20.0 ms in us. 1 of 3 "
        "places is lost: gone."
    )
    assert said("x", "y", eu=over(20)).endswith(" 2 of 3 places are lost: x and y.")
    many = [f"p{number}" for number in range(100, 150)]
    assert said(*many, eu=over(20)).endswith(
        " 50 of 51 places are lost: p100, p101, p102, p103, p104 and 45 more."
    )


def test_where_no_place_has_a_result() -> None:
    nowhere = "Nothing was measured at any place."
    assert said(eu=nothing()) == nowhere
    assert said("x") == f"{nowhere} The only place is lost: x."
    assert said("x", "y") == f"{nowhere} Both places are lost: x and y."
    assert said("x", "y", "z") == f"{nowhere} All 3 places are lost: x, y and z."
    assert said("x", eu=nothing()) == f"{nowhere} 1 of 2 places is lost: x."


def test_where_requests_failed_or_responses_were_errors_that_is_told() -> None:
    assert said(eu=over(20, failing=5)).endswith(" in eu. 10 of 120 requests failed in eu.")
    refused = run_over(Link(0.02, status=403))
    assert said(eu=over(20), us=refused).endswith(" Most responses in us were errors (403).")
    silent = said(eu=over(20, failing=60), us=over(20))
    assert silent == (
        "Reusing the connection is worth 1 round trip: 20.0 ms in us. Nothing was measured in eu."
    )


def test_names_that_command_something_are_escaped() -> None:
    text = said("::error::x\x1b[31m\n", **{"##[error]y": over(20)})
    assert "::" not in text
    assert "##" not in text
    assert text.isprintable()


def test_no_more_than_five_places_are_named() -> None:
    assert some_of(["a"]) == "a"
    assert some_of("abcde") == "a, b, c, d and e"
    assert some_of("abcdef") == "a, b, c, d, e and 1 more"
