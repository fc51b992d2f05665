from __future__ import annotations

import pytest
from support.shells import words_of

from keepalive_bench.plan.plan import (
    Arm,
    DecisionRule,
    Experiment,
    Network,
    Plan,
    Request,
    Target,
    Tls,
    Variation,
)
from keepalive_bench.report.page.command import command, left_out
from keepalive_bench.units import printable

_URL = "https://user:s3kr1t@example.com/search?q=a+b&token=s3kr1t"


def test_what_is_as_usual_is_not_spelled_out() -> None:
    plan = Plan(Target("http://example.com/"), experiment=Experiment(seed=3))
    assert command(plan) == "kab run http://example.com/ --requests 50 --seed 3"


def test_what_differs_is_spelled_out_without_secrets() -> None:
    plan = Plan(
        Target(_URL),
        Request(method="HEAD", bearer="s3kr1t", headers=(("X", "s3kr1t"),)),
        Tls(verify=False),
        Network(timeout_s=2.5, proxy=Target("http://user:s3kr1t@proxy:3128"), ip_version=4),
        Experiment(
            duration_s=90,
            concurrency=4,
            maxsize=2,
            block=True,
            arms=(Arm("pooled"), Arm("unpooled", "fresh")),
            order="paired",
            warmup=0,
            seed=3,
        ),
        DecisionRule(confidence=0.99, requirements=("pooled.p95<=50ms",)),
    )
    assert command(plan) == (
        "kab run 'https://example.com/search?q=a+b&token=***' --duration 90s --maxsize 2 "
        "--concurrency 4 --block --warmup 0 --method HEAD --timeout 2.5s --ipv4 "
        "--proxy http://proxy:3128 --insecure --arm pooled --arm fresh=unpooled --order paired "
        "--seed 3 --confidence 0.99 --require 'pooled.p95<=50ms'"
    )
    assert left_out(plan) == (
        "the header field X, the credentials, a part of --proxy and what *** stands for"
    )


def test_what_is_left_out_is_named() -> None:
    assert left_out(Plan(Target("http://example.com/"))) == ""
    request = Request(
        headers=(("Accept", "x"), ("X-Key", "s3kr1t"), ("Accept", "y")),
        body=b"{}",
        content_type="application/json",
        cookies=("a=s3kr1t",),
        variation=Variation(rows=((("q", "1"),), (("q", "2"),))),
    )
    assert left_out(Plan(Target("http://example.com/"), request)) == (
        "the header fields Accept, X-Key, the body of 2 B, application/json, 1 cookie and the "
        "2 rows of its --fields-file"
    )
    tls = Tls(key_password="s3kr1t")  # noqa: S106  # nobody's
    assert left_out(Plan(Target("http://example.com/"), tls=tls)) == "--key-password-file"


@pytest.mark.parametrize("agent", ["::e::'##[x]\\", "a'b::c \u202e", "a\\x3ab::"])
def test_a_word_that_may_not_be_shown_as_it_is_is_read_by_a_shell_as_it_was(agent: str) -> None:
    plan = Plan(Target("http://example.com/"), Request(user_agent=agent))
    shown = command(plan)
    assert printable(shown) == shown
    words = words_of(shown)
    assert words[words.index("--user-agent") + 1] == agent
