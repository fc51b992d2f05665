"""What isn't on the command line itself: files, standard input, ~/.netrc, and what is typed.

Files are read whole, and bounded: some have no end (`/dev/zero`), and some are too large.
"""

from __future__ import annotations

import signal
import stat
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click

from keepalive_bench.errors import ENDING_SIGNALS, UsageError
from keepalive_bench.plan.options import File
from keepalive_bench.plan.values import LARGEST_BODY
from keepalive_bench.units import filename, printable, size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.plan.options import Option

LARGEST_FILE = 2**26
"""Bytes of a file that is no body: a bundle of all certificates there are has a hundredth of it."""
_PIECE = 2**20
_STDIN = "-"
_ENCRYPTED = (b"ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED")


def value_of(option: Option[Any], said: Any) -> object:  # noqa: ANN401  # what Click has of it
    """An option's value, parsed, with what is in the file that it names.

    Raises:
        UsageError: it makes no sense, or a file can't be read.
    """
    several = said if isinstance(said, tuple) else (said,)
    flag = option.flags[0]
    if option.source == "body":
        several = tuple(_body(several, flag))
    elif option.source == "content":
        several = tuple(read_file(path, flag) for path in several)
    elif option.source == "checked":
        for path in several:
            check_file(path, flag)
    if option.form != "repeatable":
        return option.parse(*several)
    return tuple(map(option.parse, several))


def read_file(path: Path, option: str, most: int = LARGEST_FILE) -> File:
    """A file, as an option asks for it.

    Raises:
        UsageError: it can't be read, or is too large.
    """
    shown = filename(path)
    try:
        with path.open("rb") as file:
            return File(str(path), _whole(file, shown, option, most))
    except OSError as error:
        raise UsageError(f"{shown} can't be read ({option}): {error.strerror}.") from None


def _body(texts: Iterable[str], option: str) -> list[bytes]:
    """The parts of a body: text as it is, `@FILE` byte for byte, `-` from standard input."""
    parts: list[bytes] = []
    for text in texts:
        if text in {_STDIN, f"@{_STDIN}"}:
            parts.append(_standard_input(option))
        elif text.startswith("@"):
            parts.append(read_file(Path(text[1:]), option, LARGEST_BODY).content)
        else:
            parts.append(text.encode(errors="surrogateescape"))
        if sum(map(len, parts)) > LARGEST_BODY:
            _refuse_size("The body", option, LARGEST_BODY)
    return parts


def check_file(path: Path | None, option: str) -> None:
    """Look at a file that OpenSSL or Python will read by itself, to the end.

    Raises:
        UsageError: it can't be read, is too large, or a device, which may have no end.
    """
    if path is None:
        return
    shown = filename(path)
    try:
        found = path.stat()
    except OSError as error:
        raise UsageError(f"{shown} can't be read ({option}): {error.strerror}.") from None
    if stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode):
        raise UsageError(f"{shown} is a device ({option}): name a file.")
    if found.st_size > LARGEST_FILE:
        _refuse_size(shown, option, LARGEST_FILE)


def netrc_credentials(host: str) -> tuple[str, str] | None:
    """User and password for a host from the user's `.netrc`; `None` where it has none.

    Raises:
        UsageError: the file can't be read, or is none.
    """
    import netrc  # noqa: PLC0415  # few runs need it

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


def typed_password(user: str) -> str:
    """A user's password, asked for.

    Raises:
        UsageError: there is no terminal.
    """
    if not _can_be_asked():
        raise UsageError(
            "-u has no password, and there is no terminal to ask for it: USER:PASSWORD."
        )
    return _ask(f"Password of {printable(user)}")


def typed_passphrase(key: Path) -> str | None:
    """The passphrase of a key, asked for where the key has one.

    Raises:
        UsageError: the key can't be read, or there is no terminal.
    """
    if not key.is_file():  # what is in a pipe can be read once, by OpenSSL
        return None
    content = read_file(key, "--key").content
    if not any(mark in content for mark in _ENCRYPTED):
        return None
    shown = filename(key)
    if not _can_be_asked():
        raise UsageError(f"{shown} has a passphrase: give it in a file (--key-password-file).")
    return _ask(f"Passphrase of {shown}")


def _ask(what: str) -> str:
    """A secret, typed at the terminal.

    Signals raise meanwhile, rather than end kab at once, so that the terminal is left as it was.
    """
    heard = [it for it in ENDING_SIGNALS if signal.getsignal(it) is not signal.SIG_IGN]
    before = {it: signal.signal(it, signal.default_int_handler) for it in heard}
    try:
        return str(click.prompt(what, hide_input=True, err=True))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _can_be_asked() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _standard_input(option: str) -> bytes:
    if sys.stdin is None:  # whoever started kab has closed it
        raise UsageError(f"Standard input can't be read ({option}): it is closed.")
    try:
        return _whole(sys.stdin.buffer, "Standard input", option, LARGEST_BODY)
    except OSError as error:
        raise UsageError(f"Standard input can't be read ({option}): {error.strerror}.") from None


def _whole(file: IO[bytes], shown: str, option: str, most: int) -> bytes:
    parts, length = [], 0
    while part := file.read(_PIECE):
        parts.append(part)
        length += len(part)
        if length > most:
            _refuse_size(shown, option, most)
    return b"".join(parts)


def _refuse_size(shown: str, option: str, most: int) -> NoReturn:
    raise UsageError(f"{shown} is too large ({option}): {size(most)} are the most.")
