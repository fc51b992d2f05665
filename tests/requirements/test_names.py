"""What requirements can be about: the names, what they find in the file, and their page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.exports import everything, stored
from support.runs import paired_run
from support.sweeps import scripted_sweep

from keepalive_bench import Arm, analyse
from keepalive_bench.analysis import Finding
from keepalive_bench.analysis.sweep import RECOMMENDATIONS
from keepalive_bench.analysis.verdict import VERDICTS
from keepalive_bench.report.document import demandable
from keepalive_bench.requirements.expression import parse
from keepalive_bench.requirements.lookup import Evidence, evidence_of
from keepalive_bench.requirements.names import Subject, all_names, resolve, scopes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench import Run
    from keepalive_bench.analysis import Analysis

DOCS = Path(__file__).parents[2] / "docs"
TWO = tuple(scopes((Arm("pooled"), Arm("unpooled"))))


def subject(spelled: str, *arms: Arm) -> Subject:
    found = resolve(spelled, scopes(arms) if arms else TWO)
    assert found is not None, spelled
    return found


def found_in(analysis: Analysis, *spelled: str) -> list[Evidence]:
    experiment, document = analysis.plan.experiment, demandable(analysis)
    return [evidence_of(subject(it, *experiment.arms), document, experiment) for it in spelled]


@pytest.mark.parametrize(
    "arms",
    [
        (Arm("pooled"), Arm("unpooled"), Arm("naive")),
        (Arm("pooled", "1", 1), Arm("pooled", "16", 16)),
        (Arm("unpooled"),),
    ],
    ids=["compared", "swept", "alone"],
)
def test_each_full_name_means_itself_and_is_one_of_the_spellings(arms: tuple[Arm, ...]) -> None:
    known = tuple(scopes(arms))
    spellings = set(all_names(known))
    # Each status has a name; one in a hundred of them stands for the others.
    for spelled in {it for it in spellings if "status_codes" not in it or it.endswith("04")}:
        meant = resolve(spelled, known)
        assert meant is not None, spelled
        assert meant.name in spellings
        again = resolve(meant.name, known)
        assert again is not None
        assert again.name == meant.name


def test_the_documented_examples_are_requirements() -> None:
    page = (DOCS / "requirements.md").read_text("utf-8")
    (examples, *_) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    texts = examples.splitlines()
    assert [parse(text, TWO).text for text in texts] == texts


def test_the_words_are_those_documented() -> None:
    page = (DOCS / "json-format.md").read_text("utf-8").partition("### `verdict`")[2]
    row = next(line for line in page.splitlines() if line.startswith("| `code`"))
    assert sorted(VERDICTS) == sorted(set(re.findall(r"`([a-z-]+)`", row)) - {"code"})
    page = (DOCS / "sweep.md").read_text("utf-8").partition("## The recommendation")[2]
    codes = re.findall(r"^\| `([a-z-]+)` \|", page.partition("## What is written")[0], re.MULTILINE)
    assert sorted(RECOMMENDATIONS) == sorted(codes)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, object]]:  # noqa: ANN401  # any JSON
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from leaves(part, f"{path}[{number}]")
    else:
        yield path, value


NAMELESS = re.compile(
    r"^(schema_version|plan|environment|exchanges|connections|requirements|findings)\b"
    r"|^run_info\.(started_at|requests)\b|^warmup\.\w+\.failures\b"
    r"|\.(text|arm|against|incomparable)$"
    r"|\.(answers|counted)\[|\.(low|high)(\.|$)|\.explained\.(tls$|round_trips\b)"
    r"|^sweep(\.option|\.traffic|\.values\[\d+\]\.value)?$|^recommendation(\.at_least)?$"
)
"""Texts, what was asked for, the machine, ends of intervals, single answers, exchanges and
connections, how many round trips there were; findings, which are counted; and how many requests
were due, which the arms say."""


@pytest.mark.parametrize(
    "run",
    [
        paired_run([0.25 + i / 512 for i in range(80)], [0.5] * 80),
        scripted_sweep(1, 2, 4, 8),
        everything(),
    ],
    ids=["pairs", "sweep", "with failures"],
)
def test_what_the_results_file_says_of_a_run_has_a_name_and_is_what_the_name_finds(
    run: Run,
) -> None:
    run_info = run.run_info._replace(
        gil_wait_s=1e-4,
        other_cpu_min=0.125,
        other_cpu_max=0.5,
        free_ports=28_000,
        port_held_s=60.0,
    )
    run = run._replace(run_info=run_info)
    analysis = analyse(run)
    incomparable = analysis.verdict.code == "not-comparable"
    written = dict(leaves(json.loads(stored(run))))
    named = [path for path in written if not NAMELESS.search(path)]
    assert len(named) > 150
    for path, found in zip(named, found_in(analysis, *named), strict=True):
        value = written[path]
        shown = str(value).lower() if isinstance(value, bool) else value
        assert found.value == shown or (incomparable and found.value is None), path


def test_what_no_run_of_a_plan_can_decide_is_known_beforehand() -> None:
    analysis = analyse(paired_run([0.25 + i / 512 for i in range(80)], [0.5] * 80))
    experiment, document = analysis.plan.experiment, demandable(analysis)
    for scope in TWO:
        for metric in (it for it in scope.metrics if it.is_named):
            meant = Subject(scope=scope, metric=metric, key=metric.keys[0] if metric.keys else "")
            told_by_the_machine = meant.name.startswith("run_info.") or "round_trip" in meant.name
            if metric.basis != "nothing" and not told_by_the_machine:
                found = evidence_of(meant, document, experiment)
                beforehand = metric.lacks(experiment)
                assert (found.value is None) == bool(beforehand) or ".p99" in meant.name
                assert found.value is not None or found.lacking == beforehand or not beforehand


def test_findings_are_counted_by_their_code() -> None:
    analysis = analyse(paired_run([0.25] * 8, [0.5] * 8))
    finding = Finding(code="client-bound", severity="warning", evidence={}, text="")
    analysis = analysis._replace(findings=(finding, finding))
    noticed, not_noticed = found_in(analysis, "findings.client-bound", "findings.drift")
    assert (noticed.value, not_noticed.value) == (2, 0)


def test_a_short_name_is_about_the_first_pooled_arm_and_the_first_comparison() -> None:
    arms = (Arm("unpooled"), Arm("pooled", "b"), Arm("pooled", "c"))
    meant = {it: subject(it, *arms).name for it in ("p95", "speedup", "speedup.c", "failed")}
    assert meant == {
        "p95": "arms.b.latency_s.p95",
        "speedup": "comparisons[0].speedup",
        "speedup.c": "comparisons[1].speedup",
        "failed": "failed",
    }


def test_without_a_pooled_arm_an_arm_must_be_named() -> None:
    alone = (Arm("unpooled"),)
    assert resolve("p95", scopes(alone)) is None
    assert resolve("speedup", scopes(alone)) is None
    assert subject("unpooled.p95", *alone).name == "arms.unpooled.latency_s.p95"


@pytest.mark.parametrize("label", ["speedup", "reasons", "p95", "arms", "verdict", "failed"])
def test_an_arm_called_like_something_else_takes_no_name_away(label: str) -> None:
    arms = (Arm("pooled"), Arm("unpooled", label))
    assert subject(f"arms.{label}.connections", *arms).name == f"arms.{label}.connections"
    for name in ("speedup", "reasons.server-close", "saving.p95", "verdict", "failed", "p95"):
        assert subject(name, *arms).name == subject(name).name
