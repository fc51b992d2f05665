"""docs/requirements.md, the table of names and the results file are held against each other."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.exports import everything, stored
from support.runs import paired_run
from support.sweeps import scripted_sweep

from keepalive_bench import Arm, analyse
from keepalive_bench.analysis.analysis import REMAINDER, Finding
from keepalive_bench.requirements.arm_names import FAILURES, REASONS
from keepalive_bench.requirements.expression import parse
from keepalive_bench.requirements.names import FINDINGS, VERDICTS, names
from keepalive_bench.requirements.sweep_names import RECOMMENDATIONS
from keepalive_bench.results.exchange import PHASES, QUEUED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench import Run

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/requirements.md").read_text("utf-8")
TWO = (Arm("pooled"), Arm("unpooled"))
NAMED = names(TWO)
CHOICES = {
    "<kind>": FAILURES,
    "<status>": range(100, 1000),
    "<code>": REASONS,
    "<phase>": (QUEUED, *PHASES, REMAINDER),
    "<finding>": FINDINGS,
    "LABEL": ("pooled", "unpooled"),
    "OTHER": ("unpooled",),
    "<part>": (QUEUED, "dns", "connect", "tunnel", "tls", "wait", REMAINDER),
}


def expanded(name: str, *, labels: bool = True) -> Iterator[str]:
    """A documented name as all those that it stands for."""
    mark = next((mark for mark in CHOICES if mark in name and (labels or "<" in mark)), None)
    if mark is not None:
        for choice in CHOICES[mark]:
            yield from expanded(name.replace(mark, str(choice)))
        return
    parts = re.split(r"\{(.*?)\}", name)
    yield from ("".join(choice) for choice in product(*(part.split(",") for part in parts)))


def rows(heading: str, *, labels: bool = True) -> Iterator[tuple[list[str], str]]:
    """The names in each row of a table, all spelled out, and how they are decided."""
    section = PAGE.partition(f"\n### {heading}\n")[2].partition("\n### ")[0].partition("\n## ")[0]
    for line in section.splitlines():
        if line.startswith("| `"):
            first, *_, how = line.strip("| ").split(" | ")
            spelled = re.findall(r"`(.*?)`", first)
            yield [each for name in spelled for each in expanded(name, labels=labels)], how


def documented() -> dict[str, str]:
    """How each documented name is decided."""
    found: dict[str, str] = {}
    for spelled, how in rows("Of an arm"):
        for name, label in product(spelled, ("pooled", "unpooled")):
            found |= {name: how, f"{label}.{name}": how, f"arms.{label}.{name}": how}
    for heading in ("Of a comparison", "Of the run"):
        for spelled, how in rows(heading):
            found |= dict.fromkeys(spelled, how)
            if heading == "Of a comparison" and how == "interval":
                full = [name for name in spelled if name.startswith("comparisons[0].")]
                found |= {f"{name}.estimate": how for name in full}
    return found


def test_every_name_is_documented_and_every_documented_one_exists() -> None:
    assert sorted(documented()) == sorted(NAMED)


def test_of_a_sweep_every_name_is_documented_besides() -> None:
    swept = names((Arm("pooled", "1", 1), Arm("pooled", "16", 16)))
    without = names((Arm("pooled", "1"), Arm("pooled", "16")))
    spelled = {
        spelling.replace("LABEL", label).replace("[N]", f"[{number}]"): how
        for row, how in rows("Of a sweep", labels=False)
        for spelling in row
        for number, label in enumerate(("1", "16"))
    }
    spelled |= {f"{name}.estimate": how for name, how in spelled.items() if how == "interval"}
    assert spelled.keys() == swept.keys() - without.keys()
    for name, how in spelled.items():
        assert how == {"exact": "exactly", "pairs": "interval"}[swept[name].basis]


def test_it_is_documented_how_each_name_is_decided() -> None:
    for name, how in documented().items():
        basis = NAMED[name].basis
        expected = {"exact": "exactly", "nothing": "no interval: undecided", "verdict": "as above"}
        estimated = "interval, each end by itself" if NAMED[name].ends else "interval"
        assert how == expected.get(basis, estimated), name


@pytest.mark.parametrize(
    "example", re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)[0].splitlines()
)
def test_the_documented_examples_are_requirements(example: str) -> None:
    assert parse(example, NAMED).text == example


def test_the_codes_with_a_name_are_those_documented() -> None:
    page = (ROOT / "docs/json-format.md").read_text("utf-8")
    section = page.partition("### `verdict`")[2]
    verdicts = next(line for line in section.splitlines() if line.startswith("| `code`"))
    sweeps = (ROOT / "docs/sweep.md").read_text("utf-8").partition("## The recommendation")[2]
    codes = re.findall(
        r"^\| `([a-z-]+)` \|", sweeps.partition("## What is written")[0], re.MULTILINE
    )
    assert sorted(RECOMMENDATIONS) == sorted(codes)
    assert sorted(VERDICTS) == sorted(set(re.findall(r"`([a-z-]+)`", verdicts)) - {"code"})


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
    r"|^run_info\.(started_at|requests)\b|^warmup\.\w+\.failures\b|\.(text|arm|against)$"
    r"|\.answers\[|\.(low|high)(\.|$)|\.explained\.(tls$|round_trips\b)"
    r"|^sweep(\.option|\.traffic|\.values\[\d+\]\.value)?$|^recommendation$"
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
    run_info = replace(
        run.run_info, gil_wait_s=1e-4, other_cpu_min=0.125, other_cpu_max=0.5, free_ports=28_000
    )
    run_info = replace(run_info, port_held_s=60.0)
    analysis = analyse(run := replace(run, run_info=run_info))
    by_name = {it.name: it for it in names(run.plan.experiment.arms).values()}
    incomparable = analysis.verdict.code == "not-comparable"
    seen = 0
    for path, value in leaves(json.loads(stored(run))):
        if not NAMELESS.search(path):
            found = by_name[path.removesuffix(".estimate")].find(analysis).value
            shown = str(value).lower() if isinstance(value, bool) else value
            assert found == shown or (incomparable and found is None), path
            seen += 1
    assert seen > 150


def test_what_no_run_of_a_plan_can_decide_is_known_beforehand() -> None:
    analysis = analyse(paired_run([0.25 + i / 512 for i in range(80)], [0.5] * 80))
    for name, quantity in NAMED.items():
        told_by_the_machine = name.startswith("run_info.") or name.endswith(".round_trip_s")
        if quantity.basis != "nothing" and not told_by_the_machine:
            found, beforehand = quantity.find(analysis), quantity.lacks(analysis.plan.experiment)
            assert found.lacking == beforehand, name
            assert (found.value is None) == bool(beforehand) or ".p99" in f".{name}", name


def test_findings_are_counted_by_their_code() -> None:
    analysis = analyse(paired_run([0.25] * 8, [0.5] * 8))
    finding = Finding(code="client-bound", severity="warning", evidence={}, text="")
    analysis = replace(analysis, findings=(finding, finding))
    assert NAMED["findings.client-bound"].find(analysis).value == 2
    assert NAMED["findings.drift"].find(analysis).value == 0


def test_a_short_name_is_about_the_first_pooled_arm_and_the_first_comparison() -> None:
    named = names((Arm("unpooled"), Arm("pooled", "b"), Arm("pooled", "c")))
    assert named["p95"].name == "arms.b.latency_s.p95"
    assert named["speedup"].name == "comparisons[0].speedup"
    assert named["speedup.c"].name == "comparisons[1].speedup"
    assert named["failed"].name == "failed"


def test_without_a_pooled_arm_an_arm_must_be_named() -> None:
    named = names((Arm("unpooled"),))
    assert "p95" not in named
    assert "speedup" not in named
    assert named["unpooled.p95"].name == "arms.unpooled.latency_s.p95"


@pytest.mark.parametrize("label", ["speedup", "reasons", "p95", "arms", "verdict", "failed"])
def test_an_arm_called_like_something_else_takes_no_name_away(label: str) -> None:
    named = names((Arm("pooled"), Arm("unpooled", label)))
    assert named[f"arms.{label}.connections"].name == f"arms.{label}.connections"
    for name in ("speedup", "reasons.server-close", "saving.p95", "verdict", "failed", "p95"):
        assert named[name].name == NAMED[name].name
