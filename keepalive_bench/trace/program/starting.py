"""How a program is started: what it gets, and why it can't be started."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from keepalive_bench.errors import ExitCode, KabError
from keepalive_bench.trace.program.forwarding import signals
from keepalive_bench.units import filename, quoted

if TYPE_CHECKING:
    import signal
    from collections.abc import Collection, Mapping

OWN_VARIABLES = b"KAB_TRACE_"
"""What the names of kab's own variables begin with, which the program doesn't get."""
_TRACER = Path(__file__).parents[1] / "tracer"
_IN_TRACER = "_kab_tracer"
_FOLDER, _LIMIT, _PATHS, _CTYPE = b"_KAB_TRACE", b"_KAB_TRACE_LIMIT", b"PYTHONPATH", b"LC_CTYPE"
_IGNORED_BY_PYTHON = signals("SIGPIPE", "SIGXFSZ")
_SHELL = "/bin/sh"


class NotFoundError(KabError):
    """There is no such program."""

    exit_code = ExitCode.NOT_FOUND


class NotExecutableError(KabError):
    """A program can't be executed."""

    exit_code = ExitCode.NOT_EXECUTABLE


def environment(folder: str, most_bytes: int) -> dict[bytes, bytes]:
    """The environment of a program whose records go into a folder.

    It is kab's own but for what gets the tracer in, and for what is meant for kab.
    """
    kept = {
        name: value
        for name, value in os.environb.items()
        if name and not name.startswith(OWN_VARIABLES)
    }
    if _CTYPE in kept and not _is_inherited(_CTYPE):
        del kept[_CTYPE]
    others = os.fsdecode(kept.get(_PATHS, b""))
    # Of one kab in another, the inner one alone records.
    paths = [it for it in others.split(os.pathsep) if not Path(it, _IN_TRACER).is_dir()]
    kept[_PATHS] = os.fsencode(os.pathsep.join([str(_TRACER), *(paths if others else ())]))
    kept[_FOLDER] = os.fsencode(folder)
    kept[_LIMIT] = b"%d" % most_bytes
    return kept


def _is_inherited(name: bytes) -> bool:
    """Whether kab was started with a variable; Python adds one in the C locale (PEP 538)."""
    try:
        given = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return True
    return any(it.startswith(name + b"=") for it in given)


def start(
    words: tuple[str, ...],
    environment: Mapping[bytes, bytes],
    mask: Collection[signal.Signals | int],
) -> int:
    """Start a program as a shell would; its process id.

    Args:
        words: the program, and its arguments.
        environment: its variables.
        mask: the signals that it finds blocked.

    Raises:
        NotFoundError: there is no such program.
        NotExecutableError: it can't be executed.
    """
    if not words[0]:
        raise NotFoundError("There is no program ''.")
    try:
        try:
            return os.posix_spawnp(
                words[0], words, environment, setsigmask=mask, setsigdef=_IGNORED_BY_PYTHON
            )
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
        script = which(words[0]) or words[0]  # without a line that says who reads it
        command = [_SHELL, script, *words[1:]]
        return os.posix_spawn(
            _SHELL, command, environment, setsigmask=mask, setsigdef=_IGNORED_BY_PYTHON
        )
    except OSError as error:
        raise _refusal(words[0], error) from None


def _refusal(name: str, error: OSError) -> KabError:
    shown = filename(name)
    if error.errno not in {errno.ENOENT, errno.ENOTDIR}:
        return NotExecutableError(f"{shown} can't be executed: {error.strerror}.")
    if which(name) is not None:
        return NotFoundError(
            f"{shown} can't be executed: there isn't what its first line (#!) names."
        )
    if name.endswith(".py") and Path(name).is_file():
        return NotFoundError(f"{shown} isn't on PATH: did you mean kab trace python {shown}?")
    where = "" if os.sep in name else " on PATH"
    return NotFoundError(f"There is no program {quoted(name)}{where}.")
