"""Answers counted by a header field: in the document, in tables, and what is noticed."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest
from support.exports import all_lines, printed, stored, written
from support.misbehaving import Peer, misbehaving
from support.orders import orders_in
from support.plans import run
from support.runs import Script

from keepalive_bench import Plan, Request, Run, Target, UsageError, analyse

HOSTILE = "\x1b[2J::error::|`<b>`"


def counted(pooled: list[str | None], unpooled: list[str | None]) -> Run:
    """A run whose answers said such things in `X-Pod`."""
    plan = Plan(Target("http://127.0.0.1/"), Request(count_by=("X-Pod",)))
    script = Script("pooled", "unpooled", plan=plan, requests=len(pooled))
    row = script.open("pooled")
    for one, other in zip(pooled, unpooled, strict=True):
        script.send("pooled", 0.01, on=row, counted=(one,))
        script.send("unpooled", 0.02, on=script.open("unpooled"), counted=(other,))
    return script.run()


def found(run_: Run) -> Any:  # noqa: ANN401
    codes = {it.code: it for it in analyse(run_).findings}
    return codes.get("counted-differently")


def document(run_: Run) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(stored(run_))["arms"]
    return result


def spread(number: int, pods: int = 3) -> list[str | None]:
    return [f"pod-{place % pods}" for place in range(number)]


def test_a_kept_connection_stays_with_one_pod_and_new_ones_are_spread() -> None:
    finding = found(counted(["pod-0"] * 30, spread(30)))
    assert finding.severity == "warning"
    assert finding.text.startswith(
        "pooled got fewer values of X-Pod than unpooled. A reused connection"
    )
    assert finding.evidence == {
        "field": "X-Pod",
        "split": "pod-0: pooled 30, unpooled 10; pod-1: pooled 0, unpooled 10; "
        "pod-2: pooled 0, unpooled 10",
    }


@pytest.mark.parametrize(
    ("pooled", "unpooled"),
    [
        (spread(30), spread(30)),
        ([f"{number}" for number in range(30)], [f"{-number}" for number in range(30)]),
        ([None] * 30, [None] * 30),
        (["a"] * 4, ["a", "b", "a", "b"]),
    ],
    ids=["alike", "another each time", "never sent", "too few"],
)
def test_what_chance_would_do_is_not_told(
    pooled: list[str | None], unpooled: list[str | None]
) -> None:
    assert found(counted(pooled, unpooled)) is None


def test_what_is_sent_by_one_arm_only_is_told() -> None:
    assert "not sent: pooled 0, unpooled 30" in found(counted(["a"] * 30, [None] * 30)).text


def test_the_document_has_twenty_values_and_counts_the_others() -> None:
    values: list[str | None] = [*(f"v{number}" for number in range(24)), "v0", None]
    arms = document(counted(values, ["a"] * len(values)))
    (field,) = arms["pooled"]["counted"]
    assert field["field"] == "X-Pod"
    assert len(field["values"]) == 20
    assert field["values"][0] == {"value": "v0", "count": 2}
    assert (field["missing"], field["more_values"], field["more"]) == (1, 4, 4)
    assert arms["unpooled"]["counted"][0]["values"] == [{"value": "a", "count": 26}]


def test_a_terminal_shows_them_as_a_table() -> None:
    shown = printed(counted(["pod-0", "pod-0", None], ["pod-0", "pod-1", "pod-1"]), 80)
    table = shown[shown.index("X-Pod") :].splitlines()[:5]
    assert [line.split() for line in table if "─" not in line] == [
        ["X-Pod", "pooled", "unpooled"],
        ["pod-0", "2", "1"],
        ["pod-1", "0", "2"],
        ["(not", "sent)", "1", "0"],
    ]


@pytest.mark.parametrize("dialect", ["html", "markdown"])
def test_a_page_shows_them_too(dialect: str) -> None:
    assert "pod-1" in written(dialect, counted(["pod-0"] * 2, spread(2)))


def test_hostile_values_do_no_harm() -> None:
    run_ = counted([HOSTILE] * 30, ["b"] * 30)
    assert "\x1b" not in printed(run_, 80) + found(run_).text
    assert not orders_in("".join(all_lines(run_, analyse(run_))))
    assert "<b>" not in written("html", run_) + written("markdown", run_)
    assert document(run_)["pooled"]["counted"][0]["values"][0]["value"] == HOSTILE


def test_a_stored_run_tells_the_same() -> None:
    run_ = counted(["pod-0", None, "pod-1"], spread(3))
    read = Run.of_lines([stored(run_)])
    assert document(read) == document(run_)


@pytest.mark.parametrize("processes", [1, 2])
def test_answers_of_a_real_server_are_counted(processes: int) -> None:
    """Each connection is another pod's: the truth is the connections' number."""
    pods = count()

    def serve(peer: Peer) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Pod: pod-{next(pods)}\r\n\r\nok"
        while peer.read_request():
            peer.socket.sendall(head.encode())

    with misbehaving(serve) as server:
        measured = run(
            server.url, requests=12, count_by=("x-pod", "X-No"), processes=processes, warmup=0
        )
    pooled, unpooled = analyse(measured).arms
    assert sorted(pooled.counted[0].values.values()) == [12 // processes] * processes
    assert list(unpooled.counted[0].values.values()) == [1] * 12
    assert (pooled.counted[1].missing, unpooled.counted[1].missing) == (12, 12)


@pytest.mark.parametrize(
    "name",
    [
        *("Set-Cookie", "set-cookie2", "WWW-Authenticate", "Authorization", "Cookie"),
        *("Authentication-Info", "Proxy-Authenticate", "Proxy-Status", "X-Auth-Token"),
        *("X-Session-Id", "X-CSRF-Token", "Location", "Link"),
        "X-Cache-Key",  # a URL, query and all
    ],
)
def test_fields_that_may_carry_secrets_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="credentials, or name a session"):
        Request(count_by=(name,))


def test_what_only_sounds_secret_is_not() -> None:
    # Fastly's list of tags: https://www.fastly.com/documentation/reference/http/http-headers/Surrogate-Key/
    assert Request(count_by=("Surrogate-Key",)).count_by == ("Surrogate-Key",)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("X Pod",), "can't be the name"),
        (("",), "can't be the name"),
        (("X-Pod", "x-pod"), "once"),
        (tuple(f"X-{number}" for number in range(17)), "16 header fields at most"),
    ],
)
def test_what_names_no_field_is_refused(names: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Request(count_by=names)
