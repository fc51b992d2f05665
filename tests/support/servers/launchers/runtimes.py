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
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from support.servers.case import Launcher
    from support.servers.place import Place

_PROGRAMS = Path(__file__).parents[1] / "programs"
_JAVA = Path("/usr/share/java")
_JARS = (
    "tomcat10-*.jar",
    *(f"jetty9-{part}.jar" for part in ("server", "http", "io", "util")),
    "servlet-api.jar",
)


def node(**options: object) -> Launcher:
    def start(at: Place) -> AbstractContextManager[subprocess.Popen[bytes]]:
        file = _PROGRAMS / "serve_node.js"
        return at.run(program("node"), file, at.descriptor, json.dumps(options))

    return start


def go(**options: object) -> Launcher:
    return lambda at: at.run(_built(), at.descriptor, json.dumps(options))


def java(**properties: object) -> Launcher:
    """The JDK's own server."""
    set_so = [f"-Dsun.net.httpserver.{name}={value}" for name, value in properties.items()]
    return _java("ServeJava", set_so)


def jetty(**properties: object) -> Launcher:
    set_so = [f"-Djetty.{name.replace('_', '.')}={value}" for name, value in properties.items()]
    return _java("ServeJetty", set_so)


def tomcat(**attributes: object) -> Launcher:
    """With attributes of its connector."""
    return _java("ServeTomcat", [], *(f"{name}={value}" for name, value in attributes.items()))


def _java(name: str, set_so: Sequence[str], *arguments: str) -> Launcher:
    """One of our programs in Java, whose sockets can't be inherited."""

    def start(at: Place) -> AbstractContextManager[subprocess.Popen[bytes]]:
        quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.net.preferIPv4Stack=true"]
        classes = ["-cp", f"{_compiled(name)}:{_libraries()}"]
        command = [program("java"), *quick, *set_so, *classes, name]
        return at.run_listener(*command, at.port, at.folder, *arguments)

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
def _compiled(name: str) -> Path:
    """Where our program in Java is, compiled once."""
    folder = _scratch()
    compiler = [program("javac"), "-nowarn", "-cp", _libraries(), "-d", str(folder)]
    subprocess.run([*compiler, str(_PROGRAMS / f"{name}.java")], check=True)
    return folder


def _libraries() -> str:
    """Those of Tomcat and Jetty, as Debian has them."""
    found = [it for pattern in _JARS for it in sorted(_JAVA.glob(pattern))]
    return ":".join(map(str, found))


def _scratch() -> Path:
    """A folder that lasts as long as this process."""
    folder = TemporaryDirectory()
    _KEPT.append(folder)
    return Path(folder.name)


_KEPT: list[TemporaryDirectory[str]] = []
