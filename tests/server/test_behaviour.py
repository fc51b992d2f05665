from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from keepalive_bench.errors import UsageError
from keepalive_bench.server import Behaviour, Fault, ServerSettings

ODD_BEHAVIOUR = Behaviour(
    body_size=0,
    delay_s=0.5,
    status=404,
    reason="\x1b[31mGone \xff",
    headers=(("X-Odd", "\x1b[31mé\r\nX-Injected: \x00"), ("X-Odd", "")),
    close_after=3,
    silent_close_after=4,
    idle_timeout_s=0.1,
    max_age_s=9.0,
    connection_close=True,
    http_10=True,
    keep_alive_header="timeout=5",
    keep_alive_max=100,
)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"body_size": -1}, "body of -1 bytes"),
        ({"delay_s": float("nan")}, "delay of nan s"),
        ({"delay_s": 1e10}, "delay of 10000000000.0 s is impossible: it must be 0 to 1,000,000 s"),
        ({"idle_timeout_s": 1e308}, "it must be above 0 s and at most 1,000,000 s"),
        ({"body_size": 10**4000}, "it must be 0 to 1,099,511,627,776"),
        ({"status": 101}, "Status 101 ends no exchange"),
        ({"status": 600}, "200 to 599"),
        ({"close_after": 0}, "close_after counts answers"),
        (
            {"keep_alive_max": 10**4000},
            "keep_alive_max counts answers: it must be 1 to 1,000,000,000",
        ),
        ({"silent_close_after": -3}, "silent_close_after counts answers"),
        ({"idle_timeout_s": 0}, "idle timeout of 0 s"),
        ({"http_10": True, "chunked": True}, "no chunked bodies"),
        ({"headers": (("X-Euro", "€"),)}, "latin-1"),
        ({"keep_alive_header": "timeout=∞"}, "latin-1"),
        ({"reason": "∞"}, "latin-1"),
    ],
)
def test_an_impossible_behaviour_is_refused_in_a_sentence(
    options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        Behaviour(**options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"port": 65536}, "Port 65536 doesn't exist"),
        ({"fault": Fault("reset-in-handshake")}, "needs TLS"),
        ({"port": -1}, "Port -1 doesn't exist"),
        ({"tls_min": "1.1"}, "'1.1' is not one of 1.2, 1.3"),
        ({"tls_min": "1.3", "tls_max": "1.2"}, r"lowest TLS version \(1.3\) is above"),
    ],
)
def test_impossible_settings_are_refused_in_a_sentence(
    options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        ServerSettings(**options)


def test_settings_survive_the_journey_to_another_process() -> None:
    wanted = ServerSettings(
        behaviour=ODD_BEHAVIOUR,
        fault=Fault("drip", 0.5, requests="2-4", connections="*/3"),
        host="::1",
        port=8443,
        tls=True,
        certificate=Path("/somewhere/server.pem"),
        key=Path("/somewhere/server.key"),
        tls_min="1.2",
        tls_max="1.3",
        record=Path("/somewhere/record.jsonl"),
        allow_remote=True,
    )
    assert ServerSettings.from_json(wanted.to_json()) == wanted
    assert "\n" not in wanted.to_json()


def test_the_journey_is_tested_with_every_behaviour_but_the_contradictory_one() -> None:
    plain = Behaviour()
    same = {
        field.name
        for field in fields(Behaviour)
        if getattr(ODD_BEHAVIOUR, field.name) == getattr(plain, field.name)
    }
    assert same == {"chunked"}


def test_a_relative_record_means_the_same_file_in_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    there = ServerSettings.from_json(ServerSettings(record=Path("record.jsonl")).to_json())
    assert there.record == tmp_path / "record.jsonl"
