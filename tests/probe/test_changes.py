"""Two probes compared: what got longer or shorter, as far as both know."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator
from support.command import called
from support.probes import Endpoint, record_of

from keepalive_bench.probe.analysis import analyse
from keepalive_bench.probe.changes import ProbeSource, compare_probes
from keepalive_bench.probe.changes.document import probe_comparison_schema
from keepalive_bench.probe.document import json_lines
from keepalive_bench.probe.record import Asked
from keepalive_bench.probe.report import ProbeReport

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.probe.changes import ProbeChange

MINUTE, FIVE, NEVER = Endpoint((60.0,)), Endpoint((5.0,)), Endpoint()
FORGETFUL = Endpoint(drop_s=40.0)


def change(base: Endpoint, new: Endpoint, *requirements: str, most_s: float = 130.0) -> ProbeChange:
    before, after = (
        ProbeSource(name, analyse(record_of(it, max_idle_s)))
        for name, it, max_idle_s in (("base.json", base, 130.0), ("new.json", new, most_s))
    )
    return compare_probes(before, after, requirements, forced=False, strict=False)


@pytest.mark.parametrize(
    ("base", "new", "code"),
    [
        (MINUTE, MINUTE, "no-difference"),
        (MINUTE, FIVE, "worse"),
        (FIVE, MINUTE, "better"),
        (NEVER, NEVER, "inconclusive"),
        (NEVER, MINUTE, "worse"),
        (MINUTE, NEVER, "better"),
        (NEVER, FORGETFUL, "worse"),
        (MINUTE, Endpoint(closes=True), "worse"),
        (
            Endpoint((5.0,), round_trip_s=0.02),
            Endpoint((5.04,), round_trip_s=0.04),
            "no-difference",
        ),
    ],
)
def test_a_limit_that_is_lower_is_worse_and_one_that_is_higher_is_better(
    base: Endpoint, new: Endpoint, code: str
) -> None:
    assert change(base, new).verdict.code == code


def test_what_a_probe_did_not_look_for_is_no_change() -> None:
    """The base was closed after 60 s; the new one looked for 30 s, and saw no close up to then."""
    found = change(MINUTE, NEVER, most_s=30.0)
    assert next(it for it in found.numbers if it.name == "idle_timeout").way == "unknown"
    assert found.verdict.code == "inconclusive"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("idle_timeout.change>=-5%", "missed"),
        ("idle_timeout.change<=-90%", "met"),
        ("verdict!=worse", "missed"),
        ("lifetime.change>=0%", "undecided"),
        ("silent_drop.change>=-5%", "undecided"),
    ],
)
def test_a_change_can_be_required(text: str, status: str) -> None:
    (checked,) = change(MINUTE, FIVE, text).requirements
    assert checked.status == status, checked.text


def test_probes_of_different_urls_are_not_comparable() -> None:
    other = record_of(MINUTE, asked=Asked("http://other.test/", 130.0, 30.0))
    base, new = (ProbeSource("a", analyse(it)) for it in (record_of(MINUTE), other))
    assert compare_probes(base, new, (), forced=False, strict=False).verdict.code == (
        "not-comparable"
    )
    assert compare_probes(base, new, (), forced=True, strict=False).verdict.code == "no-difference"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    names = []
    for name, endpoint in (("base", MINUTE), ("new", FIVE)):
        path = tmp_path / f"{name}.json"
        report = ProbeReport(analyse(record_of(endpoint)))
        path.write_text("".join(json_lines(report)), encoding="utf-8")
        names.append(str(path))
    return names


def test_the_command_compares_stored_probes(files: list[str]) -> None:
    done = called("compare", *files, "--require", "verdict!=worse")
    assert done.out.startswith("worse: Idle timeout went from 60.0 s to 5.00 s.")
    assert done.code == 4


def test_what_is_exported_has_its_schema(files: list[str], tmp_path: Path) -> None:
    written = tmp_path / "changes.json"
    assert called("compare", *files, "--json", str(written)).code == 0
    Draft202012Validator(probe_comparison_schema()).validate(json.loads(written.read_text("utf-8")))


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--csv", "idle_timeout"),
        ("--markdown", "## ❌ kab compare: worse"),
        ("--junit", "Idle timeout went from 60.0 s to 5.00 s"),
        ("--openmetrics", "kab_compare_probe_change"),
        ("--html", "Idle timeout went from"),
    ],
)
def test_each_export_of_a_comparison_has_probes_too(
    option: str, told: str, files: list[str], tmp_path: Path
) -> None:
    written = tmp_path / "written"
    assert called("compare", *files, option, str(written)).code == 0
    assert told in written.read_text("utf-8")


def test_a_run_is_not_compared_with_a_probe(files: list[str], tmp_path: Path) -> None:
    run = tmp_path / "run.json"
    called("run", "http://127.0.0.1:9/", "-n", "1", "--json", str(run))
    done = called("compare", files[0], str(run))
    assert done.code == 2
    assert "compare runs with runs" in done.err


def test_what_is_about_intervals_of_runs_is_refused(files: list[str]) -> None:
    done = called("compare", *files, "--margin", "0.5")
    assert done.code == 2
    assert "--margin is about runs" in done.err


def test_a_stored_probe_is_reported_again(files: list[str]) -> None:
    done = called("report", files[1], "--require", "idle_timeout>=60s")
    assert done.out.startswith("Keeps idle connections for 5.00 s, then FIN.")
    assert done.code == 4
