"""The registries hold: kab makes each kind, its commands provoke it, and its page is current."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.command import called, next_line, started

import keepalive_bench
from keepalive_bench.connections.reason_kinds import REASON_KINDS, ReasonKind
from keepalive_bench.findings.finding_kinds import FINDING_KINDS, OF_REASONS, FindingKind
from keepalive_bench.results.failure_kinds import FAILURE_KINDS, FailureKind
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from keepalive_bench.results.failure_kinds import Provoked

AnyKind = FailureKind | ReasonKind | FindingKind
PACKAGE = Path(keepalive_bench.__file__).parent
REGISTRIES: dict[str, tuple[AnyKind, ...]] = {
    "results.failure_kinds": FAILURE_KINDS,
    "connections.reason_kinds": REASON_KINDS,
    "findings.finding_kinds": tuple(it for it in FINDING_KINDS if it.code not in OF_REASONS),
}
ALL: list[AnyKind] = [*FAILURE_KINDS, *REASON_KINDS, *FINDING_KINDS]
COMMANDS = list(dict.fromkeys(it.provoked for it in ALL if it.provoked.run))


@cache
def parsed(path: Path) -> tuple[ast.AST, ...]:
    """The import statements and the attributes in a file of the package."""
    tree = ast.walk(ast.parse(path.read_text("utf-8")))
    return tuple(node for node in tree if isinstance(node, ast.ImportFrom | ast.Attribute))


def uses(registry: str) -> Counter[str]:
    """What the other files of the package take from a registry, by its name there."""
    found: Counter[str] = Counter()
    room, _, file = registry.rpartition(".")
    for path in PACKAGE.rglob("*.py"):
        tree = parsed(path)
        aliases: set[str] = set()
        for node in tree:
            if isinstance(node, ast.ImportFrom) and node.module == f"keepalive_bench.{registry}":
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module == f"keepalive_bench.{room}":
                aliases.update(it.asname or it.name for it in node.names if it.name == file)
        found.update(
            node.attr
            for node in tree
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in aliases
        )
    return found


def constant(kind: AnyKind) -> str:
    return re.sub("[-.]", "_", kind.code).upper()


@pytest.mark.parametrize("registry", REGISTRIES)
def test_each_kind_is_made_somewhere_and_has_a_code_of_its_own(registry: str) -> None:
    kinds, used = REGISTRIES[registry], uses(registry)
    codes = [kind.code for kind in kinds]
    assert sorted(codes) == sorted(set(codes))
    assert [kind.code for kind in kinds if not used[constant(kind)]] == []


def told() -> dict[str, set[str]]:
    """The names of the evidence that the package's calls give each finding, by its name there."""
    found: dict[str, set[str]] = {}
    for path in (PACKAGE / "findings").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "found"
            ):
                kind = ast.unparse(node.func.value).rpartition(".")[2]
                names = {str(keyword.arg) for keyword in node.keywords} | (
                    {"arm"} if node.args else set()
                )
                found.setdefault(kind, set()).update(names)
    return found


def test_findings_tell_the_evidence_that_is_declared() -> None:
    given = {name: names - {"severity", "text", "advice"} for name, names in told().items()}
    declared = {
        constant(kind): set(kind.evidence) for kind in FINDING_KINDS if kind.code not in OF_REASONS
    }
    assert {name: given.get(name) for name in declared} == declared


def test_what_no_command_provokes_names_a_test_that_does() -> None:
    tests = [it.provoked.test for it in ALL if not it.provoked.run]
    assert [test for test in tests if not (PACKAGE.parent / test).is_file()] == []


def provoked(how: Provoked, target: Path) -> dict[str, Any]:
    """The document of a run of the client's command, against a server started as is said."""
    run = shlex.split(how.run)
    if how.serve is None:
        return document(run, target)
    with started("serve", *shlex.split(how.serve)) as server:
        url = next_line(server).removeprefix("Serving ").strip()
        trusted = ["--cacert", str(CERTIFICATE)] * ("--tls" in how.serve)
        return document([url if word == "URL" else word for word in run] + trusted, target)


def document(arguments: list[str], target: Path) -> dict[str, Any]:
    done = called("run", *arguments, "--json", str(target))
    assert "Traceback" not in done.err
    assert target.exists(), done.text
    found: dict[str, Any] = json.loads(target.read_text())
    return found


def of_arms(found: dict[str, Any], name: str) -> set[str]:
    return {code for arm in found["arms"].values() for code in arm[name]}


@pytest.mark.slow
@pytest.mark.parametrize("how", COMMANDS, ids=lambda how: f"{how.serve} | {how.run}")
def test_the_commands_provoke_what_they_are_listed_for(how: Provoked, tmp_path: Path) -> None:
    found = provoked(how, tmp_path / "results.json")
    assert {it.code for it in REASON_KINDS if it.provoked == how} <= of_arms(found, "reasons")
    assert {it.code for it in FAILURE_KINDS if it.provoked == how} <= of_arms(found, "failures")
    made = {it["code"]: it for it in reversed(found["findings"])}
    for kind in FINDING_KINDS:
        if kind.provoked == how:
            assert made[kind.code]["severity"] == kind.severity
            assert set(made[kind.code]["evidence"]) == set(kind.evidence)
