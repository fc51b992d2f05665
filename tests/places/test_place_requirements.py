"""`--require` on places: on each, on one, on all together; a lost place misses what is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.places import Link, compared, run_over
from support.sweeps import scripted_sweep

from keepalive_bench import UsageError
from keepalive_bench.places.metrics import TOTAL_METRICS
from keepalive_bench.places.place import LostPlace
from keepalive_bench.places.requirements import place_requirements, place_scopes
from keepalive_bench.plan.plan import Experiment
from keepalive_bench.requirements.names import all_names

if TYPE_CHECKING:
    from keepalive_bench import Run
    from keepalive_bench.analysis import Checked

ARMS = Experiment().arms
RUNS = {"eu-west": run_over(Link(0.02)), "us": run_over(Link(0.08)), "ap": run_over(Link(0.3))}
GONE = LostPlace("sa", "sa.json", "sa.json can't be read: No such file or directory.")


def checked(text: str, *lost: LostPlace) -> Checked:
    (found,) = compared(RUNS, text, lost=lost).requirements
    return found


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("pooled.p95<=1s", "met"),
        ("pooled.p95<=50ms", "missed"),
        ("eu-west: pooled.p95<=50ms", "met"),
        ("us: pooled.p95<=50ms", "missed"),
        ("p99<=1s", "undecided"),
        ("eu-west: unpooled.p50>=40ms", "met"),
        ("speedup>=1.5", "met"),
        ("verdict==faster", "met"),
        ("us: verdict==slower", "missed"),
        ("total.connections<=183", "met"),
        ("total.connections<=182", "missed"),
        ("total.requests==360", "met"),
        ("total.measured==3", "met"),
        ("total.lost==0", "met"),
        ("total.failed==0", "met"),
        ("fr: reopened==0", "missed"),
    ],
)
def test_a_requirement_stands_as_it_does_at_the_worst_place(text: str, status: str) -> None:
    assert checked(text).status == status


def test_the_worst_places_are_named_with_what_was_found() -> None:
    found = checked("pooled.p95<=50ms")
    assert found.text == (
        "us: pooled.p95 is 81.1 ms, and at least 81.1 ms at 95 % confidence. "
        "ap: pooled.p95 is 301 ms, and at least 301 ms at 95 % confidence. "
        "1 other place meets it."
    )
    assert found.value == pytest.approx(0.0811, rel=0.01)


def test_places_that_leave_it_open_are_counted_apart() -> None:
    few = {"a": run_over(Link(0.02), requests=20), "b": run_over(Link(0.08))}
    (found,) = compared(few, "pooled.p95<=50ms").requirements
    assert (found.status, found.text[:3]) == ("missed", "b: ")
    assert found.text.endswith(" It is undecided at 1 other place.")


def test_of_many_places_the_first_few_are_named() -> None:
    run = run_over(Link(0.02))
    (found,) = compared({f"p{it}": run for it in range(12)}, "p50<=1ms").requirements
    assert found.text.count(": pooled.p50 is 21.1 ms") == 5
    assert found.text.endswith(" 7 more places miss it.")


def test_a_lost_place_misses_what_is_asked_of_each_and_of_it() -> None:
    for text in ("pooled.p95<=1s", "sa: pooled.p95<=1s", "total.lost==0", "total.measured>=4"):
        assert checked(text, GONE).status == "missed"
    assert checked("sa: reopened==0", GONE).text == f"sa: The place is lost. {GONE.why}"
    assert checked("us: reopened==0", GONE).status == "met"
    assert checked("pooled.p95<=1s", GONE).text.endswith("3 other places meet it.")


def test_an_unknown_place_misses_and_the_one_that_was_meant_is_suggested() -> None:
    said = "There is no place 'eu-wst'. Did you mean eu-west? There are eu-west, us and ap."
    assert checked("eu-wst: reopened==0").text == said
    assert checked("x: reopened==0").text == "There is no place 'x'. There are eu-west, us and ap."


ALONE = run_over(Link(0.02), "pooled")


@pytest.mark.parametrize(
    ("other", "status"),
    [
        (run_over(Link(0.08), "pooled"), "met"),
        (run_over(Link(0.02), ("mine", "pooled")), "undecided"),
        (run_over(Link(0.02), ("pooled", "unpooled")), "undecided"),
        (run_over(Link(0.02)), "undecided"),  # arms that take turns
    ],
)
@pytest.mark.parametrize("bound", ["50", "50/s"])
def test_rates_add_up_where_all_sent_alike_at_the_same_time(
    other: Run, status: str, bound: str
) -> None:
    """A request that takes 20 ms, and one that takes 80: 50 and 12 per second at most."""
    places = compared({"eu": ALONE, "us": other}, f"total.requests_per_second>={bound}")
    (checked,) = places.requirements
    if status == "met":
        assert places.totals.requests_per_second == pytest.approx(60, abs=3)
        assert checked.status == "met"
    else:
        assert checked.status == "undecided"
        assert checked.text.startswith("total.requests_per_second is unknown: places didn't all")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pooled.p95", "a comparison is missing"),
        ("pooled.p94x<=1ms", "there is no|has no"),
        ("eu: total.lost==0", "total.lost is of the whole, so leave out what stands before it"),
        (": p95<=1ms", "a name is missing before the colon"),
        ("eu:p95<=1ms", "put a blank after this colon"),
        ("total.lots<=1", r"total has no 'lots'|did you mean total\.lost"),
        ("total.lost<=1.5ms", "ms"),
    ],
)
def test_what_is_no_requirement_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        place_requirements([text], ARMS)


def test_each_text_is_a_requirement_once() -> None:
    assert len(place_requirements(["reopened==0", "reopened==0", "eu: reopened==0"], ARMS)) == 2


def test_of_one_arm_and_of_a_sweep_there_are_names_too() -> None:
    runs = {"eu": run_over(Link(0.02), "pooled")}
    assert compared(runs, "eu: p50<=1s").requirements[0].status == "met"
    swept = {"eu": scripted_sweep(1, 2, 4, 8)}
    assert compared(swept, "recommendation.maxsize<=4").requirements[0].status == "met"


def test_every_total_has_a_name_of_its_own() -> None:
    names = {*all_names(tuple(place_scopes(ARMS)))}
    assert {metric.path for metric in TOTAL_METRICS} <= names
