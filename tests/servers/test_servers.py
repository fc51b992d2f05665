"""kab against the servers that people deploy: it finds what their documentation says."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from support.servers.gateway import REQUESTS, GatewayCase, outcome
from support.servers.measure import Measured, measure, measure_cured
from support.servers.rows.gateways import GATEWAYS
from support.servers.table import CASES
from support.servers.versions import version_of

if TYPE_CHECKING:
    from support.servers.case import Case

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="asks /proc which connections are open"),
]
_CLOCKS_S = 0.02
"""How far the server's, the kernel's and kab's clocks may be apart."""
QUICK = [case for case in CASES if not case.takes_a_minute]
CURED = [case for case in QUICK if case.cure]


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
def test_kab_finds_the_reason_that_the_server_documents(case: Case) -> None:
    _needs(case)
    measured = measure(case)
    assert tuple(measured.seen) == case.served
    assert measured.arm.connections == len(measured.seen)
    assert measured.arm.reason_counts == case.reasons
    if case.advised is not None:  # by its name, or by what it is like where nothing is to be set
        assert (case.advised.name or case.advised.note) in measured.advice
    for limit in case.limits:
        assert f"Such an error may come from its {limit.name}" in measured.advice
    if case.idle is not None:
        assert_idle_as_set(measured, case.idle.least_s, requests=case.served[0])


@pytest.mark.parametrize("case", CURED, ids=lambda case: case.name)
def test_the_setting_that_cures_it_needs_one_connection(case: Case) -> None:
    _needs(case)
    measured = measure_cured(case)
    assert measured.seen == [case.requests]
    assert measured.arm.reason_counts == {"first-use": 1}


@pytest.mark.parametrize(
    "case", [it for it in GATEWAYS if not it.takes_long], ids=lambda case: case.name
)
def test_a_gateway_that_keeps_connections_longer_than_what_is_behind_it(case: GatewayCase) -> None:
    """It has errors of its own, or closes; and what kab advises to set cures that."""
    _needs(case)
    found = outcome(case, case.start)
    assert found.counts == {"200": REQUESTS - 1, case.says: 1}
    if case.says.isdigit():
        assert case.advised.name in found.advice
    else:  # whose the close is can't be seen
        assert "A gateway also does that" in found.advice
        assert case.product.name in found.advice
    assert outcome(case, case.cure.start).counts == {"200": REQUESTS}


def _needs(case: Case | GatewayCase) -> None:
    """CI installs all servers; elsewhere one may be missing."""
    name = case.product.name
    if version_of(name) is None:
        assert "CI" not in os.environ, f"{name} is not installed"
        pytest.skip(f"{name} is not installed")


def assert_idle_as_set(measured: Measured, set_s: float, *, requests: int) -> None:
    """The evidence is between what the server was told and what the kernel showed."""
    (reason,) = [it for it in measured.arm.reasons.values() if it.code == "idle-timeout"]
    after_s, rest = reason.evidence["closed_after_s"], measured.rest
    assert rest is not None
    assert isinstance(after_s, float)
    assert set_s - rest.latency_s - _CLOCKS_S <= after_s <= rest.open_s + _CLOCKS_S
    assert reason.evidence["requests"] == requests
    assert reason.evidence["interleaved"] is False
