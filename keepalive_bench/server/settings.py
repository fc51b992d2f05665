"""Where and how one server serves, as a value that can travel to another process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from keepalive_bench.errors import UsageError
from keepalive_bench.server.behaviour import Behaviour, option
from keepalive_bench.units import quoted, shortened

if TYPE_CHECKING:
    from keepalive_bench.server.faults import Fault

CERTIFICATE = Path(__file__).with_name("loopback.pem")
KEY = Path(__file__).with_name("loopback.key")
"""The shipped certificate, valid for localhost, 127.0.0.1 and ::1 until 2069, and its key.

The key is public, so nobody should ever trust it for more than a measurement on loopback.
`make_certificate.sh`, beside it in the repository, says how all of them were made. Each is its own
authority: a client that trusts the file finds nothing wrong but what its name says.
"""
CERTIFICATES = {
    "loopback": CERTIFICATE,
    **{name: CERTIFICATE.with_stem(name) for name in ("wrong-host", "expired", "untrusted")},
}
"""By name; *untrusted* is as good as *loopback*, for clients that were told to trust that one."""
_BAD = [name for name, path in CERTIFICATES.items() if path != CERTIFICATE]
TLS_VERSIONS = ("1.2", "1.3")
_HIGHEST_PORT = 65535
_PATHS = ("certificate", "key", "record")


def _certificate(text: str) -> Path:
    return CERTIFICATES.get(text) or Path(text)


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Everything a server must know before it can be started.

    Attributes:
        host: A name or address (an IPv6 one without brackets); the first one it resolves to
            that can be bound is served.
        port: 0 takes any free one.
        tls_min: ``None`` leaves it to OpenSSL.
        tls_max: Likewise.
        certificate: The PEM file to serve HTTPS with, chain included; by default the one that
            kab ships for loopback. `CERTIFICATES` has others, with something wrong with each.
        key: The certificate's private key; ``None`` looks for it in the same file.
        behaviour: How it answers.
        fault: What goes wrong, and when.
        one_at_a_time: No connection is answered, or accepted, until the one before has ended.
        record: A file to which every complete request is appended as one line of JSON.

    Raises:
        UsageError: A value is out of range, or two contradict each other.
    """

    host: str = option(
        "Address to bind.", ("--host 127.0.0.2", "http://127.0.0.2:"), str, default="127.0.0.1"
    )
    port: int = option(
        "Port to bind.  [default: any that is free]", ("--port {free}", ":{free}"), int, default=0
    )
    allow_remote: bool = option(
        "Allow an address that other machines can reach.",
        ("--host 0.0.0.0 --allow-remote", "Serving http://"),
        bool,
        default=False,
    )
    tls: bool = option(
        "Serve HTTPS, with a certificate for loopback.",
        ("--tls", "Serving https://"),
        bool,
        default=False,
    )
    tls_min: str | None = option(
        "Lowest version of TLS.",
        ("--tls --tls-min 1.3", "refuses TLS 1.2"),
        str,
        default=None,
        choices=TLS_VERSIONS,
    )
    tls_max: str | None = option(
        "Highest version of TLS.",
        ("--tls --tls-max 1.2", "speaks TLSv1.2"),
        str,
        default=None,
        choices=TLS_VERSIONS,
    )
    certificate: Path = option(  # noqa: RUF009 - it makes a field
        f"Another certificate: {', '.join(_BAD)}, or a PEM file.",
        ("--certificate expired", "certificate has expired"),
        _certificate,
        "NAME|FILE",
        default=CERTIFICATE,
    )
    key: Path | None = option(  # noqa: RUF009 - it makes a field
        "Its key.  [default: in the certificate's file]",
        ("--certificate {cert} --key {key}", "Serving https://"),
        Path,
        default=None,
    )
    one_at_a_time: bool = option(
        "Serve one connection at a time.",
        ("--one-at-a-time", "alone"),
        bool,
        default=False,
    )
    behaviour: Behaviour = field(default_factory=Behaviour)
    fault: Fault | None = None
    record: Path | None = option(  # noqa: RUF009 - it makes a field
        "Write each request to a file.",
        ("--record {written}", "GET / HTTP/1.1"),
        Path,
        default=None,
    )

    def __post_init__(self) -> None:
        if not 0 <= self.port <= _HIGHEST_PORT:
            raise UsageError(
                f"Port {shortened(str(self.port))} doesn't exist: it must be 0 to {_HIGHEST_PORT}."
            )
        for version in (self.tls_min, self.tls_max):
            if version not in {None, *TLS_VERSIONS}:
                raise UsageError(
                    f"TLS version {quoted(str(version))} is not one of {', '.join(TLS_VERSIONS)}."
                )
        if (self.tls_min, self.tls_max) == ("1.3", "1.2"):
            raise UsageError("The lowest TLS version (1.3) is above the highest (1.2).")
        if self.fault is not None and self.fault.needs_tls and not self.tls:
            raise UsageError(f"The fault {self.fault.name} needs TLS.")
        if not self.tls and (self.tls_min or self.tls_max or self.key):
            raise UsageError(
                "TLS versions and a private key are for HTTPS: add --tls or --certificate."
            )

    @property
    def key_file(self) -> Path:
        """Where the certificate's key is."""
        if self.key is not None:
            return self.key
        return KEY if self.certificate in CERTIFICATES.values() else self.certificate

    def to_json(self) -> str:
        """Write the settings on one line, so that a child process can be given them."""
        # The child works in another directory: a relative path would mean another file there.
        paths = {name: getattr(self, name) for name in _PATHS}
        absolute = {name: path and str(path.absolute()) for name, path in paths.items()}
        return json.dumps({**asdict(self), **absolute})

    @classmethod
    def from_json(cls, line: str | bytes) -> ServerSettings:
        """Read what `to_json` wrote."""
        data = json.loads(line)
        data |= {name: data[name] and Path(data[name]) for name in _PATHS}
        behaviour = data["behaviour"]
        behaviour["headers"] = tuple((name, value) for name, value in behaviour["headers"])
        data["behaviour"] = Behaviour(**behaviour)
        if data["fault"] is not None:
            # Here, because a server without faults is to start without them.
            from keepalive_bench.server.faults import Fault  # noqa: PLC0415

            data["fault"] = Fault(**data["fault"])
        return cls(**data)
