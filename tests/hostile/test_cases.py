"""Whatever a server does, a run ends in time, and its counts are those of the server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from hostile.cases import (
    ENDS,
    FRAMES,
    HANDSHAKES,
    HEADS,
    PARTINGS,
    REQUESTS,
    TIMEOUT_S,
    Case,
)
from server.wire import settings
from support.patience import PATIENCE_S
from support.plans import plan
from support.stillness import until_still

from keepalive_bench import Arm, analyse, benchmark
from keepalive_bench.server import CERTIFICATE, CERTIFICATES, Fault, ServerProcess, ServerSettings

if TYPE_CHECKING:
    from keepalive_bench.analysis import Analysis

# How an answer is read doesn't depend on what carries it; how a connection ends does.
OVER_HTTP = {**ENDS, **FRAMES, **HEADS, **PARTINGS}
OVER_HTTPS = {**ENDS, **PARTINGS}


def server_settings(options: dict[str, Any], *, tls: bool) -> ServerSettings:
    options = {"tls": tls, **options}
    if isinstance(fault := options.get("fault"), tuple):
        text, requests, connections = (*fault, "*")[:3]
        options["fault"] = Fault.parse(text, requests=requests, connections=connections)
    if "certificate" in options:
        options["certificate"] = CERTIFICATES[options["certificate"]]
    return settings(**options)


def measured(case: Case, *, tls: bool) -> tuple[Analysis, int]:
    """A pooled run against a case's server, and what the server has accepted of it."""
    client = {"arms": (Arm("pooled"),), "requests": REQUESTS, "timeout_s": case.timeout_s}
    client |= {"keep_going": True, "warmup": 1, **case.client}
    if tls:
        client["ca_file"] = CERTIFICATE
    with ServerProcess(server_settings(case.server, tls=tls)) as server:
        # What the server does after an answer has happened before the next request is sent.
        analysis = analyse(benchmark(plan(server.url, **client), lambda _: until_still(server.pid)))
        return analysis, server.stop().accepts


def check(case: Case, *, tls: bool) -> None:
    began = time.monotonic()
    analysis, accepts = measured(case, tls=tls)
    took_s = time.monotonic() - began
    arm = analysis.first
    assert (arm.failure_kinds, arm.reason_counts) == (case.failures, case.reasons)
    assert accepts == case.connections + analysis.warmup["pooled"].connections
    assert arm.succeeded + arm.failed + arm.interrupted + arm.not_sent == REQUESTS
    assert arm.not_sent == 0
    assert took_s < (sum(case.failures.values()) + 1) * TIMEOUT_S + PATIENCE_S


@pytest.mark.slow
@pytest.mark.parametrize("case", OVER_HTTP.values(), ids=OVER_HTTP)
def test_over_http(case: Case) -> None:
    check(case, tls=False)


@pytest.mark.slow
@pytest.mark.parametrize("case", OVER_HTTPS.values(), ids=OVER_HTTPS)
def test_over_https(case: Case) -> None:
    check(case, tls=True)


@pytest.mark.parametrize("case", HANDSHAKES.values(), ids=HANDSHAKES)
def test_in_a_handshake(case: Case) -> None:
    check(case, tls=True)
