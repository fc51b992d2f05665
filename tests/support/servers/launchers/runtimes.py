"""How the servers of Node, Go, Java, PHP and Ruby are started: each runs a program of ours."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from support.daemon import program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from support.servers.case import Launcher
    from support.servers.place import Place

_PROGRAMS = Path(__file__).parents[1] / "programs"


def node(**options: object) -> Launcher:
    def start(at: Place) -> AbstractContextManager[subprocess.Popen[bytes]]:
        file = _PROGRAMS / "serve_node.js"
        return at.run(program("node"), file, at.descriptor, json.dumps(options))

    return start


def go(**options: object) -> Launcher:
    return lambda at: at.run(_built(), at.descriptor, json.dumps(options))


def java(**properties: object) -> Launcher:
    """Java's sockets can't be inherited by it."""

    def start(at: Place) -> AbstractContextManager[subprocess.Popen[bytes]]:
        set_so = [f"-Dsun.net.httpserver.{name}={value}" for name, value in properties.items()]
        quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.net.preferIPv4Stack=true"]
        return at.run_listener(
            program("java"), *quick, *set_so, "-cp", _compiled(), "ServeJava", at.port
        )

    return start


def php() -> Launcher:
    def start(at: Place) -> AbstractContextManager[subprocess.Popen[bytes]]:
        return at.run_listener(
            program("php"), "-S", f"127.0.0.1:{at.port}", _PROGRAMS / "serve_php.php"
        )

    return start


def puma(*settings: str) -> Launcher:
    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        file = at.folder / "puma.rb"
        own = (_PROGRAMS / "serve_puma.rb").read_text()
        bind = f'bind "tcp://127.0.0.1:{at.port}"'
        file.write_text("\n".join([own, bind, *settings, ""]))
        with at.run_listener(program("puma"), "-C", file) as process:
            yield process

    return start


@cache
def _built() -> Path:
    """Our program in Go, built once."""
    written = _scratch() / "serve_go"
    command = [program("go"), "build", "-o", str(written), str(_PROGRAMS / "serve_go.go")]
    subprocess.run(command, check=True)
    return written


@cache
def _compiled() -> Path:
    """Where our program in Java is, compiled once."""
    folder = _scratch()
    command = [program("javac"), "-d", str(folder), str(_PROGRAMS / "ServeJava.java")]
    subprocess.run(command, check=True)
    return folder


def _scratch() -> Path:
    """A folder that lasts as long as this process."""
    folder = TemporaryDirectory()
    _KEPT.append(folder)
    return Path(folder.name)


_KEPT: list[TemporaryDirectory[str]] = []
