"""What is written on a connection for each request of a probe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.plan.redaction import redacted_path
from keepalive_bench.plan.request import SHOWN_HEADERS, basic
from keepalive_bench.units import REDACTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.plan.probing import ProbePlan
    from keepalive_bench.plan.request import Header
    from keepalive_bench.probe.lives import Ask

_SHORTEST_SECRET = 4
_SETTLED = {"connection", "content-length", "content-type", "expect", "transfer-encoding"}
"""Fields that are each request's own: what the user says of them is left out."""


class Messages:
    """Makes requests of what they ask for; those of a probe differ in few things."""

    def __init__(self, plan: ProbePlan, user_agent: str) -> None:
        fields = plan.request.wire_headers(plan.target, user_agent)
        given = {name.lower() for name, _ in fields}
        usual = [
            ("Host", plan.target.origin.partition("://")[2]),
            ("Accept-Encoding", "identity"),
        ]
        proxy = plan.network.proxy
        self._is_forwarded = proxy is not None and plan.target.scheme == "http"
        if proxy is not None and proxy.credentials and self._is_forwarded:
            usual.append(("Proxy-Authorization", basic(proxy.credentials)))
        self._plan = plan
        self._secrets = [*_secrets(plan, fields)]
        self._fields = [
            *(it for it in usual if it[0].lower() not in given),
            *(it for it in fields if it[0].lower() not in _SETTLED),
        ]

    def of(self, ask: Ask) -> bytes:
        """The bytes of a request, without its body where that waits."""
        path = ask.path or self._plan.target.path
        start = f"{self._plan.target.origin}{path}" if self._is_forwarded else path
        fields = [*self._fields]
        if ask.keep_alive:
            fields.append(("Connection", "keep-alive"))
        if ask.method == "POST":
            fields.append(("Content-Length", f"{len(ask.body)}"))
            fields.append(("Content-Type", "application/octet-stream"))
        if ask.expects:
            fields.append(("Expect", "100-continue"))
        head = [f"{ask.method} {start} HTTP/{ask.version}"]
        head += [f"{name}: {value}" for name, value in fields]
        whole = "\r\n".join([*head, "", ""]).encode("latin-1")
        return (whole + (b"" if ask.waits else ask.body)) * ask.times

    def shown(self, ask: Ask) -> str:
        """The path that is asked for, secrets in it starred."""
        return redacted_path(ask.path or self._plan.target.path)

    def without_secrets(self, text: str) -> str:
        """What a server or a proxy said, without what was sent to it and is nobody's to read."""
        for secret, shown in self._secrets:
            text = text.replace(secret, shown)
        return text


def _secrets(plan: ProbePlan, fields: Iterable[Header]) -> Iterator[tuple[str, str]]:
    """What isn't to be shown, and what is shown in its place."""
    path, shown = plan.target.path, redacted_path(plan.target.path)
    if path != shown:
        yield path, shown
    values = [value for name, value in fields if name.lower() not in SHOWN_HEADERS]
    proxy = plan.network.proxy
    for credentials in (
        plan.request.credentials,
        plan.target.credentials,
        proxy and proxy.credentials,
    ):
        if credentials:
            values += [basic(credentials), credentials[1]]
    for value in values:
        for part in {value, value.rpartition(" ")[2]}:
            if len(part) >= _SHORTEST_SECRET:
                yield part, REDACTED
