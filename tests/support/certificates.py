"""Certificates and keys, made by openssl for one test run."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PASSPHRASE = "s3kr1t-phr4se"  # noqa: S105  # of keys that live as long as a test


@dataclass(frozen=True, kw_only=True)
class Client:
    """Files of one client; whoever trusts `cert` lets it in."""

    cert: Path
    key: Path
    locked: Path
    """The same key, with `PASSPHRASE`."""
    both: Path
    """Certificate and key in one file."""


def client(folder: Path, name: str = "client") -> Client:
    made = Client(
        cert=folder / f"{name}.pem",
        key=folder / f"{name}.key",
        locked=folder / f"{name}-locked.key",
        both=folder / f"{name}-both.pem",
    )
    wanted = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -subj /CN={name}"
    _openssl(*wanted.split(), "-keyout", str(made.key), "-out", str(made.cert))
    locked = ("-aes256", "-passout", f"pass:{PASSPHRASE}", "-out", str(made.locked))
    _openssl("pkey", "-in", str(made.key), *locked)
    made.both.write_bytes(made.cert.read_bytes() + made.key.read_bytes())
    return made


def server_named(folder: Path, name: str, *extensions: str) -> Path:
    """A server's certificate with its key, in one file, which has a name wherever one can be.

    Or, where extensions are given, has just these, and the name in its subject.
    """
    made, key = folder / "server.pem", folder / "server.key"
    extensions = extensions or (f"subjectAltName=DNS:{name},email:{name},URI:{name}",)
    wanted = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc"
    added = (word for extension in extensions for word in ("-addext", extension))
    told = ("-subj", f"/O={name}/CN={name}", *added)
    _openssl(*wanted.split(), *told, "-keyout", str(key), "-out", str(made))
    made.write_bytes(made.read_bytes() + key.read_bytes())
    return made


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
