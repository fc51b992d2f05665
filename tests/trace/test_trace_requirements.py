"""Requirements on what a program did: met, missed or undecided, with why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import usages
from support.command import called
from support.usages import API, CDN, FIRST, FOLDER, LOGIN, NO_SESSION, Builder

from keepalive_bench.report.requirements import worst
from keepalive_bench.trace.requirements import check_usage, trace_requirements, trace_scopes

if TYPE_CHECKING:
    from keepalive_bench.analysis import Checked
    from keepalive_bench.trace.usage import Usage


def check(usage: Usage, text: str) -> Checked:
    (requirement,) = trace_requirements([text])
    return check_usage(requirement, usage, FOLDER)


def two_schemes() -> Usage:
    built = Builder().open(FIRST, requests=10, origin="http://a.example:80")
    built.open(NO_SESSION, 4, origin="https://a.example:443")
    return built.usage("")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("reuse>=90%", "missed"),
        ("api.example.com:443: reuse>=85%", "met"),
        ("api.example.com: connections<=43", "met"),
        ("API.Example.COM:443: connections==43", "met"),
        ("https://api.example.com:443: connections<43", "missed"),
        ("https://api.example.com: avoidable==40", "met"),
        ("https://api.example.com/: avoidable==40", "met"),
        ("http://api.example.com:443: reuse>=1%", "missed"),
        ("api.example.com:80: reuse>=1%", "missed"),
        ("opened.unread-response<=16", "met"),
        ("opened.unread-response==0", "missed"),
        ("cdn.example.com: failed_connections==2", "met"),
        ("cdn.example.com: failed<=2", "missed"),
        ("latency_reused.p50<=12.1ms", "met"),
        ("setup<=1ms", "missed"),
        ("would_do<=12", "met"),
        ("processes==2", "met"),
        ("untraced==0", "missed"),
        ("lost<=17", "met"),
    ],
)
def test_each_is_held_against_the_origins_that_it_selects(text: str, status: str) -> None:
    assert check(usages.mixed(), text).status == status


@pytest.mark.parametrize(
    ("text", "status"), [("untraced==0", "missed"), ("lost==0", "missed"), ("processes==0", "met")]
)
def test_where_nothing_was_traced_nothing_speaks_for_the_program(text: str, status: str) -> None:
    nothing = usages.mixed()._replace(processes=(), untraced=(), origins=())
    assert check(nothing, text).status == status


def test_without_a_selector_one_origin_that_misses_it_is_enough() -> None:
    found = check(usages.mixed(), "reuse>=88%")
    assert found.status == "missed"
    assert found.value == pytest.approx(0.506, abs=1e-3)
    assert found.text == (
        "reuse of cdn.example.com:443 is 50.65 % (pool-full: 55, unread-response: 16); "
        "reuse of api.example.com:443 is 87.35 % (new-client: 40)."
    )


def test_where_all_meet_it_the_worst_is_told() -> None:
    found = check(usages.mixed(), "connections<=73")
    assert (found.status, found.value) == ("met", 73)
    assert found.text == "connections of cdn.example.com:443 is 73; 2 other origins meet it, too."


@pytest.mark.parametrize(
    "text", ["api.exmaple.com: reuse>=0%", "api.exmaple.com: opened.unread-response==0"]
)
def test_a_mistyped_origin_misses_what_any_would_meet_and_names_those_seen(text: str) -> None:
    found = check(usages.mixed(), text)
    assert (found.status, found.value) == ("missed", None)
    for origin in (API, CDN, LOGIN):
        assert origin.partition("://")[2] in found.text
    assert "Did you mean api.example.com:443?" in found.text


def test_of_many_origins_seen_not_all_are_named() -> None:
    assert "and 35 more." in check(usages.many_origins(), "x.test: reuse>=0%").text


@pytest.mark.parametrize("text", ["reuse>=0%", "a.example: connections<=5", "avoidable==0"])
def test_where_nothing_was_sent_or_traced_every_origin_s_requirement_is_missed(text: str) -> None:
    for usage in (usages.silent(), usages.nothing()):
        assert check(usage, text).status == "missed"


def test_an_origin_that_no_connection_led_to_had_no_request() -> None:
    seen = Builder().known(0, refused=3).open(FIRST, origin=CDN).usage("")
    found = check(seen, "api.example.com: connections<=5")
    assert found.status == "missed"
    assert found.text.endswith("Requests went to cdn.example.com:443.")


def test_what_is_unknown_is_undecided_and_with_strict_missed() -> None:
    found = check(usages.many_origins(3), "host-00.example.com: latency_reused.p95<=1s")
    assert found.status == "undecided"
    assert found.text == (
        "latency_reused.p95 of host-00.example.com:443 is unknown: "
        "no request reused a connection, and was answered."
    )
    assert (worst([found]), worst([found], strict=True)) == ("undecided", "missed")


def test_a_host_selects_all_its_origins_and_they_are_told_apart() -> None:
    found = check(two_schemes(), "a.example: reuse>=99%")
    assert found.text == (
        "reuse of a.example:443 is 0 % (new-client: 4); reuse of a.example:80 is 90 %."
    )
    assert check(two_schemes(), "a.example:80: reuse>=90%").status == "met"
    assert check(two_schemes(), "https://a.example: reuse<=0%").status == "met"


def test_an_ipv6_address_is_selected_with_brackets_and_without() -> None:
    usage = Builder().open(FIRST, requests=3, origin="http://[::1]:8080").usage("")
    for selector in ("[::1]:8080", "[::1]", "::1", "http://[::1]:8080"):
        assert check(usage, f"{selector}: connections==1").status == "met"


def test_what_is_missed_is_explained_by_what_opened_connections() -> None:
    found = check(usages.mixed(), "api.example.com: reuse>=99%").because
    assert [it.code for it in found] == ["new-client"]
    assert found[0].text == (
        "api.example.com:443: app.py:31 in sync: 40 requests, 40 connections: "
        "requests.get makes a Session each time."
    )
    assert found[0].advice.endswith("Saves at least 1.94 s.")


def test_a_reason_s_requirement_is_explained_by_that_reason_alone() -> None:
    found = check(usages.mixed(), "opened.unread-response==0").because
    assert {it.code for it in found} == {"unread-response"}
    assert len(found) == 2


def test_of_times_nothing_explains_how_long_they_are() -> None:
    assert not check(usages.mixed(), "latency_reused.p50<=1ms").because


def test_each_text_counts_once() -> None:
    assert len(trace_requirements(["reuse>=90%", "reuse>=90%", "reuse >= 90%"])) == 2


def test_kab_explain_lists_all_that_they_can_be_about() -> None:
    told = called("explain", "requirements").out
    for place in trace_scopes():
        for metric in place.named:
            assert next(iter(place.forms(metric))) in told
