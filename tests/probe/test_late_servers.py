"""Servers whose clocks tick slowly close some connections later than others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.probes import Endpoint, record_of

from keepalive_bench.probe.analysis import analyse
from keepalive_bench.probe.analysis.settings import settings_of, window_of
from keepalive_bench.probe.probed import Closings, IdleTimeout, SilentDrop
from keepalive_bench.results.exchange import Answer

if TYPE_CHECKING:
    from keepalive_bench.probe.probed import Probed


def found(server: str | None, *timeouts_s: float) -> Probed:
    return analyse(record_of(Endpoint(timeouts_s, answer=Answer("HTTP/1.1", None, server=server))))


def test_one_server_that_is_late_at_times_is_not_taken_for_two() -> None:
    late = found("gunicorn", 2.01, 2.36)
    assert not late.idle_timeout.backends_differ
    assert late.sentence.startswith("Keeps idle connections for 2.01 to 2.36 s")
    assert late.consistent_with == ("gunicorn's default (2 s)",)


def test_who_never_is_so_late_is() -> None:
    assert found("nginx/1.22.1", 2.01, 2.66).idle_timeout.backends_differ
    assert found("gunicorn", 2.01, 8.0).idle_timeout.backends_differ


def test_who_names_nobody_is_not_taken_for_one_that_is_late_and_would_name_itself() -> None:
    assert found(None, 2.5).consistent_with == ()
    assert found(None, 2.0).consistent_with == ("gunicorn's default (2 s)",)


def test_one_connection_that_is_noted_late_does_not_change_whose_default_it_is() -> None:
    seen = found("nginx/1.22.1", 75.0, 73.0, *[75.0] * 11)
    assert seen.idle_timeout.least_s is not None
    assert seen.idle_timeout.least_s < 74
    assert seen.consistent_with == ("nginx's default (75 s)",)


def test_what_is_set_leaves_as_much_as_a_timeout_may_be_off() -> None:
    """To seven connections that a server closed within 1 ms, all of them 3 ms late, say."""
    timeout = IdleTimeout(3.003, 3.004, 3.0035, 7, 0, 3.004, (Closings(3.003, 3.004, 7, "fin"),))
    drop = SilentDrop(2.0, None, "", None, 0)
    assert settings_of(timeout, drop, window_of(timeout, 6e-6)).idle_limit_s == 2.9
