"""The entries of docs/findings.md, from the registries: one for each code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from documents.tables import PagePart

from keepalive_bench.connections.program_reasons import PROGRAM_REASONS
from keepalive_bench.connections.reason_kinds import REASON_KINDS
from keepalive_bench.findings import FINDING_KINDS
from keepalive_bench.report.explanations import advice_on, severities
from keepalive_bench.results.failure_kinds import FAILURE_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.findings.finding_kind import FindingKind
    from keepalive_bench.results.failure_causes import Cause
    from keepalive_bench.results.failure_kinds import Provoked

_PAGE = "findings.md"
_FINDINGS = {it.code: it for it in FINDING_KINDS}
_TOLD = {it.code for it in REASON_KINDS} | {it.code for it in FAILURE_KINDS}


def parts() -> Iterator[PagePart]:
    """One of each registry; a finding of a reason's or a failure's code is told with that."""
    reasons = (
        _entry(it.code, it.who, f"{it.title}. {it.proof}", it.provoked, it.evidence)
        for it in REASON_KINDS
    )
    programs = (
        _entry(
            it.code,
            it.who,
            f"{it.title}. {it.proof}",
            it.provoked,
            it.evidence,
            advice=it.advice,
        )
        for it in PROGRAM_REASONS
    )
    failures = (
        _entry(it.code, it.who, f"{it.title}. {it.proof}", it.provoked, "", _causes(it.causes))
        for it in FAILURE_KINDS
    )
    findings = (
        _entry(it.code, it.who, f"{it.title}. {it.proof}", it.provoked)
        for it in FINDING_KINDS
        if it.code not in _TOLD
    )
    for mark, entries in (
        ("reasons", reasons),
        ("programs", programs),
        ("failures", failures),
        ("findings", findings),
    ):
        yield PagePart(_PAGE, mark, "\n\n".join(entries))


def _entry(  # an entry has so many parts
    code: str,
    who: str,
    told: str,
    provoked: Provoked,
    evidence: str = "",
    causes: Iterable[str] = (),
    advice: str = "",
) -> str:
    """A heading, which links lead to, and paragraphs."""
    finding = _FINDINGS.get(code)
    lines = [f"### `{code}`", "", f"{told.strip()} (*Who:* {who}.)"]
    advice = " ".join(_advice(finding)) if finding else advice
    if advice:
        lines += ["", f"**What to do:** {advice}"]
    if found := [*causes]:
        lines += ["", *found]
    said = [f"*Evidence:* {evidence.rstrip('.')}."] if evidence else []
    if finding:
        names = ", ".join(f"`{name}`" for name in finding.evidence)
        said.append(f"*Finding:* {severities(finding)}" + (f", with {names}." if names else "."))
    said.append(_how(provoked))
    return "\n".join((*lines, "", " ".join(said)))


def _advice(kind: FindingKind) -> Iterator[str]:
    """What to do, usually and in each case."""
    for name, words in advice_on(kind, " The setting of [who is there](products.md) is named."):
        yield f"*{name[0].upper()}{name[1:]}:* {words}" if name else words


def _causes(causes: Iterable[Cause]) -> Iterator[str]:
    """What a message tells besides, in a list: the first that fits is taken."""
    for it in causes:
        said = " or ".join(f"`{words.strip()}`" for words in it.said)
        yield f"- The message says {said}: {it.meaning}. {' '.join(_remedies(it))}"


def _remedies(cause: Cause) -> Iterator[str]:
    yield cause.advice
    if cause.among_answers:
        yield f"*Among answers:* {cause.among_answers}"
    if cause.limited:
        yield f"*With `--tls-min` or `--tls-max`:* {cause.limited}"


def _how(provoked: Provoked) -> str:
    if provoked.test:
        return f"*Provoked by* `{provoked.test}`."
    run = f"`kab run {provoked.run}`"
    if provoked.serve is None:
        return f"*Provoke it:* {run}."
    return f"*Provoke it:* `{f'kab serve {provoked.serve}'.strip()}`, then {run}."
