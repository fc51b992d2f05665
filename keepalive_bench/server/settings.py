"""Where and how one server serves, as a value that can travel to another process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keepalive_bench.errors import UsageError
from keepalive_bench.server.behaviour import Behaviour
from keepalive_bench.server.certificate import CERTIFICATE, CERTIFICATES, KEY
from keepalive_bench.units import quoted, shortened

if TYPE_CHECKING:
    from keepalive_bench.server.faults import Fault

TLS_VERSIONS = ("1.2", "1.3")
_HIGHEST_PORT = 65535
_PATHS = ("certificate", "key", "record")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything a server must know before it can be started.

    Attributes:
        behaviour: How it answers.
        host: A name or address (an IPv6 one without brackets); the first one it resolves to
            that can be bound is served.
        port: 0 takes any free one.
        tls: Serve HTTPS.
        certificate: The PEM file to serve it with, chain included; by default the one that kab
            ships for loopback. `CERTIFICATES` has others, with something wrong with each.
        key: The certificate's private key; ``None`` looks for it in the same file.
        tls_min: Lowest TLS version, ``"1.2"`` or ``"1.3"``; ``None`` leaves it to OpenSSL.
        tls_max: Highest TLS version, likewise.
        record: A file to which every complete request is appended as one line of JSON.
        allow_remote: Serve on addresses that other machines can reach, too.

    Raises:
        UsageError: A value is out of range, or two contradict each other.
    """

    behaviour: Behaviour = field(default_factory=Behaviour)
    host: str = "127.0.0.1"
    port: int = 0
    tls: bool = False
    certificate: Path = CERTIFICATE
    key: Path | None = None
    tls_min: str | None = None
    tls_max: str | None = None
    record: Path | None = None
    allow_remote: bool = False

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
        fault = self.behaviour.fault
        if fault is not None and fault.needs_tls and not self.tls:
            raise UsageError(f"The fault {fault.name} needs TLS.")

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
    def from_json(cls, line: str | bytes) -> Settings:
        """Read what `to_json` wrote."""
        data = json.loads(line)
        behaviour = data.pop("behaviour")
        headers = tuple((name, value) for name, value in behaviour.pop("headers"))
        fault = _read_fault(behaviour.pop("fault"))
        data |= {name: data[name] and Path(data[name]) for name in _PATHS}
        return cls(
            behaviour=Behaviour(headers=headers, fault=fault, **behaviour),
            **data,
        )


def _read_fault(data: dict[str, Any] | None) -> Fault | None:
    if data is None:
        return None
    # Here, because a server without faults is to start without them.
    from keepalive_bench.server.faults import Fault  # noqa: PLC0415

    return Fault(**data)
