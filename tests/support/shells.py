"""Shells: what bash makes of a command, and completion in bash, zsh and fish."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = Path(__file__).parents[2] / "docs" / "completion.md"
TIMEOUT_S = PATIENCE_S
_READY = "ready> "
_EMPTY_LINE = "\x15"
_SIZE = struct.pack("HHHH", 40, 200, 0, 0)


def words_of(command: str) -> list[str]:
    """What bash makes of a command, its name left out."""
    name, _, rest = command.partition(" ")
    script = f"{name}() {{ printf '%s\\0' \"$@\"; }}; {name} {rest}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    return done.stdout.decode().split("\0")[:-1]


def setup(shell: str) -> str:
    """What docs/completion.md says to put where a shell starts."""
    (found,) = re.findall(rf"```{shell}\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    return str(found)


class TypingShell:
    """A shell in a terminal, ready for a line."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._until(_READY)

    def completes(self, typed: str, line: str) -> None:
        """Type a line and a tab, and wait for what is to become of it."""
        os.write(self._terminal, f"{_EMPTY_LINE}{typed}\t".encode())
        self._until(line)

    def _until(self, wanted: str) -> None:
        seen, deadline = "", time.monotonic() + TIMEOUT_S
        while wanted not in seen:
            left = deadline - time.monotonic()
            assert left > 0, f"{wanted!r} isn't in {seen!r}"
            if select.select([self._terminal], [], [], left)[0]:
                seen += os.read(self._terminal, 65536).decode()


class Fish:
    """fish, which tells what it would complete."""

    def __init__(self, home: Path) -> None:
        place = home / "fish" / "completions"
        place.mkdir(parents=True)
        (place / "kab.fish").write_text(setup("fish"), "utf-8")
        self._home = home

    def completes(self, typed: str, line: str) -> None:
        done = subprocess.run(
            ["fish", "--command", 'complete --do-complete="$argv[1]"', typed],
            env=_environment(self._home),
            cwd=self._home,
            capture_output=True,
            text=True,
            check=True,
            timeout=TIMEOUT_S,
        )
        words = [offered.partition("\t")[0] for offered in done.stdout.splitlines()]
        assert words == [line.rpartition(" ")[2]], done


@contextmanager
def shell(name: str, home: Path) -> Iterator[TypingShell | Fish]:
    """A shell that was set up as the guide says, started in `home`."""
    if name == "fish":
        yield Fish(home)
        return
    (home / {"bash": ".bashrc", "zsh": ".zshrc"}[name]).write_text(
        f"{setup(name)}PS1='{_READY}'\n", "utf-8"
    )
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, _SIZE)
    process = subprocess.Popen(
        ["setsid", "--ctty", name, "-i"],
        env=_environment(home),
        cwd=home,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    with process:
        os.close(theirs)
        try:
            yield TypingShell(ours)
        finally:
            process.kill()
            os.close(ours)


def _environment(home: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    places = {"HOME": str(home), "ZDOTDIR": str(home), "XDG_CONFIG_HOME": str(home)}
    return {"PATH": path, "TERM": "dumb", "LANG": "C.UTF-8", **places}
