from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.runs import CUT_OFF, REFUSED, Script, paired_run

from keepalive_bench import Network, Plan, Target, analyse
from keepalive_bench.report.preamble import nothing_measured
from keepalive_bench.results.exchange import Answer, Ending, Failure
from keepalive_bench.results.measured import WarmUp

if TYPE_CHECKING:
    from keepalive_bench.analysis import Finding
    from keepalive_bench.results.run import Run

TWO = ("pooled", "unpooled")


def found(run: Run) -> dict[str, Finding]:
    return {finding.code: finding for finding in analyse(run).findings}


def scripted(**experiment: Any) -> Run:  # noqa: ANN401  # whatever an Experiment takes
    """A run whose requests were all answered."""
    script = Script(**experiment)
    for label in script.plan.experiment.labels:
        row = script.open(label)
        for _ in range(script.plan.experiment.requests):
            script.send(label, 0.01, on=row)
    return script.run(cpu_s=0.1)


def test_nothing_is_found_where_nothing_is_the_matter() -> None:
    assert not found(paired_run([0.01] * 72, [0.02] * 72))
    assert not found(scripted(requests=600, concurrency=4))
    assert not found(scripted(requests=8, arms=paired_run([1], [1]).plan.experiment.arms[:1]))


def test_an_interruption_is_found_and_comes_first() -> None:
    script = Script(*TWO, requests=10)
    script.send("pooled", 0.01)
    script.fail("unpooled", failure=CUT_OFF)
    script.fail("unpooled", failure=CUT_OFF)
    findings = analyse(script.run(interrupted=True)).findings
    assert findings[0].code == "interrupted"
    assert findings[0].severity == "warning"
    assert findings[0].evidence == {"exchanges": 1, "cut_off": 2}
    said = "The run was interrupted after 1 request; 2 more were cut off."
    assert findings[0].text == said


def test_failures_are_found_by_arm_and_kind() -> None:
    script = Script(*TWO, requests=10)
    script.send("pooled", 0.01)
    for message in ("one", "two", "one"):
        script.fail("pooled", failure=Failure("reset", message))
    script.fail("pooled", failure=REFUSED)
    script.fail("unpooled", failure=REFUSED)
    evidence = [
        finding.evidence
        for finding in analyse(script.run()).findings
        if finding.code == "requests-failed"
    ]
    refused = {"kind": "connect-refused", "count": 1, "message": "Connection refused"}
    assert evidence == [
        {"arm": "pooled", "kind": "reset", "count": 3, "message": "one"},
        {"arm": "pooled", **refused},
        {"arm": "unpooled", **refused},
    ]


@pytest.mark.parametrize(
    ("url", "proxy", "kind", "who"),
    [
        ("http://a.test/", None, "reset", "server"),
        ("http://a.test/", "http://p.test/", "reset", "proxy"),
        ("https://a.test/", "http://p.test/", "reset", "server"),  # or the tunnel
        ("https://a.test/", "http://p.test/", "proxy", "proxy"),
        ("http://a.test/", "http://p.test/", "dns", "path"),
        ("https://a.test/", "http://p.test/", "connect-refused", "proxy"),
        ("http://a.test/", None, "limit-reached", "client"),
    ],
)
def test_a_failure_says_who_did_it(url: str, proxy: str | None, kind: str, who: str) -> None:
    network = Network(proxy=Target(proxy) if proxy else None)
    script = Script("pooled", plan=Plan(Target(url), network=network), requests=1)
    script.fail("pooled", failure=Failure(kind, "it failed"))
    assert found(script.run())["requests-failed"].who == who


def test_the_advice_on_a_failure_does_not_doubt_a_port_that_answered() -> None:
    script = Script("pooled", requests=2)
    script.fail("pooled", failure=Failure("closed-before-response", "closed"))
    assert "speak" in found(script.run())["requests-failed"].advice
    script.send("pooled", 0.01)
    assert "speak" not in found(script.run())["requests-failed"].advice


@pytest.mark.parametrize("url", ["http://a.test/", "https://a.test/"])
def test_a_proxy_that_refuses_is_not_taken_for_the_server(url: str) -> None:
    network = Network(proxy=Target("http://127.0.0.1:3128"))
    script = Script("pooled", plan=Plan(Target(url), network=network), requests=1)
    script.fail("pooled", failure=REFUSED)
    analysis = analyse(script.run())
    assert "The proxy refused, not the server" in nothing_measured(analysis)


def test_a_message_from_outside_can_not_draw_in_the_terminal() -> None:
    script = Script("pooled", requests=1)
    script.fail("pooled", failure=Failure("malformed-response", "\x1b[2Jgone\u202e"))
    assert found(script.run())["requests-failed"].text.isprintable()


def test_requests_that_were_not_sent_are_found() -> None:
    script = Script(*TWO, requests=10)
    script.send("pooled", 0.01)
    finding = found(script.run())["requests-not-sent"]
    assert finding.severity == "warning"
    assert finding.text == "10 requests of unpooled were not sent."


def test_of_an_arm_that_was_stopped_it_is_said_how_to_go_on() -> None:
    script = Script("pooled", requests=10)
    for _ in range(5):
        script.fail("pooled")
    finding = found(script.run())["requests-not-sent"]
    assert finding.evidence == {"arm": "pooled", "count": 5}
    assert "--keep-going" in finding.advice


