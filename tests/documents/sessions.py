"""Pages whose commands are carried out as they stand, in their order, and show real output.

A block of `console` has commands after `$ `, each with its output; a block whose first line is
`# NAME` is a file. `PYTHONPATH=tests python -m documents.sessions` carries the commands out again
and writes what they print into the pages: where a shown output ends with `…`, as many paragraphs.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from support.command import environment, next_line, started
from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = (
    ROOT / "README.md",
    *(ROOT / "docs" / name for name in ("tutorial.md", "tracing.md", "places.md", "probe.md")),
)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_PORT = re.compile(r"--port (\d+)")
_PLACE = re.compile(r"\b\w+\.py:\d+")
_ELIDED = "…\n"
_MARKS = "!✗✓?i"
_LIST = re.compile(rf"[{_MARKS}] [A-Z][a-z]+:")


class Step(NamedTuple):
    """A command of a page."""

    command: str
    shown: str
    """Its output, as the page has it."""


def steps(page: str) -> Iterator[Step]:
    """All commands, in their order."""
    for language, block in _BLOCK.findall(page):
        if language == "console":
            yield from (Step(*found) for found in _COMMAND.findall(block))


class Walk:
    """Carries out a page's commands; its servers end when it is closed."""

    def __init__(self, page: str, folder: Path) -> None:
        """Write the page's files into the folder, and find free ports for its servers."""
        self._folder = folder
        self._servers: dict[str, ExitStack] = {}
        self._ports = {port: _free_port() for port in _PORT.findall(page)}
        for _, block in _BLOCK.findall(page):
            if found := re.match(r"# (\S+\.\w+)\n", block):
                file = folder / found[1]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(self._here(block), "utf-8")

    def close(self) -> None:
        """End its servers."""
        for server in self._servers.values():
            server.close()

    def printed(self, command: str) -> str:
        """What a command writes to standard output; of `kab serve`, which goes on, nothing.

        Of `kab trace` it is what it writes to standard error, too: its report.
        """
        command = self._here(command)
        if command.startswith("kab serve"):
            words = command.removeprefix("kab ").rstrip(" &").split()
            server = self._servers.setdefault(words[words.index("--port") + 1], ExitStack())
            server.close()  # the one that was there, as the page says
            next_line(server.enter_context(started(*words, stderr=subprocess.DEVNULL)))
            return ""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        is_trace = command.startswith("kab trace")
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self._folder,
            env=environment({"PATH": path, "COLUMNS": "80"}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if is_trace else subprocess.DEVNULL,
            encoding="utf-8",
            check=False,
            timeout=PATIENCE_S,
        )
        text = done.stdout
        for port, here in self._ports.items():
            text = text.replace(here, port)
        return text

    def _here(self, text: str) -> str:
        for port, here in self._ports.items():
            text = text.replace(port, here)
        return text.replace("keepalive_bench/", f"{ROOT}/keepalive_bench/")


def _free_port() -> str:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return str(listener.getsockname()[1])


def as_far_as(shown: str, output: str) -> str:
    """Of an output, as many paragraphs as are shown of it, if the rest is left out."""
    if not shown.endswith(_ELIDED):
        return output
    count = shown.count("\n\n") + 1
    return "\n\n".join(output.split("\n\n")[:count]).rstrip() + f"\n{_ELIDED}"


def labels(output: str) -> set[str]:
    """What the lines of an output are about, without what differs from run to run.

    Of a table's row it is the first cell, and of a finding and the first line the first words; of a
    list of them (`! Warnings: …`), what it lists.
    Places in programs are told to the line.
    """
    lines = output.rstrip().splitlines()
    if len(lines) < 2:  # a line alone is told as it is
        return {*lines}
    found = {_words(lines[0]), *_PLACE.findall(output)}
    for line in lines:
        first, *others = re.split(r" {2,}", line.strip())
        if line[:1] and line[0] in _MARKS and line[1:2] == " ":
            found.add(_words(line))
        elif others and first[:1].isalpha():
            found.add(first)
    return found


def _words(line: str) -> str:
    if found := _LIST.match(line):
        return found[0]
    return " ".join(re.sub(r"[\d.,]+", "#", line).split()[:4])


def rewritten(page: str, walk: Walk) -> str:
    """The page, with what its commands print now."""

    def now(found: re.Match[str]) -> str:
        command, shown = found.groups()
        output = walk.printed(command)
        return f"$ {command}\n{as_far_as(shown, output)}"

    return _BLOCK.sub(
        lambda it: _COMMAND.sub(now, it[0]) if it[1] == "console" else it[0],
        page,
    )


if __name__ == "__main__":
    for path in PAGES:
        page = path.read_text("utf-8")
        with tempfile.TemporaryDirectory() as folder, closing(Walk(page, Path(folder))) as walk:
            path.write_text(rewritten(page, walk), "utf-8")
