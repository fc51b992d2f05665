"""What kab noticed in responses: that another request was meant, or that each has its session."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.units import enumerated, printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.exchange import Answer
    from keepalive_bench.results.run import Run

_MOST, _NEARLY_ALL = 0.5, 0.9
_REDIRECTS = range(300, 400)
_OTHERS = "…"
_NOT_MODIFIED, _UNAUTHORIZED = 304, 401
_OF_CONNECTIONS = r"(?i)\b(?:ntlm|negotiate)\b"
"""Schemes that authenticate a connection: NTLM, and Negotiate with either (RFC 4559, section 6)."""

REDIRECTS_MEASURED = FindingKind(
    code="redirects-measured",
    title="Most responses were redirects, which kab doesn't follow",
    who="client",
    evidence=("arm", "count", "answered", "location"),
    proof="Where they lead is what most of them say in `Location`, but for query and fragment.",
    text="{count} of {answered:response} to {arm} were redirects, which kab doesn't follow.",
    advice="Use the URL that they lead to.",
    cases={
        "https": Case(
            text="{count} of {answered:response} to {arm} were redirects to https, which kab "
            "doesn't follow.",
            advice="Use the URL that they lead to: {url}",
        ),
        "another host": Case(
            text="{count} of {answered:response} to {arm} were redirects to another host, {host}, "
            "which kab doesn't follow.",
            advice="Use the URL that they lead to: {url}",
        ),
        "another path": Case(advice="Use the URL that they lead to: {url}"),
        "the same URL": Case(
            text="{count} of {answered:response} to {arm} were redirects to the same URL (apart "
            "from its query), which kab doesn't follow.",
            advice="Servers do that to set a cookie or to add a parameter: send the cookie (-b "
            "NAME=VALUE), or use the URL with the parameter.{no_vary}",
        ),
    },
    clauses={
        "no_vary": " Or they remove parameters that they don't know: --no-vary leaves kab's own "
        "out."
    },
    provoked=Provoked("URL -n 6", "--status 302 -H 'Location: https://example.com/new'"),
)
HTTPS_EXPECTED = FindingKind(
    code="https-expected",
    title="The port expects HTTPS",
    who="client",
    evidence=("count", "answered"),
    proof="The body of a 400 says so in the words of nginx, Apache httpd, Go, Tomcat or Cheroot.",
    text="{count} of {answered:response} were 400 and say that plain HTTP was sent to an HTTPS "
    "port.",
    advice="Use the https URL: {url}",
    provoked=Provoked("URL -n 6", "--fault bad-request"),
)
CERTIFICATE_EXPECTED = FindingKind(
    code="certificate-expected",
    title="The server asks for a client certificate",
    who="client",
    evidence=("count", "answered"),
    proof="The body of a 400 says so in nginx's words.",
    text="{count} of {answered:response} were 400 and say that the client certificate is missing "
    "or isn't accepted.",
    advice="--cert FILE (and --key FILE) sends one.",
    provoked=Provoked("URL -n 6", "--fault 'bad-request=No required SSL certificate was sent'"),
)
CONNECTION_AUTHENTICATED = FindingKind(
    code="connection-authenticated",
    title="The server asks for NTLM or Negotiate, which authenticate the connection",
    who="server",
    evidence=("count", "answered", "schemes"),
    proof="A 401 or 407 names such a scheme.",
    text="{count} of {answered:response} were 401 or 407 and ask for {schemes}. Such a scheme "
    "authenticates the connection, not the request: each new connection costs a real client more "
    "requests. kab speaks none of them, so only refusals were measured.",
    advice="If the server also accepts Basic or a token, use -u or --bearer. Otherwise measure a "
    "path that needs no authentication: reuse saves a real client more than that.",
    cases={
        "of a proxy": Case(
            text="{count} of {answered:response} were 407, with which the proxy asks for "
            "{schemes}. Such a scheme authenticates the connection, not the request: each new "
            "connection costs a real client more requests. kab speaks none of them, so only "
            "refusals were measured.",
            advice="If the proxy also accepts Basic, use --proxy http://USER:PASSWORD@HOST:PORT.",
        )
    },
    provoked=Provoked("URL -n 6", "--status 401 -H 'WWW-Authenticate: NTLM'"),
)
SESSION_EACH_TIME = FindingKind(
    code="session-each-time",
    title="Each response starts a new session",
    who="client",
    severity="info",
    evidence=("count", "answered", "cookies"),
    proof="Nearly every response sets a cookie without a lifetime, or with a session's name, to a "
    "new value.",
    text="{count} of {answered:response} set a new value of the cookie {cookies}: the server "
    "seems to start a session for each request, which costs it time and memory.",
    advice="-b NAME=VALUE sends a cookie, so that all requests belong to one session, as a "
    "browser's do.",
    cases={
        "a cookie was sent": Case(
            text="{count} of {answered:response} set a new value of the cookie {cookies}, although "
            "the requests sent a cookie: the server renews it each time, or doesn't accept it and "
            "starts a session for each request.",
            advice="Check that the session of your cookie is still valid.",
        )
    },
    provoked=Provoked("URL -n 6", "--fault new-session"),
)
BODIES_CUT = FindingKind(
    code="bodies-cut",
    title="Bodies reached `--max-body`",
    who="client",
    evidence=("max_body", "exchanges"),
    proof="kab closes a connection with an unread rest of a body.",
    text="{exchanges:response} reached --max-body {max_body!s}. kab leaves the rest unread, which "
    "closes the connection, in every arm.",
    advice="Without --max-body, bodies are read to the end and connections can be reused.",
    provoked=Provoked("URL -n 6 --max-body 10", ""),
)


def answer_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    yield from _redirects(run.plan, arms)
    answers: Counter[Answer] = Counter()
    for arm in arms:
        answers.update(arm.answers)
    yield from _complaints(run.plan, answers)
    yield from _authentication(answers, {status for arm in arms for status in arm.status_codes})
    yield from _sessions(run.plan, answers)
    most, sizes = run.plan.request.max_body, run.exchanges.body_bytes
    cut = 0 if most is None else sum(map(most.__le__, sizes))
    if cut:
        yield BODIES_CUT.found(max_body=most, exchanges=cut)


def _redirects(plan: Plan, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Of each arm, or once of all, where they lead to the same."""
    found = [it for it in arms if _redirected(it) > _MOST * sum(it.status_codes.values())]
    is_one = len(found) == len(arms) and len({*map(_usual_place, found)}) == 1
    for group in [found] if is_one else [[it] for it in found]:
        place = _usual_place(group[0])
        url = None if place is None else _absolute(plan, place)
        yield REDIRECTS_MEASURED.found(
            group[0] if len(group) == 1 else None,
            count=sum(map(_redirected, group)),
            answered=sum(sum(arm.status_codes.values()) for arm in group),
            location=place,
            case=None if url is None else _leads_to(plan, url),
            clauses=["no_vary"] if plan.request.variation.counter else [],
            words={
                "arm": enumerated([arm.name for arm in group]),
                "url": printable(url or ""),
                "host": printable(urlsplit(url or "").netloc),
            },
        )


