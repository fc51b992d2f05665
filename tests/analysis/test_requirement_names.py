"""docs/requirements.md, the table of names and the results file are held against each other."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.documents import entries
from support.runs import paired_run

from keepalive_bench import Arm, analyse
from keepalive_bench.analysis.requirements.arm_names import FAILURES, REASONS
from keepalive_bench.analysis.requirements.expression import parse
from keepalive_bench.analysis.requirements.names import FINDINGS, VERDICTS, names
from keepalive_bench.model.analysis import REMAINDER, Finding
from keepalive_bench.model.exchange import PHASES, QUEUED
from keepalive_bench.render.document import derived_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis.requirements.quantity import Quantity

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/requirements.md").read_text("utf-8")
TWO = (Arm("pooled"), Arm("unpooled"))
NAMED = names(TWO)
CHOICES = {
    "<kind>": FAILURES,
    "<status>": range(100, 600),
    "<code>": REASONS,
    "<phase>": (QUEUED, *PHASES, REMAINDER),
    "<finding>": FINDINGS,
    "LABEL": ("pooled", "unpooled"),
    "OTHER": ("unpooled",),
}


def expanded(name: str) -> Iterator[str]:
    """A documented name as all those that it stands for."""
    mark = next((mark for mark in CHOICES if mark in name), None)
    if mark is not None:
        for choice in CHOICES[mark]:
            yield from expanded(name.replace(mark, str(choice)))
        return
    parts = re.split(r"\{(.*?)\}", name)
    yield from ("".join(choice) for choice in product(*(part.split(",") for part in parts)))


def rows(heading: str) -> Iterator[tuple[list[str], str]]:
    """The names in each row of a table, all spelled out, and how they are decided."""
    section = PAGE.partition(f"\n### {heading}\n")[2].partition("\n### ")[0].partition("\n## ")[0]
    for line in section.splitlines():
        if line.startswith("| `"):
            first, *_, how = line.strip("| ").split(" | ")
            found = [each for name in re.findall(r"`(.*?)`", first) for each in expanded(name)]
            yield found, how


def documented() -> dict[str, str]:
    """How each documented name is decided."""
    found: dict[str, str] = {}
    for spelled, how in rows("Of an arm"):
        for name, label in product(spelled, ("pooled", "unpooled")):
            found |= {name: how, f"{label}.{name}": how, f"arms.{label}.{name}": how}
    for heading in ("Of a comparison", "Of the run"):
        for spelled, how in rows(heading):
            found |= dict.fromkeys(spelled, how)
            if heading == "Of a comparison" and how != "exactly":
                full = [name for name in spelled if name.startswith("comparisons[0].")]
                found |= {f"{name}.estimate": how for name in full}
    return found


def test_every_name_is_documented_and_every_documented_one_exists() -> None:
    assert sorted(documented()) == sorted(NAMED)


def test_it_is_documented_how_each_name_is_decided() -> None:
    for name, how in documented().items():
        basis = NAMED[name].basis
        expected = {"exact": "exactly", "nothing": "no interval: undecided", "verdict": "as above"}
        assert how == expected.get(basis, "interval"), name


@pytest.mark.parametrize(
    "example", re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)[0].splitlines()
)
def test_the_documented_examples_are_requirements(example: str) -> None:
    assert parse(example, NAMED).text == example


def table(heading: str) -> list[str]:
    return sorted(entry.code for entry in entries(heading))


def test_the_codes_with_a_name_are_those_documented() -> None:
    page = (ROOT / "docs/json-format.md").read_text("utf-8")
    section = page.partition("### `verdict`")[2]
    verdicts = next(line for line in section.splitlines() if line.startswith("| `code`"))
    assert sorted(FAILURES) == table("Kinds of failures")
    assert sorted(REASONS) == table("Reasons for connections")
    assert sorted(FINDINGS) == table("Findings")
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
    r"\.answers\[|\.(low|high)(\.|$)|\.(arm|against)$|\.explained\b|^verdict\.text$"
    r"|^connections\b|^findings\[|^(sweep|recommendation)$"
)
"""Texts, ends of intervals, what explains a saving, connections; findings, which are counted;
what only a sweep has."""


def test_what_the_results_file_says_of_a_run_has_a_name_and_is_what_the_name_finds() -> None:
    analysis = analyse(paired_run([0.25 + i / 512 for i in range(80)], [0.5] * 80))
    document = json.loads(json.dumps(derived_document(analysis), default=list))
    by_name = {quantity.name: quantity for quantity in NAMED.values()}
    for path, value in leaves(document):
        if not NAMELESS.search(path):
            quantity: Quantity = by_name[path.removesuffix(".estimate")]
            assert quantity.find(analysis).value == value, path


def test_what_no_run_of_a_plan_can_decide_is_known_beforehand() -> None:
    analysis = analyse(paired_run([0.25 + i / 512 for i in range(80)], [0.5] * 80))
    for name, quantity in NAMED.items():
        if quantity.basis != "nothing":
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
