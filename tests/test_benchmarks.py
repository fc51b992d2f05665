"""The benchmarks run; whether targets are met is for a quiet machine to say (`make bench`)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


needs_nginx = pytest.mark.skipif(
    shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None,
    reason="the benchmarks measure against nginx, which is not installed",
)


def quick(script: str, *options: str) -> str:
    """What a quick run of a benchmark prints."""
    command = [sys.executable, str(BENCHMARKS / script), "--quick", *options]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert not finished.stderr
    assert finished.returncode in {0, 1}
    return finished.stdout


@pytest.mark.slow
@needs_nginx
@pytest.mark.parametrize(
    ("script", "rows"),
    [
        ("overhead.py", ["kab's pooled arm", "http.client", "kab run without start-up"]),
        ("startup.py", ["kab --version", "kab run, one request"]),
        ("trace_overhead.py", ["urllib3, a kept connection", "requests.get", "python -c pass"]),
    ],
)
def test_a_quick_run_prints_its_table(script: str, rows: list[str]) -> None:
    printed = quick(script, "--seed", "1")
    assert "95 % CI" in printed
    for row in rows:
        assert row in printed


@pytest.mark.slow
@needs_nginx
def test_a_quick_run_says_what_the_analysis_costs() -> None:
    printed = quick("analysis_cost.py")
    for row in ("analysis ÷ measuring", "peak of memory", "(0 failed)", "| 1,000 |", "| 5,000 |"):
        assert row in printed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "rows"),
    [
        ("coverage.py", ["| lag 1 | requests |", "| 0 | 50 | 2 |", "| 10 % | 40 | 1 |"]),
        ("verdicts.py", ["**Is noise that doesn't last called autocorrelated", "| 8 requests |"]),
        ("precision.py", ["| precision | lag 1 |", "| ±3 % | 0.5 | different | 4 |"]),
        ("aa.py", ["| pairs in random order", "| one arm after the other", "kab ÷ run twice"]),
    ],
)
def test_a_quick_run_leaves_the_documentation_as_it_is(script: str, rows: list[str]) -> None:
    page = BENCHMARKS.parent / "docs" / "evidence.md"
    before = page.read_bytes()
    printed = quick(script, "--seed", "1")
    for row in rows:
        assert row in printed
    assert page.read_bytes() == before


@pytest.mark.slow
def test_a_quick_run_under_load_says_what_was_off_and_what_was_said() -> None:
    printed = quick("under_load.py")
    assert "| 10 | 1 | 8 |" in printed
    assert "Of 1 medians" in printed


@pytest.mark.slow
@needs_nginx
def test_a_quick_run_beside_peers_counts_as_nginx_does_and_says_who_is_missing() -> None:
    page = BENCHMARKS.parent / "docs" / "performance.md"
    before = page.read_bytes()
    printed = quick("peers.py", "--seed", "1")
    told = r"^\| kab \| (\d+) \| \1 ÷ 200 \| 100 \| 100 ÷ 100 \| [\d.]+× \([\d.]+ – [\d.]+\) \|"
    assert re.search(told, printed, re.MULTILINE)
    assert "| – | 100 ÷ 100 | – |" in printed  # the lean loop says nothing
    for target in (
        "kab ÷ lean urllib3",
        "kab, 1 process ÷ 2 processes, both cores",
        "requests ÷ kab",
    ):
        assert re.search(
            rf"^\| {target} \| .* (MET|MISSED|not measured) \|$", printed, re.MULTILINE
        )
    for peer in ("http.client", "requests", "locust, FastHttpUser", "hey", "wrk", "autocannon"):
        assert re.search(rf"^\| {peer}( \(not installed\))? \| ", printed, re.MULTILINE)
    assert page.read_bytes() == before


@pytest.mark.slow
@needs_nginx
def test_a_quick_run_says_how_the_whole_command_grows() -> None:
    printed = quick("growth.py", "--seed", "1")
    assert "| 300 |" in printed
    assert "| 3,000 |" in printed
    assert re.search(r"to the power of -?[\d.]+ \(pooled\), -?[\d.]+ \(unpooled\)", printed)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "rows"),
    [
        ("places.py", ["| pairs, one at a time |", "| 4 |", "Each place has 400 exchanges."]),
        ("cluster.py", ["| 2 workers, measured |", "| 3 workers, computed |", "| 300 workers"]),
    ],
)
def test_a_quick_run_says_what_places_take(script: str, rows: list[str]) -> None:
    page = BENCHMARKS.parent / "docs" / "places.md"
    before = page.read_bytes()
    printed = quick(script)
    for row in rows:
        assert row in printed
    assert page.read_bytes() == before


def test_the_documentation_holds_the_tables_of_honesty() -> None:
    page = (BENCHMARKS.parent / "docs" / "evidence.md").read_text(encoding="utf-8")
    for name in ("coverage", "precision", "aa", "verdicts"):
        _, _, rest = page.partition(f"<!-- {name}: written by benchmarks/{name}.py -->")
        table, end, _ = rest.partition(f"<!-- {name}: end -->")
        assert end
        assert "| --- |" in table