def _redirected(arm: ArmSummary) -> int:
    codes = arm.status_codes.items()
    return sum(it for status, it in codes if status in _REDIRECTS and status != _NOT_MODIFIED)


def _usual_place(arm: ArmSummary) -> str | None:
    """Where most of its redirects lead; `None`: none says so."""
    places = _counted((answer.location, number) for answer, number in arm.answers.items())
    del places[_OTHERS]
    return max(places, key=places.__getitem__, default=None)


def _absolute(plan: Plan, place: str) -> str | None:
    """The URL that a redirect names; `None`: none that kab could measure."""
    try:
        url = urljoin(f"{plan.target.origin}{plan.target.path.partition('?')[0]}", place)
        parts = urlsplit(url)
        is_reachable = parts.hostname and parts.port != 0
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and is_reachable else None


def _leads_to(plan: Plan, url: str) -> str:
    parts, target = urlsplit(url), plan.target
    if parts.hostname != target.host.lower():
        return "another host"
    if parts.scheme != target.scheme:
        return "https" if parts.scheme == "https" else "another path"
    is_same = url == f"{target.origin}{target.path.partition('?')[0]}"
    return "the same URL" if is_same else "another path"


def _complaints(plan: Plan, answers: Counter[Answer]) -> Iterator[Finding]:
    target = plan.target
    host = f"[{target.host}]" if ":" in target.host else target.host
    path = target.shown.removeprefix(target.origin)
    url = printable(f"https://{host}:{target.port}{path}")
    said = _counted((answer.complaint, number) for answer, number in answers.items())
    for kind in (HTTPS_EXPECTED, CERTIFICATE_EXPECTED):
        if said[kind.code]:
            total = answers.total()
            yield kind.found(count=said[kind.code], answered=total, words={"url": url})


def _authentication(answers: Counter[Answer], statuses: Collection[int]) -> Iterator[Finding]:
    asked = {
        answer: number
        for answer, number in answers.items()
        if re.search(_OF_CONNECTIONS, answer.asks_for or "")
    }
    if asked:
        usual = max(asked, key=asked.__getitem__)
        count, answered = sum(asked.values()), answers.total()
        is_proxys = _UNAUTHORIZED not in statuses
        yield CONNECTION_AUTHENTICATED.found(
            count=count,
            answered=answered,
            schemes=usual.asks_for,
            case="of a proxy" if is_proxys else None,
            who="proxy" if is_proxys else None,
        )


def _sessions(plan: Plan, answers: Counter[Answer]) -> Iterator[Finding]:
    """The first answer of an arm in each process has none before it."""
    names = _counted((answer.new_session, number) for answer, number in answers.items())
    count, answered = names.total(), answers.total()
    firsts = len(plan.experiment.arms) * plan.experiment.processes
    if count < max(1, _NEARLY_ALL * (answered - firsts)):
        return
    request, withheld = plan.request, plan.withheld or {}
    is_sent = request.cookies or "cookie" in withheld
    is_sent = is_sent or any(name.lower() == "cookie" for name, _ in request.headers)
    yield SESSION_EACH_TIME.found(
        count=count,
        answered=answered,
        cookies=max(names, key=names.__getitem__),
        case="a cookie was sent" if is_sent else None,
    )


def _counted(pairs: Iterable[tuple[str | None, int]]) -> Counter[str]:
    counts = Counter[str]()
    for name, number in pairs:
        if name is not None:
            counts[name] += number
    return counts
