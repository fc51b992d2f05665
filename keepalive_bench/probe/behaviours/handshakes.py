"""What a server accepts in the TLS handshake; little or nothing is sent after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.probe.behaviours.group import Group, unanswered
from keepalive_bench.probe.lives import Ask, Life, Way
from keepalive_bench.probe.probed import Behaviour
from keepalive_bench.results.failure_causes import (
    ALERT,
    ANOTHER_VERSION,
    ENDED_IN_HANDSHAKE,
    OTHER_VERSIONS,
)
from keepalive_bench.results.failure_kinds import TLS_HANDSHAKE
from keepalive_bench.units import enumerated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.plan.probing import ProbePlan
    from keepalive_bench.probe.record import Seen, Untried
    from keepalive_bench.results.exchange import Failure

_TLS, _BY, _OFFERS = "TLS ", "by ", "offering "
_VERSIONS = ("1.0", "1.1", "1.2", "1.3")
_PROOF_NEEDED = "1.3"
"""With it, a client has ended the handshake before the server has accepted it. With old versions,
no request is sent at all: their ciphers are no protection for what may be secret in it."""
_SESSIONS = {"ticket": "a session ticket", "id": "a session ID"}
_PROTOCOLS = (("h2", "http/1.1"), ("http/1.1",))
_WHY: dict[Untried, str] = {
    "openssl": "this machine's OpenSSL can't offer it",
    "options": "--tls-min, --tls-max or --ciphers rules it out",
    "no-address": "there is no such address",
}


def _versions(_: ProbePlan) -> Iterator[Life]:
    for it in _VERSIONS:
        asks = (Ask(),) if it == _PROOF_NEEDED else ()
        yield Life("behaviour", asks, way=Way(tls=it), name=f"{_TLS}{it}")


def _told_version(name: str, seen: list[Seen]) -> Iterator[Behaviour]:
    for it in seen:
        yield Behaviour("tls", name, None, f"{_version(name, it)}.")


def _version(name: str, seen: Seen) -> str:
    if seen.untried is not None:
        return f"Whether the server accepts {name} isn't known: {_WHY[seen.untried]}"
    if seen.failure is not None:
        return _refused(name, seen.failure)
    last = next(iter(seen.exchanges), None)
    if last is not None and last.failure is not None:
        return f"{name} is negotiated, but then there is no response ({last.failure.message})"
    return f"The server accepts {name}"


def _refused(name: str, failure: Failure) -> str:
    if failure.kind != TLS_HANDSHAKE.code:
        return f"Whether the server accepts {name} isn't known ({failure.kind}: {failure.message})"
    if failure.message.startswith(ALERT):
        return f"The server refuses {name} ({failure.message})"
    if ANOTHER_VERSION.fits(failure.message):
        return f"The server refuses {name}: it answers with another version"
    if ENDED_IN_HANDSHAKE.fits(failure.message):
        return f"The server doesn't accept {name}: the connection ends without an alert"
    return f"The handshake of {name} fails ({failure.message})"


def _resumptions(_: ProbePlan) -> Iterator[Life]:
    """Each twice: the second one takes up the session of the first."""
    for way in (Way(resumes="ticket"), Way(resumes="id")):
        for _each in range(2):
            yield Life("behaviour", (Ask(),), way=way, name=f"{_BY}{way.resumes}")


def _told_resumption(name: str, seen: list[Seen]) -> Iterator[Behaviour]:
    text = _resumption(_SESSIONS.get(name.removeprefix(_BY), "a session"), *seen[:2])
    yield Behaviour("resumption", name, None, f"{text}.")


def _resumption(session: str, first: Seen, second: Seen | None = None) -> str:
    if (nothing := _sessionless(session, first)) is not None:
        return nothing
    if second is None or second.resumed is None:
        failure = None if second is None else second.failure
        why = "the probe was stopped" if failure is None else failure.message
        return f"The server gives {session}; whether it resumes by that isn't known ({why})"
    if second.resumed:
        return f"The server resumes TLS by {session} ({second.tls_version})"
    return (
        f"The server gives {session}, but didn't resume TLS by it on the next connection "
        f"({second.tls_version})"
    )


def _sessionless(session: str, first: Seen) -> str | None:
    """Why there is no session to resume; `None`: there is one."""
    if first.untried is not None:
        return f"Resumption by {session} can't be tried: {_WHY[first.untried]}"
    refused = first.failure is not None and OTHER_VERSIONS.fits(first.failure.message)
    if refused and session == _SESSIONS["id"]:
        return f"The server refuses TLS 1.2, and later versions don't resume by {session}"
    if nothing := unanswered(first):
        return nothing.removesuffix(".")
    if not first.has_session:
        return f"The server doesn't give {session} ({first.tls_version})"
    return None


def _offers(_: ProbePlan) -> Iterator[Life]:
    for it in _PROTOCOLS:
        yield Life("behaviour", (), way=Way(alpn=it), name=f"{_OFFERS}{enumerated(it)}")


def _told_choice(name: str, seen: list[Seen]) -> Iterator[Behaviour]:
    for it in seen:
        offered = name.removeprefix(_OFFERS)
        if it.failure is not None and it.failure.message == f"{ALERT}no_application_protocol":
            text = f"Offered {offered}, the server refuses the connection ({it.failure.message})."
        elif it.failure is not None or it.opened_s is None:
            text = unanswered(it) or ""
        elif it.alpn is None:
            text = f"Offered {offered}, the server chooses none: it doesn't use ALPN."
        else:
            text = f"Offered {offered}, the server chooses {it.alpn}."
        yield Behaviour("alpn", name, None, text)


TLS = Group("tls", _versions, _told_version)
RESUMPTION = Group("resumption", _resumptions, _told_resumption)
ALPN = Group("alpn", _offers, _told_choice)