def test_of_an_arm_that_ctrl_c_stopped_it_is_not() -> None:
    run = Script(*TWO, requests=10, order="sequential").run(interrupted=True)
    assert not found(run)["requests-not-sent"].advice


def test_a_failed_warm_up_is_found_and_no_warning() -> None:
    warmup = {"unpooled": WarmUp(requests=2, connections=0, failures=(REFUSED, REFUSED))}
    script = Script(*TWO, requests=10)
    finding = found(script.run(warmup=warmup))["warmup-failed"]
    assert finding.severity == "info"
    assert finding.evidence == {"arm": "unpooled", "kind": "connect-refused", "count": 2}


def test_a_pool_below_the_concurrency_is_why_the_arms_ran_one_after_the_other() -> None:
    finding = found(scripted(requests=80, concurrency=4, maxsize=2))["sequential-order"]
    assert finding.evidence == {"concurrency": 4, "maxsize": 2}
    assert "because maxsize 2 is below the concurrency of 4" in finding.text


def test_who_asked_for_that_order_is_not_told_why() -> None:
    finding = found(scripted(requests=10, order="sequential"))["sequential-order"]
    assert "because" not in finding.text


@pytest.mark.parametrize(("requests", "rounds", "drifts"), [(20, 1, True), (239, 5, False)])
def test_few_rounds_are_found_with_how_many_requests_make_enough(
    requests: int, rounds: int, *, drifts: bool
) -> None:
    finding = found(scripted(requests=requests, concurrency=4))["few-rounds"]
    assert finding.evidence == {"rounds": rounds, "concurrency": 4}
    assert ("drift" in finding.text) is drifts
    assert "--requests 240 or more" in finding.advice
    assert "few-rounds" not in found(scripted(requests=240, concurrency=4))


def test_of_requests_and_time_few_rounds_advise_more_of_what_ended_the_run() -> None:
    finding = found(scripted(requests=20, concurrency=4, duration_s=60.0))["few-rounds"]
    assert "--requests 240 or more" in finding.advice
    assert "1 round with a block of 40 requests from each arm, so" in finding.text


def test_what_happens_to_each_request_is_told_without_a_number() -> None:
    script = Script("pooled", "unpooled", requests=10)
    closing = Answer("HTTP/1.1", connection="close")
    for index in range(10):
        row = script.open("pooled")
        script.send("pooled", 0.01, on=row, index=index, answer=closing)
        script.connections.ended(row, Ending("announced"), 1.0)
        script.send("unpooled", 0.02, on=script.open("unpooled"), index=index)
    finding = found(script.run())["server-close"]
    assert "after every request (" in finding.text
    assert finding.advice.startswith("Keep-alive is off there")


def test_of_one_close_without_a_word_it_is_said_after_how_many_responses() -> None:
    script = Script("pooled", requests=4)
    first = script.open("pooled")
    for _ in range(3):
        script.send("pooled", 0.01, on=first)
    script.connections.ended(first, Ending("fin", 0.02, 0.001), 0.04)
    script.send("pooled", 0.01, on=script.open("pooled"))
    assert found(script.run())["unknown"].text.endswith("(pooled, once): closed after 3 responses.")


def test_pairs_left_out_are_told_with_how_many_there_were() -> None:
    script = Script("pooled", "unpooled", requests=10)
    for index in range(10):
        script.send("pooled", 0.01, index=index)
        if index:
            script.send("unpooled", 0.02, index=index)
        else:
            script.fail("unpooled", 0.02, index=index)
    text = found(script.run())["pairs-left-out"].text
    assert text == "1 of 10 pairs of pooled and unpooled lack a response and are left out."


def test_a_pair_without_any_answer_is_left_out_like_one_with_one() -> None:
    script = Script("pooled", "unpooled", requests=20)
    for index in range(20):
        for arm in ("pooled", "unpooled"):
            if index in {3, 4} or (index, arm) == (7, "pooled"):
                script.fail(arm, index=index)
            else:
                script.send(arm, 0.01, index=index)
    finding = found(script.run())["pairs-left-out"]
    assert finding.text.startswith("3 of 20 pairs ")
    assert (finding.evidence["pairs"], finding.evidence["left_out"]) == (17, 3)


def test_blocks_that_lost_half_of_their_requests_are_told_and_the_verdict_says_it_first() -> None:
    script = Script("pooled", "unpooled", requests=480, concurrency=8)
    for index in range(480):
        for arm, latency_s in (("pooled", 0.01), ("unpooled", 0.02)):
            number = index // 80
            if index % 2:
                script.fail(arm, index=index, round_number=number)
            else:
                script.send(arm, latency_s, index=index, round_number=number)
    run = script.run()
    finding = found(run)["pairs-left-out"]
    assert finding.text.startswith("480 requests of pooled and unpooled failed, so their blocks")
    assert finding.evidence["lost"] == 480
    text = analyse(run).verdict.text
    assert text.startswith("480 of 960 requests failed; this is about the others. Reusing")


def test_a_run_without_an_answer_is_nobody_s_waiting() -> None:
    script = Script("pooled", "unpooled", requests=4, concurrency=4)
    for arm in ("pooled", "unpooled"):
        for _ in range(4):
            script.fail(arm)
    assert "client-bound" not in found(script.run(wall_s=1.0, cpu_s=1.0))
