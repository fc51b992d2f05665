"""What a requirement on a probe is held against: what is known of a limit, and no more."""

from __future__ import annotations

import pytest
from support.probes import Endpoint, record_of, worlds

from keepalive_bench.errors import UsageError
from keepalive_bench.probe.analysis import analyse
from keepalive_bench.probe.metrics import PROBE_METRICS
from keepalive_bench.probe.requirements import check_probe, probe_requirements, probe_scope
from keepalive_bench.report.tellers import PROBE, of_teller


def standing(world: str, text: str) -> tuple[str, str]:
    (requirement,) = probe_requirements([text])
    found = check_probe(requirement, worlds()[world])
    return found.status, found.text


@pytest.mark.parametrize(
    ("world", "text", "status"),
    [
        ("well", "idle_timeout>=60s", "met"),
        ("well", "idle_timeout>=80s", "missed"),
        ("well", "idle_timeout<=80s", "met"),
        ("well", "idle_timeout<60s", "missed"),
        ("well", "idle_timeout>=75s", "undecided"),
        ("kept", "idle_timeout>=60s", "met"),
        ("kept", "idle_timeout>=130s", "met"),
        ("kept", "idle_timeout>130s", "undecided"),
        ("kept", "idle_timeout>=350s", "undecided"),
        ("kept", "idle_timeout<=100s", "missed"),
        ("kept", "idle_timeout<=350s", "undecided"),
        ("kept", "silent_drop>=60s", "met"),
        ("kept", "silent_drop>=350s", "undecided"),
        ("well", "silent_drop>=60s", "met"),
        ("well", "silent_drop>=70s", "undecided"),
        ("silent drop", "silent_drop>=350s", "missed"),
        ("silent drop", "silent_drop>=5s", "met"),
        ("silent drop", "silent_drop>=6s", "undecided"),
        ("silent drop", "idle_timeout>=60s", "undecided"),
        ("interrupted", "idle_timeout>=15s", "met"),
        ("interrupted", "idle_timeout>=60s", "undecided"),
        ("closed", "idle_timeout>=1s", "missed"),
        ("closed", "silent_drop>=1s", "undecided"),
        ("refused", "idle_timeout>=1s", "undecided"),
        ("refused", "round_trip<=1s", "undecided"),
        ("well", "lifetime>=1s", "undecided"),
        ("everything", "lifetime>=9s", "met"),
        ("everything", "lifetime>=11s", "missed"),
        ("well", "request_limit>=10", "undecided"),
        ("everything", "request_limit==100", "met"),
        ("everything", "request_limit!=100", "missed"),
        ("everything", "request_limit>=1000", "missed"),
        ("everything", "announced_timeout<=5s", "met"),
        ("everything", "announced_max==100", "met"),
        ("well", "announced_max==100", "undecided"),
        ("well", "window_begins>=74s", "met"),
        ("kept", "window_begins>=74s", "undecided"),
        ("well", "round_trip<=50ms", "met"),
        ("well", "persistence==kept", "met"),
        ("closed", "persistence==kept", "missed"),
        ("well", "connections<=25", "met"),
        ("well", "requests==20", "met"),
    ],
)
def test_it_stands_by_all_that_is_known_of_it(world: str, text: str, status: str) -> None:
    assert standing(world, text)[0] == status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("idle_timeout>=2s", "met"),
        ("idle_timeout>=5s", "missed"),
        ("idle_timeout<=5s", "missed"),
        ("idle_timeout<=100s", "met"),
    ],
)
def test_every_backend_has_to_meet_it(text: str, status: str) -> None:
    assert standing("far backends", text)[0] == status
    assert standing("far backends", text)[1] == "idle_timeout is 3.00 s to 75.0 s: backends differ."


@pytest.mark.parametrize(
    ("world", "text", "sentence"),
    [
        ("well", "idle_timeout>=80s", "idle_timeout is 75.0 s."),
        ("kept", "idle_timeout>=1s", "idle_timeout is at least 130 s: none was closed up to then."),
        ("well", "silent_drop>=350s", "silent_drop is at least 65.0 s: none was lost up to then."),
        ("silent drop", "silent_drop>=350s", "silent_drop is 5.37 s to 6.05 s."),
        (
            "silent drop",
            "silent_drop>=6s",
            "silent_drop is 5.37 s to 6.05 s, and 6.00 s lies between.",
        ),
        (
            "well",
            "lifetime>=1s",
            "lifetime is unknown: it wasn't looked for (--max-age TIME), or isn't clear.",
        ),
        (
            "well",
            "request_limit>=9",
            "request_limit is unknown: it wasn't looked for (--scan-requests N), or isn't clear.",
        ),
        ("closed", "persistence==kept", "persistence is closed."),
    ],
)
def test_what_was_found_is_said(world: str, text: str, sentence: str) -> None:
    assert standing(world, text)[1] == sentence


def test_a_limit_that_wasn_t_reached_is_another_than_a_smaller_one() -> None:
    probed = worlds()["everything"]
    assert probed.request_limit is not None
    found = probed._replace(request_limit=probed.request_limit._replace(limit=None, looked=200))
    statuses = [
        check_probe(it, found).status
        for it in probe_requirements(["request_limit==100", "request_limit==500"])
    ]
    assert statuses == ["missed", "undecided"]


def test_the_bounds_are_told_beside_the_value() -> None:
    (requirement,) = probe_requirements(["silent_drop>=5s"])
    found = check_probe(requirement, analyse(record_of(Endpoint(drop_s=6.0))))
    assert (found.low, found.high) == pytest.approx((5.37, 6.05), abs=0.01)
    (requirement,) = probe_requirements(["request_limit>=5"])
    assert check_probe(requirement, worlds()["everything"]).low is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("idle_timout>=60s", "did you mean idle_timeout?"),
        ("idle_timeout>=60", "a unit is missing"),
        ("idle_timeout==60s", "is measured, and never exactly a number"),
        ("persistence>=kept", "is a word"),
        ("persistence==open", "is never"),
        ("eu: idle_timeout>=60s", "at character 1"),
    ],
)
def test_what_can_t_be_required_is_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        probe_requirements([text])


@pytest.mark.parametrize("name", [it.path for it in PROBE_METRICS])
def test_every_name_is_explained_with_a_requirement_that_can_be_asked(name: str) -> None:
    told = of_teller(name, (probe_scope(),), PROBE)
    assert told is not None
    (asked,) = told.sections[1].lines
    assert asked.startswith(f"kab probe --require '{name}")
    probe_requirements([asked.split("'")[1]])
