"""What is noticed of a sweep, on runs written down by hand: each once, and by the value's name."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from support.runs import Script
from support.sweeps import swept

from keepalive_bench import analyse
from keepalive_bench.results.exchange import Failure

if TYPE_CHECKING:
    from keepalive_bench.analysis import Finding

VALUES = ("1", "2", "4")


def script(requests: int) -> Script:
    return Script(**swept(*map(int, VALUES), requests=requests))


def found(script: Script) -> dict[str, list[Finding]]:
    by_code: dict[str, list[Finding]] = {}
    for finding in analyse(script.run()).findings:
        by_code.setdefault(finding.code, []).append(finding)
    return by_code


def test_outliers_of_two_values_are_one_finding_that_speaks_of_no_speed_up() -> None:
    noted = script(100)
    for number in range(100):
        for value in VALUES:
            is_far_off = number % 50 == 0 or (value == "2" and number % 25 == 0)
            usual_s = 0.01 + 0.0001 * (number * 37 % 11)
            noted.send(value, 0.2 if is_far_off and value != "4" else usual_s)
    (outliers,) = found(noted)["outliers"]
    assert outliers.text.startswith("4 requests of maxsize 2 took far longer than the others (")
    assert outliers.text.endswith(" Likewise, with other figures: maxsize 1.")
    assert (outliers.evidence["arm"], outliers.evidence["others"]) == ("2", "1")
    assert outliers.advice == "The median is barely affected."


def test_kinds_of_failures_stay_apart() -> None:
    noted = script(10)
    for number in range(10):
        for value in VALUES:
            if number == 9 or (value == "4" and number > 6):
                kind = "reset" if value == "1" else "read-timeout"
                noted.fail(value, failure=Failure(kind, "as scripted"))
            else:
                noted.send(value, 0.01)
    failed = found(noted)["requests-failed"]
    assert [it.text for it in failed] == [
        "1 request of maxsize 1 failed: reset (as scripted).",
        (
            "3 requests of maxsize 4 failed: read-timeout (as scripted). "
            "Likewise, with other figures: maxsize 2."
        ),
    ]
    assert "pairs-left-out" not in found(noted)


def test_latencies_that_rise_and_such_that_fall_stay_apart() -> None:
    noted = script(100)
    for number in range(100):
        for value in VALUES:
            change = (number if value != "4" else 100 - number) / 100
            noise = 0.001 * (number * 37 % 11)
            noted.send(value, 0.01 + 0.01 * change + noise)
    rising, falling = found(noted)["drift"]
    assert rising.text.startswith("The latency of maxsize 1 rose ")
    assert rising.text.endswith(" Likewise, with other figures: maxsize 2.")
    assert falling.text.startswith("The latency of maxsize 4 fell ")
    assert "others" not in falling.evidence
    assert "The values took turns" in rising.advice


def test_each_address_is_told_with_the_values_that_used_it() -> None:
    noted = script(20)
    for value, other in pairwise((*VALUES, VALUES[0])):
        rows = [noted.open(value, peer=f"10.9.0.{number}:80") for number in (1, int(other) + 1)]
        for number in range(20):
            noted.send(value, 0.003, on=rows[number % 2])
    (peers,) = found(noted)["several-peers"]
    assert "10.9.0.3:80: maxsize 1 with 10 × 3.00 ms; " in peers.text


def test_what_belongs_to_no_value_is_told_each_by_itself() -> None:
    """Two addresses that fail in turns ended the analysis with a KeyError."""
    noted = script(20)
    for value in VALUES:
        for why in ("10.9.0.1:80: Connection refused", "10.9.0.2:80: timed out"):
            row = noted.open(value, failed=why, lost=0.5)
            for _ in range(10):
                noted.send(value, 0.01, on=row)
    texts = [it.text for it in found(noted)["failing-address"]]
    assert len(texts) == 2
    assert "10.9.0.1:80" in texts[0]
    assert "10.9.0.2:80" in texts[1]


def test_what_was_never_answered_is_called_by_its_name() -> None:
    noted = script(2)
    for value in VALUES:
        for _ in range(2):
            noted.fail(value) if value == "2" else noted.send(value, 0.01)
    assert analyse(noted.run()).verdict == ("not-measured", "Nothing was measured of maxsize 2.")
