"""docs/findings.md names everything, and its commands do what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.command import called, next_line, started
from support.documents import Entry, entries, failure_kinds

import keepalive_bench
from keepalive_bench.findings.finding_kinds import OF_REASONS as _SAYINGS
from keepalive_bench.net.failures import Stage
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = Path(keepalive_bench.__file__).parent
REASONS = entries("Reasons for connections")
KINDS = entries("Kinds of failures")
FINDINGS = entries("Findings")
# As decided, in this order.
PRECEDENCE = [
    *("first-use", "by-design", "after-error", "stale-race", "server-close", "http-1.0"),
    *("close-delimited", "keep-alive-max", "request-limit", "idle-timeout", "unsolicited-data"),
    *("unread-body", "pool-full", "pool-exhausted", "unknown"),
]


def codes(text: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, text))


def test_the_reasons_are_listed_in_their_order_of_precedence() -> None:
    assert [entry.code for entry in REASONS] == PRECEDENCE


def test_every_reason_in_the_source_is_listed() -> None:
    source = (SOURCE / "connections" / "rules.py").read_text()
    assert {code for code in PRECEDENCE if f'"{code}"' in source} == set(PRECEDENCE)
    given = codes(source, r'(?:return|Reason\(|code, evidence =) ?"([a-z0-9.-]+)"')
    assert given <= set(PRECEDENCE)


def test_every_kind_of_failure_is_listed_and_no_other() -> None:
    source = (SOURCE / "net" / "failures.py").read_text()
    words = codes(source, r'"([a-z]+(?:-[a-z]+)*)"') - {"headers"}
    stages = set(Stage.__args__) - {"dns"}  # type: ignore[attr-defined]  # a Literal's
    arms = codes((SOURCE / "net" / "transport.py").read_text(), r'Failure\("([a-z-]+)"')
    assert failure_kinds() == (words - stages) | arms


def test_every_finding_is_listed_and_no_other() -> None:
    sources = [path.read_text() for path in (SOURCE / "findings").glob("*.py")]
    written = {code for text in sources for code in codes(text, r'code="([a-z-]+)"')}
    assert {entry.code for entry in FINDINGS} == written | set(_SAYINGS)


@pytest.fixture(scope="module")
def provoked(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Entry], dict[str, Any]]:
    """The results of an entry's client against its server; the same commands run once."""
    target = tmp_path_factory.mktemp("results") / "results.json"
    known: dict[tuple[str, ...], dict[str, Any]] = {}

    def results_of(entry: Entry) -> dict[str, Any]:
        assert entry.run is not None
        commands = (*(entry.serve or ()), "|", *entry.run)
        if commands not in known:
            known[commands] = _provoked(entry.serve, entry.run, target)
            target.unlink()
        return known[commands]

    return results_of


def _provoked(serve: list[str] | None, run: list[str], target: Path) -> dict[str, Any]:
    if serve is None:
        return results(run, target)
    with started("serve", *serve) as server:
        url = next_line(server).removeprefix("Serving ").strip()
        trusted = ["--cacert", str(CERTIFICATE)] * ("--tls" in serve)
        return results([url if word == "URL" else word for word in run] + trusted, target)


def results(arguments: list[str], target: Path) -> dict[str, Any]:
    done = called("run", *arguments, "--json", str(target))
    assert "Traceback" not in done.err
    assert target.exists(), done.text
    document: dict[str, Any] = json.loads(target.read_text())
    return document


def reasons(document: dict[str, Any]) -> set[str]:
    return {code for arm in document["arms"].values() for code in arm["reasons"]}


def kinds(document: dict[str, Any]) -> set[str]:
    return {code for arm in document["arms"].values() for code in arm["failures"]}


def findings(document: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in document["findings"]}


TABLES: list[tuple[Entry, Callable[[dict[str, Any]], set[str]]]] = [
    *((entry, reasons) for entry in REASONS if entry.run),
    *((entry, kinds) for entry in KINDS if entry.run),
    *((entry, findings) for entry in FINDINGS if entry.run),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("entry", "found"), TABLES, ids=[f"{found.__name__}: {entry.code}" for entry, found in TABLES]
)
def test_the_commands_provoke_what_they_are_listed_for(
    entry: Entry,
    found: Callable[[dict[str, Any]], set[str]],
    provoked: Callable[[Entry], dict[str, Any]],
) -> None:
    assert entry.code in found(provoked(entry))


@pytest.mark.parametrize("entry", [*KINDS, *FINDINGS], ids=lambda entry: entry.code)
def test_what_has_no_command_names_a_test_that_exists(entry: Entry) -> None:
    if entry.run is None and entry.code != "other":
        (named,) = re.findall(r"\((tests/[\w/]+\.py)\)", " ".join(entry.cells))
        assert (SOURCE.parent / named).exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "entry", [entry for entry in FINDINGS if entry.run], ids=lambda entry: entry.code
)
@pytest.mark.slow
def test_a_finding_has_the_severity_and_the_evidence_that_are_listed(
    entry: Entry, provoked: Callable[[Entry], dict[str, Any]]
) -> None:
    found = next(it for it in provoked(entry)["findings"] if it["code"] == entry.code)
    assert found["severity"] == entry.cells[0].partition(";")[0].strip()
    assert set(found["evidence"]) == set(re.findall(r"`(\w+)`", entry.cells[1]))
