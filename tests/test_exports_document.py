"""docs/exports.md, held against what is really written."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.exports import everything, written
from support.runs import Script

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = (Path(__file__).parents[1] / "docs" / "exports.md").read_text("utf-8")
_EVERYWHERE = {"url", "method", "arm", "arm_kind"}


def table(head: str) -> Iterator[list[str]]:
    """The cells of a table that has such a first heading."""
    lines = GUIDE[GUIDE.index(f"| {head} |") :].splitlines()
    for line in lines[2:]:
        if not line.startswith("|"):
            break
        yield [cell.strip() for cell in line.strip("|").split(" | ")]


def words(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_the_columns_are_those_that_are_written() -> None:
    header = next(csv.reader(written("csv", everything()).splitlines()))
    assert [words(row[0])[0] for row in table("column")] == header


def test_columns_that_are_said_to_be_never_empty_never_are() -> None:
    rows = list(csv.DictReader(written("csv", everything()).splitlines()))
    for name, empty in ((words(row[0])[0], row[2]) for row in table("column")):
        assert bool(empty) or all(row[name] for row in rows), name


def test_the_metrics_are_those_that_are_written() -> None:
    found: dict[str, tuple[str, set[str]]] = {}
    for family in text_string_to_metric_families(written("openmetrics", everything())):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels}
        found[name] = family.type, labels - _EVERYWHERE
    documented = {words(row[0])[0]: (row[1], set(words(row[2]))) for row in table("metric")}
    assert documented == found
    assert list(documented) == list(found)


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3 is not installed")
def test_the_question_to_sqlite_is_answered(tmp_path: Path) -> None:
    script = Script("pooled", requests=3)
    for number in range(3):
        script.send("pooled", 0.25 * (number + 1), on=script.open("pooled"))
    (tmp_path / "rows.csv").write_text(written("csv", script.run()), "utf-8", newline="")
    commands = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    (command,) = [command for command in commands if "sqlite3" in command]
    done = subprocess.run(
        ["sh", "-ec", command], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == ["0.75,unknown", "0.5,unknown", "0.25,first-use"]
