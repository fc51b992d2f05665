"""The benchmarks run; whether targets are met is for a quiet machine to say (`make bench`)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None,
    reason="the benchmarks measure against nginx, which is not installed",
)
@pytest.mark.parametrize(
    ("script", "rows"),
    [
        ("overhead.py", ["kab's pooled arm", "http.client", "kab run without start-up"]),
        ("startup.py", ["kab --version", "kab run, one request"]),
    ],
)
def test_a_quick_run_prints_its_table(script: str, rows: list[str]) -> None:
    command = [sys.executable, str(BENCHMARKS / script), "--quick", "--seed", "1"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert not finished.stderr
    assert finished.returncode in {0, 1}
    assert "95 % interval" in finished.stdout
    for row in rows:
        assert row in finished.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "rows"),
    [
        ("coverage.py", ["| lag 1 | requests |", "| 0 | 50 | 12 |", "| 0.5 | 1,000 | 4 |"]),
        ("aa.py", ["| pairs in random order", "| one arm after the other", "kab ÷ run twice"]),
    ],
)
def test_a_quick_run_leaves_the_documentation_as_it_is(script: str, rows: list[str]) -> None:
    page = BENCHMARKS.parent / "docs" / "methodology.md"
    before = page.read_bytes()
    command = [sys.executable, str(BENCHMARKS / script), "--quick", "--seed", "1"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert not finished.stderr
    assert finished.returncode in {0, 1}
    for row in rows:
        assert row in finished.stdout
    assert page.read_bytes() == before


def test_the_documentation_holds_both_tables_of_honesty() -> None:
    page = (BENCHMARKS.parent / "docs" / "methodology.md").read_text(encoding="utf-8")
    for name in ("coverage", "aa"):
        _, _, rest = page.partition(f"<!-- {name}: written by benchmarks/{name}.py -->")
        table, end, _ = rest.partition(f"<!-- {name}: end -->")
        assert end
        assert "| --- |" in table
