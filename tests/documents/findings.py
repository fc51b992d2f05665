"""The tables of `docs/findings.md`, from the registries (`make docs`); its prose stays as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from keepalive_bench.connections.reason_kinds import REASON_KINDS
from keepalive_bench.findings.finding_kinds import FINDING_KINDS
from keepalive_bench.results.failure_kinds import FAILURE_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.findings.finding_kinds import FindingKind
    from keepalive_bench.results.failure_kinds import Provoked

DOCUMENT = Path(__file__).parents[2] / "docs" / "findings.md"
_COMMANDS = ("on the server", "on the client")


def with_tables(page: str) -> str:
    """The page with each table as the registries have it now."""
    tables = {
        "Reasons for connections": _table(
            ("reason", "who", "proven by", "evidence", *_COMMANDS),
            (
                (f"`{it.code}`", it.who, f"{it.title}. {it.proof}", it.evidence, *_how(it.provoked))
                for it in REASON_KINDS
            ),
        ),
        "Kinds of failures": _table(
            ("kind", "who", "what happened", *_COMMANDS),
            (
                (f"`{it.code}`", it.who, f"{it.title}. {it.proof}".strip(), *_how(it.provoked))
                for it in FAILURE_KINDS
            ),
        ),
        "Findings": _table(
            ("finding", "severity", "who", "evidence", "what it says, and what to do", *_COMMANDS),
            (
                (
                    f"`{it.code}`",
                    _severity(it),
                    it.who,
                    ", ".join(f"`{name}`" for name in it.evidence),
                    " ".join(filter(None, (f"{it.title}.", it.proof, it.advice))),
                    *_how(it.provoked),
                )
                for it in FINDING_KINDS
            ),
        ),
    }
    for heading, table in tables.items():
        before, mark, rest = page.partition(f"\n## {heading}\n")
        page = before + mark + re.sub(r"(?m)(^\|.*\n)+", lambda _: table, rest, count=1)  # noqa: B023  # used at once
    return page


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(_lines([head, ("---",) * len(head), *rows]))


def _lines(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in rows:
        yield f"| {' | '.join(row)} |\n".replace("|  |", "| |").replace("|  |", "| |")


def _severity(kind: FindingKind) -> str:
    other = "info" if kind.severity == "warning" else "warning"
    return f"{kind.severity}; {kind.otherwise}: {other}" if kind.otherwise else kind.severity


def _how(provoked: Provoked) -> tuple[str, str]:
    if provoked.test:
        return "", f"({provoked.test})"
    serve = "" if provoked.serve is None else f"`{f'kab serve {provoked.serve}'.strip()}`"
    return serve, f"`kab run {provoked.run}`"
