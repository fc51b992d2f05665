"""Secrets that are not written on the command line: from a file, or asked for."""

from __future__ import annotations

import netrc
from pathlib import Path

from keepalive_bench.cli.files import check_file, read_file
from keepalive_bench.cli.inputs import ask, can_be_asked
from keepalive_bench.errors import UsageError
from keepalive_bench.units import filename

_ENCRYPTED = (b"ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED")


def netrc_credentials(host: str) -> tuple[str, str] | None:
    """User and password for a host from the user's `.netrc`; `None` where it has none.

    Raises:
        UsageError: the file can't be read, or is none.
    """
    path = Path.home() / ".netrc"
    check_file(path, "--netrc")
    try:
        entry = netrc.netrc(str(path)).authenticators(host)
    except OSError as error:
        raise UsageError(f"{path} can't be read (--netrc): {error.strerror}.") from None
    except netrc.NetrcParseError as error:
        raise UsageError(f"{path}, line {error.lineno}, can't be understood (--netrc).") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 (--netrc).") from None
    return None if entry is None else (entry[0] or "", entry[2] or "")


def key_password(key: Path | None, password_file: Path | None) -> str | None:
    """The passphrase of a key: from a file, or asked for where the key has one.

    Raises:
        UsageError: it can't be read, or asked for.
    """
    if password_file is not None:
        return _read_text(password_file, "--key-password-file").rstrip("\r\n")
    if key is None or not key.is_file():  # what is in a pipe can be read once, by OpenSSL
        return None
    if not any(mark in read_file(key, "--key") for mark in _ENCRYPTED):
        return None
    shown = filename(key)
    if not can_be_asked():
        raise UsageError(f"{shown} has a passphrase: give it in a file (--key-password-file).")
    return ask(f"Passphrase of {shown}")


def _read_text(path: Path, option: str) -> str:
    try:
        return read_file(path, option).decode()
    except UnicodeDecodeError:
        raise UsageError(f"{filename(path)} is not UTF-8 ({option}).") from None
