"""What there is to know of a code or a name, from its registry: what it means and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from keepalive_bench.analysis.metrics.times import PHASE_TITLES
from keepalive_bench.analysis.verdict import VERDICT_MEANINGS
from keepalive_bench.connections.products import COMMONEST, PRODUCTS, product_called
from keepalive_bench.connections.program_reasons import PROGRAM_REASONS
from keepalive_bench.connections.reason_kinds import REASON_KINDS
from keepalive_bench.errors import UsageError
from keepalive_bench.findings import FINDING_KINDS
from keepalive_bench.findings.cure_sentences import described
from keepalive_bench.plan.arms import ARM_KINDS
from keepalive_bench.report.explanation import Explanation, Rows, Section, filled
from keepalive_bench.report.product_explanations import meaning_of, of_product, of_setting, placed
from keepalive_bench.requirements import listing
from keepalive_bench.requirements.names import Subject, resolve
from keepalive_bench.results.columns import ExchangeColumns
from keepalive_bench.results.failure_kinds import FAILURE_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.connections.reason_kinds import ReasonKind
    from keepalive_bench.findings.finding_kind import FindingKind
    from keepalive_bench.requirements.names import Scope
    from keepalive_bench.results.failure_kinds import FailureKind, Provoked

_ACTORS = {
    "server": "the server",
    "proxy": "the proxy",
    "path": "the network path",
    "client": "this machine, or the options in use",
    "kab": "the way kab measures",
}
_PROGRAM = "the program's own code"
_PORT = 8080
_UNITS = {"seconds": "seconds", "bytes": "bytes", "rate": "requests a second"}
EXAMPLES = {"seconds": "<=50ms", "ratio": ">=1.5", "share": ">=90%", "change": "<=10%"}
"""How a requirement on a figure may end, by its unit."""
_STAND_INS = {
    **dict.fromkeys(("at_a_time", "concurrency", "enough", "most", "requests"), "N"),
    "apart": "--think-time TIME-TIME",
    "held": "a minute",
    "least": "enough",
    "target": "that address",
    "url": "the report names it.",
    "remedy": "That depends on how they failed: kab explain failures lists the kinds, and "
    "kab explain KIND tells what to do about one.",
    **dict.fromkeys(("perhaps", "timed_out"), ""),
}
"""What an explanation has in place of words that only a run knows."""
_NOTHING_TO_DO = "Nothing. It is told so that the figures can be judged."
_DECIDED = {
    "exact": "It is counted, and known exactly.",
    "nothing": "It has no interval, so that a requirement on it is undecided.",
}
_BY_INTERVAL = (
    "By its confidence interval: the whole of it has to meet the bound. Where the bound is within "
    "it, the requirement is undecided (and missed with --strict)."
)


def explained(
    name: str, among: Sequence[Scope], changes: Mapping[str, str] | None = None
) -> Explanation | None:
    """What a name means; `None`: nothing.

    Args:
        name: a code, what a requirement can be about, a product, as `--server` has it, one of its
            settings, or the title of a row in a table.
        among: what has names that requirements can be about.
        changes: what each verdict of `kab compare` means.
    """
    for spelled in dict.fromkeys(_spellings(name)):
        found = (
            _of_code(spelled, among)
            or _of_verdict(spelled, changes or {})
            or _of_title(spelled, among)
            or of_setting(spelled)
        )
        if found is not None:
            return found
    return None


def _spellings(name: str) -> Iterator[str]:
    """As it is said, in small letters, and with hyphens for blanks and underscores."""
    small = " ".join(name.lower().split())
    yield from (name, small, re.sub(r"[ _]", "-", small))


def _of_code(name: str, among: Sequence[Scope]) -> Explanation | None:
    arm = next((it for it in ARM_KINDS if it.name == name), None)
    if arm is not None:
        return Explanation(name, arm.help, (Section("Choose it", lines=(f"--arm {name}",)),))
    reasons = (*REASON_KINDS, *PROGRAM_REASONS)
    registries: tuple[Sequence[Any], ...] = (reasons, FAILURE_KINDS, FINDING_KINDS)
    reason, failure, finding = (
        next((it for it in kinds if it.code == name), None) for kinds in registries
    )
    if reason or failure or finding:
        return _of_kinds(reason, failure, finding)
    subject = resolve(name, among)
    if subject is not None:
        return _of_metric(name, subject)
    try:
        return of_product(product_called(name))
    except UsageError:
        return None


def lists() -> dict[str, Rows]:
    """All that can be explained, in groups: each name with a few words."""
    return {
        "reasons": tuple((it.code, it.title) for it in REASON_KINDS),
        "programs": tuple((it.code, it.title) for it in PROGRAM_REASONS),
        "failures": tuple((it.code, it.title) for it in FAILURE_KINDS),
        "findings": tuple((it.code, it.title) for it in FINDING_KINDS),
        "verdicts": tuple(VERDICT_MEANINGS.items()),
        "arms": tuple((it.name, it.help) for it in ARM_KINDS),
        "products": tuple((it.word, placed(it)) for it in PRODUCTS),
    }


def findings_by_actor() -> Rows:
    """The codes of all findings but those that reasons have, by who causes them."""
    reasons = {it.code for it in REASON_KINDS}
    others = [it for it in FINDING_KINDS if it.code not in reasons]
    return tuple(
        (words, ", ".join(it.code for it in others if it.who == who))
        for who, words in _ACTORS.items()
        if any(it.who == who for it in others)
    )


def requirement_names() -> Iterator[Section]:
    """All that a requirement can be about."""
    for title, listed in listing.parts():
        rows = ((", ".join(listing.together(it.names[0])), plain(it.meaning)) for it in listed)
        yield Section(title, rows=tuple(rows))


def plain(text: str) -> str:
    """A registry's text without its links, which lead to pages that may not be there."""
    without_links = re.sub(r" \(\[\w+\]\([^)]*\)\)|\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"\*(\w+)\*", r"\1", without_links)


def severities(kind: FindingKind) -> str:
    """Its own, and those that it has in some cases."""
    others = (f"{name}: {it.severity}" for name, it in kind.cases.items() if it.severity)
    found = "; ".join((kind.severity, *others))
    return f"{found}, under -v" if kind.is_detail else found


def advice_on(kind: FindingKind, setting: str = "") -> Iterator[tuple[str, str]]:
    """What to do, by case, with "" for the usual one.

    Args:
        kind: of the finding.
        setting: the sentence that stands for the one which names a setting.

    Raises:
        KeyError: it has a word that only a run knows, and `_STAND_INS` doesn't.
    """
    settings = dict.fromkeys(("cure", "upstream", "upstream_wait"), setting)
    known = {**_STAND_INS, **dict.fromkeys(kind.clauses, ""), **settings}
    told = {"": kind.advice, **{name: it.advice for name, it in kind.cases.items()}}
    told["in a sweep"] = kind.advice_in_sweeps
    parts = dict(kind.clauses)
    for name, advice in told.items():
        words = _filled_in(advice, known)
        if re.search(r"\w", words):
            yield name, words
            continue
        for clause in re.findall(r"{(\w+)}", advice):  # it is made of these alone
            if clause in parts:
                yield name, _filled_in(re.sub(r"^{\w+}", "", parts.pop(clause)), known)


def _filled_in(advice: str, known: Mapping[str, str]) -> str:
    return re.sub(r"{(\w+)(?:!s)?}", lambda found: known[found[1]], advice)


def _of_kinds(
    reason: ReasonKind | None, failure: FailureKind | None, finding: FindingKind | None
) -> Explanation:
    kind: Any = reason or failure or finding
    role = "a reason for opening a connection"
    roles = [
        *[f"{role}{' (kab trace)' if reason in PROGRAM_REASONS else ''}"] * (reason is not None),
        *["a failure of a request"] * (failure is not None),
        *([f"a finding ({severities(finding)})"] if finding else []),
    ]
    actor = _PROGRAM if reason in PROGRAM_REASONS else _ACTORS[kind.who]
    sections = [
        Section("", (f"{' and '.join(roles).capitalize()}. Caused by {actor}.",)),
        Section("How it is proven", tuple(filter(None, (plain(kind.proof),)))),
        Section("What to do", tuple(_advice(reason, failure, finding))),
        Section("What to do in other cases", rows=_other_cases(failure, finding)),
        *_settings_for(reason),
        Section("What to do, by what its message says", rows=_causes(failure)),
        Section("In the results file", tuple(_evidence(reason, finding))),
        Section("Try it", lines=_commands(kind.provoked)),
        Section("Fail on it", lines=tuple(_requirements(reason, failure, finding))),
    ]
    return Explanation(kind.code, plain(kind.title), filled(sections))


def _advice(
    reason: ReasonKind | None, failure: FailureKind | None, finding: FindingKind | None
) -> Iterator[str]:
    """What to do usually; what its message says decides, where a failure tells nothing."""
    told: dict[str, None] = {}
    if reason is not None and finding is None:
        told[reason.advice] = None
    if failure is not None:
        told |= {failure.advice: None} if failure.advice else {}
    if finding is not None:
        told |= {advice: None for case, advice in advice_on(finding) if not case}
    if finding is not None and not told and not _other_cases(failure, finding):
        told[_NOTHING_TO_DO] = None
    yield from map(plain, told)


def _other_cases(failure: FailureKind | None, finding: FindingKind | None) -> Rows:
    """What to do in each case that isn't the usual one."""
    told: dict[str, str] = {}
    if failure is not None:
        told = {
            "among answers": failure.among_answers or "",
            "with --proxy": failure.by_proxy or "",
        }
    if finding is not None:
        told |= {case: advice for case, advice in advice_on(finding) if case}
    return tuple((case, plain(advice)) for case, advice in told.items() if advice)


def _causes(failure: FailureKind | None) -> Rows:
    return tuple(
        (" or ".join(words.strip(" :") for words in it.said), f"{it.meaning}. {it.advice}")
        for it in (failure.causes if failure else ())
    )


def _settings_for(reason: ReasonKind | None) -> Iterator[Section]:
    """Which settings of the commonest products do it."""
    concerns = (*reason.settings, *reason.settings_after_one) if reason else ()
    for concern in dict.fromkeys(concerns):
        found = ((it, it.setting(concern)) for it in COMMONEST)
        rows = ((it.word, described(its)) for it, its in found if its is not None and its.name)
        yield Section(meaning_of(concern), rows=tuple(rows))


def _evidence(reason: ReasonKind | None, finding: FindingKind | None) -> Iterator[str]:
    if reason is not None:
        yield from [f"{plain(reason.evidence)}."] if reason.evidence else []
    elif finding is not None:
        names = ", ".join(f"`{name}`" for name in finding.evidence)
        yield f"Its evidence has {names}." if names else "It has no evidence."


def _commands(provoked: Provoked) -> tuple[str, ...]:
    """What to type to see it happen; nothing where a command doesn't suffice."""
    if not provoked.run:
        return ()
    if provoked.serve is None:
        return (f"kab run {provoked.run}",)
    is_trusted, is_https = "--tls" in provoked.serve, "--certificate" in provoked.serve
    url = f"http{'s' * (is_trusted or is_https)}://127.0.0.1:{_PORT}/{' -k' * is_trusted}"
    serve = f"kab serve --port {_PORT} {provoked.serve}".rstrip()
    return f"{serve} &", f"kab run {provoked.run.replace('URL', url, 1)}"


def _requirements(
    reason: ReasonKind | None, failure: FailureKind | None, finding: FindingKind | None
) -> Iterator[str]:
    if reason is not None and reason in PROGRAM_REASONS:
        yield f"--require 'opened.{reason.code}==0'"
    elif reason is not None and reason.takes_a_place:
        yield f"--require 'reasons.{reason.code}==0'"
    if failure is not None:
        yield f"--require 'failures.{failure.code}==0'"
    if finding is not None and reason is None:
        yield f"--require 'findings.{finding.code}==0'"


def _of_metric(name: str, subject: Subject) -> Explanation:
    metric = subject.metric
    sentences = (
        plain(listing.meaning_of(metric)),
        f"In {_UNITS[metric.unit]}" if metric.unit in _UNITS else "",
        f"{metric.better} is better".capitalize() if metric.better else "",
        f"Unknown where {plain(metric.unknown)}" if metric.unknown else "",
    )
    words = f"It is one of: {', '.join(metric.words)}."
    decided = words if metric.words else _DECIDED.get(metric.basis, _BY_INTERVAL)
    example = f"=={metric.words[0]}" if metric.words else EXAMPLES.get(metric.unit, "<=10")
    sections = (
        Section("", (f"{'. '.join(filter(None, sentences))}.",)),
        Section("In the results file", lines=(subject.name,)),
        Section("How a requirement on it is decided", (decided,)),
        Section("Require it", lines=(f"--require '{name}{example}'",)),
    )
    return Explanation(name, "A figure that a requirement can be about", filled(sections))


def _of_verdict(code: str, changes: Mapping[str, str]) -> Explanation | None:
    meanings: tuple[tuple[str, Mapping[Any, str]], ...] = (
        ("kab run", VERDICT_MEANINGS),
        ("kab compare", changes),
    )
    rows = tuple((command, f"{its[code]}.") for command, its in meanings if code in its)
    if not rows:
        return None
    required = Section("Require it", lines=(f"--require 'verdict=={code}'",))
    return Explanation(code, "A verdict", (Section("What it says", rows=rows), required))


def _of_title(title: str, among: Sequence[Scope]) -> Explanation | None:
    """A row or a column of a table: the metric that it shows, or the phase."""
    phase = next((it for it, words in PHASE_TITLES.items() if title in {it, words}), None)
    for scope in among:
        for metric in scope.named:
            if phase is not None and metric.path == "phases_s.<phase>.per_request":
                return _of_phase(title, phase, Subject(scope=scope, metric=metric, key=phase))
            if title == metric.title and scope.label:
                subject = Subject(scope=scope, metric=metric, key="")
                return _of_metric(subject.name.removeprefix("arms."), subject)._replace(name=title)
    return None


def _of_phase(title: str, phase: str, subject: Subject) -> Explanation:
    meanings = {it.name: it.meaning for it in ExchangeColumns.declared}
    meaning = meanings.get(f"{phase}_s", "What is left of the latency without the other phases")
    found = _of_metric(subject.name.removeprefix("arms."), subject)
    sections = (Section("", (f"{plain(meaning)}.",)), *found.sections)
    return Explanation(title, "A phase of a request", sections)
