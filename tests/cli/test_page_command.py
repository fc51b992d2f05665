"""The command on the page asks for the run that the page is about: kab reads it back."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import fields, replace
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.command import called
from support.shells import words_of

from keepalive_bench.cli import run, sweep
from keepalive_bench.cli.planning import plan_from_options
from keepalive_bench.cli.sweeping import sweep_plan
from keepalive_bench.plan.decision_rule import DecisionRule
from keepalive_bench.plan.plan import (
    Arm,
    Experiment,
    Load,
    Network,
    Plan,
    Request,
    Resolution,
    Route,
    Target,
    Tls,
    Variation,
)
from keepalive_bench.report.page.command import command, left_out

if TYPE_CHECKING:
    from keepalive_bench.server import ServerProcess

HERE = Path(__file__)
HTTPS = Plan(Target("https://example.com/"), experiment=Experiment(seed=3))
THREADS = Experiment(seed=3, concurrency=4)
PARTS: dict[type, dict[str, list[Any]]] = {
    Request: {
        "method": ["PUT", "x-y"],
        "upload": [HERE],
        "user_agent": ["a b'c", ""],
        "expect_status": [("200", "3xx")],
        "max_body": [0, 1_000_000],
    },
    Variation: {
        "fields": [(("q", ("a b", "", "-n")), ("v", ("1.0",)))],
        "unique": [("u", "v")],
        "counter": [False],
    },
    Tls: {
        "verify": [False],
        "ca_file": [HERE],
        "cert_file": [HERE],
        "ciphers": ["ECDHE+AESGCM:!aNULL"],
        "minimum": ["1.2"],
        "maximum": ["1.2"],
    },
    Network: {
        "ip_version": [4, 6],
        "timeout_s": [0.123456789, 1e6, 1 / 8],
        "connect_timeout_s": [2.5],
        "proxy": [Target("http://proxy:3128")],
        "connect_to": [(Route("", 0, "b", 0), Route("::1", 80, "fe80::1%lo", 8080))],
        "resolve": [(Resolution("*", 80, ("::1", "127.0.0.1")),)],
        "unix_socket": [Path("/run/a b")],
        "source_addresses": [("127.0.0.1", "::1")],
        "tcp_nodelay": [True, False],
        "tcp_keepalive": [True],
    },
    Experiment: {
        "requests": [1, 1_000_000],
        "duration_s": [0.5, 90.0, 1e6],
        "precision": [0.07, 0.001],
        "processes": [4],
        "concurrency": [8],
        "maxsize": [3],
        "block": [True],
        "arms": [(Arm("naive"), Arm("pooled", "b"), Arm("resumed"))],
        "order": ["paired", "sequential"],
        "seed": [0, 2**63],
        "warmup": [0],
        "keep_going": [True],
    },
    Load: {
        "rate": [400.0, 20 / 60, 100 / 3600, 0.1],
        "think_s": [(5.0, 5.0), (0.0005, 1.0), (0.0, 3600.0)],
        "traffic": ["bursts"],
    },
    DecisionRule: {
        "confidence": [0.999],
        "margin": [0.0, 0.123],
        "requirements": [("pooled.p95<=50ms", "verdict != slower")],
    },
}
"""Values that differ from the usual one, of each field that the command spells out."""
NAMED = {
    Request: {"headers", "body", "content_type", "credentials", "bearer", "cookies"},
    Variation: {"rows"},
    Tls: {"key_password"},  # which is asked for
}
"""What the page says is left out, because it may be secret."""
ELSEWHERE = {
    Request: {"variation", "withheld"},
    Tls: {"key_file"},  # goes with another one: below
    Experiment: {"load", "sweep"},
}


@pytest.fixture(autouse=True)
def _no_options_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read_back(text: str) -> Plan:
    """The plan that kab makes of a command."""
    name, *words = words_of(text)
    parser = {"run": run, "sweep": sweep}[name].command
    given = parser.make_context(name, words).params
    if name == "sweep":
        return sweep_plan(**given)
    return plan_from_options(**given)


def with_(part: object) -> Plan:
    """An ordinary plan, but for one of its parts."""
    if isinstance(part, Variation):
        return replace(HTTPS, request=Request(variation=part))
    if isinstance(part, Load):
        return replace(HTTPS, experiment=replace(THREADS, load=part))
    names = {Request: "request", Tls: "tls", Network: "network", Experiment: "experiment"}
    changed: dict[str, Any] = {names.get(type(part), "decision_rule"): part}
    return replace(HTTPS, **changed)


@pytest.mark.parametrize("kind", PARTS)
def test_no_field_of_a_plan_is_forgotten(kind: type) -> None:
    known = PARTS[kind].keys() | NAMED.get(kind, set()) | ELSEWHERE.get(kind, set())
    assert {it.name for it in fields(kind) if it.init} == known
    assert {it.name for it in fields(Plan)} == {
        *("target", "request", "tls", "network", "experiment", "decision_rule")
    }


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (kind, name, it)
        for kind, part in PARTS.items()
        for name, some in part.items()
        for it in some
    ],
)
def test_each_field_is_spelled_so_that_kab_reads_it_back(kind: type, name: str, value: Any) -> None:  # noqa: ANN401  # whatever a field holds
    usual = {"seed": 3} if kind is Experiment else {}
    plan = with_(kind(**{**usual, name: value}))
    assert read_back(command(plan)) == plan
    assert left_out(plan) == ""


@pytest.mark.parametrize(
    "plan",
    [
        with_(Tls(cert_file=HERE, key_file=HERE)),
        with_(Experiment(seed=3, duration_s=5.0, requests=1_000)),
        with_(Experiment(seed=3, concurrency=4, maxsize=2, block=True, load=Load(rate=7.5))),
    ],
)
def test_fields_that_go_together_are_read_back_together(plan: Plan) -> None:
    assert read_back(command(plan)) == plan


@pytest.mark.parametrize(
    "words",
    [
        ["--maxsize", "1,2,4", "-c", "4", "--traffic", "steady", "--block", "--warmup", "2"],
        ["--concurrency", "2,4,8", "-n", "80"],
        ["--data-size", "1kB,64KiB", "-c", "4", "--maxsize", "2", "-z", "90s", "--keep-going"],
        ["-f", "q=x", "--max-body", "5"],
    ],
)
def test_the_command_of_a_sweep_is_read_back(words: list[str]) -> None:
    plan = read_back(shlex.join(["kab", "sweep", "http://example.com/", "--seed", "3", *words]))
    assert read_back(command(plan)) == plan
    assert left_out(plan) == ""


def test_the_command_on_the_page_of_a_stored_run_makes_that_run_again(
    server: ServerProcess,
) -> None:
    port = server.url.rpartition(":")[2].strip("/")
    options = (
        f"-n 8 -c 2 --rate 400/s --traffic bursts --no-vary --expect-status 2xx --max-body 99 "
        f"--connect-to example.com:80:127.0.0.1:{port} --source-address 127.0.0.1 "
        f"--maxsize 1 --arm pooled --arm again=pooled --require failed==0 -H Accept:x -b a=b"
    )
    ran = called("run", "http://example.com/?a=1", *options.split(), "--json", "a.json")
    assert (ran.code, ran.err) == (0, "")
    assert called("report", "a.json", "--html", "a.html").code == 0
    page = Path("a.html").read_text("utf-8")
    said = dict(re.findall(r"<dt>([^<]*)</dt>\s*<dd>([^<]*)</dd>", page))
    assert said["which lacks"] == "the header field Accept and 1 cookie"
    again = words_of(unescape(said["command"]))
    assert called(*again, "-H", "Accept:x", "-b", "a=b", "--json", "b.json").code == 0
    one, two = (json.loads(Path(name).read_text("utf-8"))["plan"] for name in ("a.json", "b.json"))
    assert one == two
