"""What differs between places: what was asked, who answered, and what became of connections."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.exports import nothing
from support.places import Link, compared, run_over
from support.sweeps import scripted_sweep

from keepalive_bench import DecisionRule, Experiment, Known, Plan, Request, Target
from keepalive_bench.places.report.words import difference_lines
from keepalive_bench.results.exchange import Answer

if TYPE_CHECKING:
    from keepalive_bench import Run

LINK = Link(0.02)
PLAN = Plan(Target("http://127.0.0.1:8000/"))


def lines(**runs: Run) -> list[str]:
    return [*difference_lines(compared(runs))]


def answering(**fields: Any) -> Run:  # noqa: ANN401  # an answer's
    return run_over(LINK._replace(answer=Answer("HTTP/1.1", "text/html", **fields)))


def test_nothing_differs_where_all_is_the_same() -> None:
    assert not lines(eu=run_over(LINK), us=run_over(LINK._replace(round_trip_s=0.08)))
    assert not lines(eu=run_over(LINK))


def test_a_value_that_one_place_alone_has_is_only_there() -> None:
    nginx, envoy = answering(server="nginx"), answering(server="envoy")
    assert lines(a=nginx, b=nginx, c=envoy) == ["server: nginx in a and b; envoy only in c"]


def test_what_some_places_have_none_of_is_told() -> None:
    plain, proxied = answering(server="nginx"), answering(server="nginx", via="1.1 cache")
    assert lines(a=plain, b=proxied, c=plain) == ["via: 1.1 cache only in b; none in a and c"]


def test_what_all_have_isn_t_repeated_where_one_has_more() -> None:
    closing = run_over(LINK._replace(closes_after=10))
    assert lines(a=closing, b=run_over(LINK._replace(closes_after=10), failing=3), c=closing) == [
        "failure: reset only in b; none in a and c"
    ]


def test_a_reason_status_or_version_of_tls_that_is_only_there_is_told() -> None:
    link = LINK._replace(tls="TLSv1.3")
    found = lines(
        a=run_over(link),
        b=run_over(link._replace(closes_after=10)),
        c=run_over(link._replace(tls="TLSv1.2", status=503)),
    )
    assert found == [
        "TLS: TLSv1.3 in a and b; TLSv1.2 only in c",
        "status: 200 in a and b; 503 only in c",
        "reason: server-close only in b; none in a and c",
    ]


ASKED = {
    "url": (replace(PLAN, target=Target("http://127.0.0.1:9/x")), "url: http://127.0.0.1:8000/"),
    "method": (replace(PLAN, request=Request(method="HEAD")), "method: GET only in a; HEAD only"),
    "a field": (
        replace(PLAN, request=Request(headers=(("Accept", "*/*"),))),
        'headers: [] only in a; [["Accept", "*/*"]] only in b',
    ),
    "a secret": (
        replace(PLAN, request=Request(bearer="hunter2")),
        "withheld.bearer: 1 only in b; none in a",
    ),
}


@pytest.mark.parametrize(("plan", "said"), ASKED.values(), ids=ASKED)
def test_what_was_asked_is_told_where_it_differs(plan: Plan, said: str) -> None:
    found = lines(a=run_over(LINK, plan=PLAN), b=run_over(LINK, plan=plan))
    assert len(found) == 1
    assert found[0].startswith(said)
    assert "hunter2" not in found[0]


def test_what_doesn_t_matter_isn_t_told() -> None:
    other = replace(
        PLAN,
        experiment=Experiment(seed=8),
        known=Known(place="us", server="nginx"),
        decision_rule=DecisionRule(confidence=0.9, requirements=("reopened==0",)),
    )
    found = lines(a=run_over(LINK, plan=PLAN), b=run_over(LINK, plan=other))
    assert not found


def test_arms_are_told_by_what_they_are_called() -> None:
    both, one = run_over(LINK), run_over(LINK, ("mine", "pooled"), "unpooled")
    assert lines(a=both, b=one) == [
        "arms: pooled, unpooled only in a; mine (pooled), unpooled only in b"
    ]
    sweeps = {"a": scripted_sweep(1, 2, threads=4), "b": scripted_sweep(1, 4, threads=4)}
    assert "arms: 1, 2 only in a; 1, 4 only in b" in lines(**sweeps)


def test_places_where_nothing_was_measured_tell_nothing() -> None:
    assert not lines(a=run_over(LINK, plan=nothing().plan), b=nothing())


def test_of_many_values_the_first_few_are_told() -> None:
    runs = {f"p{number}": answering(server=f"s{number}") for number in range(10)}
    (line,) = lines(**runs)
    assert line.startswith("server: s0 only in p0; s1 only in p1;")
    assert line.endswith("; s7 only in p7; 2 more")


def test_what_a_server_says_commands_nothing() -> None:
    (line,) = lines(a=answering(server="::error::x\x1b[31m##[y]"), b=answering(server="nginx"))
    assert line.isprintable()
    assert "::" not in line
    assert "##" not in line
