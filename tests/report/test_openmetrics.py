"""`--openmetrics`, read by Prometheus' own parser of the text format."""

from __future__ import annotations

import re

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from support.exports import HOSTILE_TEXT, everything, nothing, written
from support.runs import CUT_OFF, Script, paired_run

from keepalive_bench import Run, analyse
from keepalive_bench.report.openmetrics import _written
from keepalive_bench.units import printable

RUNS = {"all": everything(), "none": nothing(), "plain": paired_run([0.01] * 20, [0.02] * 20)}


def samples(run: Run) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Values by name and labels, those that every sample has left out."""
    found = {}
    for family in text_string_to_metric_families(written("openmetrics", run)):
        for sample in family.samples:
            labels = dict(sample.labels)
            assert labels.pop("url") == run.plan.target.shown
            assert labels.pop("method") == "GET"
            labels.pop("arm_kind", None)
            assert sample.timestamp is None  # the textfile collector refuses one
            key = sample.name, frozenset(labels.items())
            assert key not in found
            found[key] = sample.value
    return found


def value(run: Run, name: str, **labels: str) -> float | None:
    return samples(run).get((name, frozenset(labels.items())))


def test_the_numbers_are_those_of_the_run() -> None:
    run = RUNS["plain"]
    assert value(run, "kab_connections_total", arm="pooled") == 1
    assert value(run, "kab_connections_total", arm="unpooled") == 20
    assert value(run, "kab_requests_total", arm="unpooled", outcome="succeeded") == 20
    assert value(run, "kab_latency_seconds", arm="pooled", quantile="0.5") == 0.01
    assert value(run, "kab_latency_seconds_sum", arm="pooled") == pytest.approx(0.2)
    assert value(run, "kab_latency_seconds_count", arm="pooled") == 20
    assert value(run, "kab_phase_seconds_sum", arm="unpooled", phase="connect") == pytest.approx(
        0.02
    )
    assert value(run, "kab_speedup_ratio", arm="pooled", against="unpooled", bound="low") == (
        pytest.approx(2)
    )
    # 2026-01-02 03:04:05.678 UTC, by GNU date.
    assert value(run, "kab_run_start_timestamp_seconds") == 1767323045.678


def test_what_is_not_known_is_left_out_and_is_no_zero() -> None:
    run = RUNS["none"]
    assert value(run, "kab_latency_max_seconds", arm="pooled") is None
    assert value(run, "kab_requests_per_second", arm="pooled") is None
    assert value(run, "kab_requests_total", arm="pooled", outcome="not_sent") == 1
    assert value(run, "kab_request_failures_total", arm="pooled", kind="other") == 1
    assert value(run, "kab_phase_seconds_count", arm="pooled", phase="tls") is None


def test_what_was_cut_off_is_an_outcome_of_its_own_and_no_failure() -> None:
    script = Script("pooled", requests=9)
    script.send("pooled", 0.01)
    script.fail("pooled", failure=CUT_OFF)
    run = script.run(interrupted=True)
    assert value(run, "kab_requests_total", arm="pooled", outcome="interrupted") == 1
    assert value(run, "kab_requests_total", arm="pooled", outcome="failed") == 0
    assert "kab_request_failures_total" not in {name for name, _ in samples(run)}


def test_requirements_have_one_standing_each() -> None:
    found = samples(everything())
    for checked in analyse(everything()).requirements:
        own = {
            dict(labels)["status"]: number
            for (name, labels), number in found.items()
            if name == "kab_requirement" and dict(labels)["requirement"] == checked.requirement.text
        }
        assert own == {word: word == checked.status for word in ("met", "missed", "undecided")}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_the_conventions_are_kept(run: Run) -> None:
    lines = written("openmetrics", run).splitlines()
    assert lines[-1] == "# EOF"
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", "\n".join(lines), re.MULTILINE))
    helped = re.findall(r"^# HELP (\S+) \S.*\.$", "\n".join(lines), re.MULTILINE)
    assert helped == list(kinds)
    for name, kind in kinds.items():
        assert name.endswith("_total") == (kind == "counter")
        assert re.fullmatch(r"kab_[a-z_]+", name)
    families = [re.sub(r"[{ ].*", "", line) for line in lines if not line.startswith("#")]
    merged = [
        name for name, next_ in zip(families, [*families[1:], ""], strict=True) if name != next_
    ]
    plain = [name for name in merged if not name.endswith(("_sum", "_count", "_seconds"))]
    assert len(plain) == len(set(plain))  # the lines of a family stand together


def test_but_for_the_types_of_counters_it_is_openmetrics_too() -> None:
    text = re.sub(
        r"^(# \S+ \S+)_total ", r"\1 ", written("openmetrics", everything()), flags=re.MULTILINE
    )
    families = list(openmetrics.text_string_to_metric_families(text))  # type: ignore[no-untyped-call]  # it has no types
    assert {family.type for family in families} == {"gauge", "counter", "summary"}


@pytest.mark.parametrize("text", ['a\\"', HOSTILE_TEXT, 'x"} 1\n# EOF'])
def test_labels_from_outside_are_escaped(text: str) -> None:
    line = f"kab_x{{{_written({'label': text})}}} 1\n"
    (family,) = text_string_to_metric_families(line)
    assert family.samples[0].labels == {"label": printable(text)}
