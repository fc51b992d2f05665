"""The tables of docs/findings.md, from the registries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from documents.tables import PagePart, table

from keepalive_bench.connections.reason_kinds import REASON_KINDS
from keepalive_bench.findings import FINDING_KINDS
from keepalive_bench.results.failure_kinds import FAILURE_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.findings.finding_kind import FindingKind
    from keepalive_bench.results.failure_causes import Cause
    from keepalive_bench.results.failure_kinds import Provoked

_COMMANDS = ("on the server", "on the client")


def parts() -> Iterator[PagePart]:
    """One of each registry."""
    yield table(
        "findings.md",
        "reasons",
        ("reason", "who", "proven by", "evidence", *_COMMANDS),
        (
            (f"`{it.code}`", it.who, f"{it.title}. {it.proof}", it.evidence, *_how(it.provoked))
            for it in REASON_KINDS
        ),
    )
    yield table(
        "findings.md",
        "failures",
        ("kind", "who", "what happened", *_COMMANDS),
        (
            (f"`{it.code}`", it.who, f"{it.title}. {it.proof}".strip(), *_how(it.provoked))
            for it in FAILURE_KINDS
        ),
    )
    yield table(
        "findings.md",
        "causes",
        ("kind", "the message says", "so", "what to do"),
        (
            (
                f"`{kind.code}`",
                " or ".join(f"`{words.strip()}`" for words in it.said),
                f"{it.meaning}.",
                " ".join(_remedies(it)),
            )
            for kind in FAILURE_KINDS
            for it in kind.causes
        ),
    )
    yield table(
        "findings.md",
        "findings",
        ("finding", "severity", "who", "evidence", "what it says, and what to do", *_COMMANDS),
        (
            (
                f"`{it.code}`",
                _severity(it),
                it.who,
                ", ".join(f"`{name}`" for name in it.evidence),
                " ".join(filter(None, (f"{it.title}.", it.proof, *_advice(it)))),
                *_how(it.provoked),
            )
            for it in FINDING_KINDS
        ),
    )


def _severity(kind: FindingKind) -> str:
    said = {"warning": "warning", "info": "info, with `-v` only" if kind.is_detail else "info"}
    others = (f"{name}: {said[it.severity]}" for name, it in kind.cases.items() if it.severity)
    return "; ".join((said[kind.severity], *others))


def _advice(kind: FindingKind) -> Iterator[str]:
    """What to do, usually and in each case; `…` stands for what only a run knows."""
    said = dict.fromkeys(kind.clauses, "")
    for concern in ("cure", "upstream", "upstream_wait"):
        said[concern] = " The setting of [who is there](products.md) is named."
    told = {"": kind.advice} | {name: it.advice for name, it in kind.cases.items() if it.advice}
    for name, advice in told.items():
        words = re.sub(r"{(\w+)(!s)?}", lambda found: said.get(found[1], "…"), advice)
        yield f"*{name[0].upper()}{name[1:]}:* {words}" if name else words


def _remedies(cause: Cause) -> Iterator[str]:
    yield cause.advice
    if cause.among_answers:
        yield f"*Among answers:* {cause.among_answers}"
    if cause.limited:
        yield f"*With `--tls-min` or `--tls-max`:* {cause.limited}"


def _how(provoked: Provoked) -> tuple[str, str]:
    if provoked.test:
        return "", f"({provoked.test})"
    serve = "" if provoked.serve is None else f"`{f'kab serve {provoked.serve}'.strip()}`"
    return serve, f"`kab run {provoked.run}`"
