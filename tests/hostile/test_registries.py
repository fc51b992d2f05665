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
from keepalive_bench.connections.program_reasons import PROGRAM_REASONS
from keepalive_bench.connections.reason_kinds import REASON_KINDS, ReasonKind
from keepalive_bench.findings import FINDING_KINDS
from keepalive_bench.findings.finding_kind import FindingKind
from keepalive_bench.findings.gateways import SERVER_OVERLOADED
from keepalive_bench.findings.reuse import OF_REASONS
from keepalive_bench.results.failure_kinds import FAILURE_KINDS, FailureKind
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from keepalive_bench.results.failure_kinds import Provoked

AnyKind = FailureKind | ReasonKind | FindingKind
PACKAGE = Path(keepalive_bench.__file__).parent
REGISTRIES: dict[str, tuple[AnyKind, ...]] = {
    "results.failure_kinds": FAILURE_KINDS,
    "connections.reason_kinds": REASON_KINDS,
    "connections.program_reasons": PROGRAM_REASONS,
}
ALL: list[AnyKind] = [*FAILURE_KINDS, *REASON_KINDS, *PROGRAM_REASONS, *FINDING_KINDS]
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


def test_each_finding_is_made_somewhere_and_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in FINDING_KINDS]
    assert sorted(codes) == sorted(set(codes))
    used = {
        node.id
        for path in (PACKAGE / "findings").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    declared = {constant(kind) for kind in FINDING_KINDS if kind.code not in OF_REASONS}
    assert declared - used == set()


@pytest.mark.parametrize(
    "undeclared", [{"number": 3}, {"clauses": ["often"]}, {"case": "at night"}], ids=str
)
def test_a_finding_tells_nothing_that_its_kind_does_not_declare(
    undeclared: dict[str, Any],
) -> None:
    SERVER_OVERLOADED.found(count=3, words={"arm": "pooled", "statuses": "3 × 429"})
    with pytest.raises(KeyError):
        SERVER_OVERLOADED.found(
            count=3, words={"arm": "pooled", "statuses": "3 × 429"}, **undeclared
        )


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
            told = set(made[kind.code]["evidence"])
            assert {*kind.evidence} - {"arm"} <= told <= {*kind.evidence}  # it may be of all arms
