"""Every option that is declared is obeyed: its example has its effect, and nothing else has it."""

from __future__ import annotations

import json
import re
import shlex
import socket
import ssl
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import click
import pytest
from support.certificates import PASSPHRASE, Client, client
from support.command import PROGRESS, Finished, called
from support.command import kab as kab_itself
from support.exports import stored
from support.misbehaving import ANSWER, Misbehaving, Peer, misbehaving
from support.runs import URL, Script
from support.served import served

from keepalive_bench import Request, Target
from keepalive_bench.cli import kab
from keepalive_bench.cli.options import Declared
from keepalive_bench.plan.fields import options_of
from keepalive_bench.plan.plan import Plan
from keepalive_bench.plan.sweeping import OWN
from keepalive_bench.server import CERTIFICATE, Behaviour, ServerProcess, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keepalive_bench import Run
    from keepalive_bench.plan.options import Option

SHARED = {it.name for it in options_of(Plan)} - {it.name for it in OWN}
"""Options of a plan that a sweep obeys as a run does."""


def declared() -> Iterator[tuple[str, Option[Any]]]:
    """Every option of every command."""
    context = click.Context(kab, **kab.context_settings)
    for name in kab.list_commands(context):
        command = kab.get_command(context, name)
        assert command is not None
        for it in command.params:
            if not isinstance(it, click.Argument):
                assert isinstance(it, Declared), f"{name} has {it.name}, which has no example"
                yield name, it.declared


EVERY = [
    pytest.param(name, option, id=f"{name} --{option.name}")
    for name, option in declared()
    if name != "sweep" or option.name not in SHARED
]
IDLE: int = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", 0))  # or macOS's name
_SLOW = Behaviour(delay_s=0.004)
_NETRC = "machine 127.0.0.1 login net password rc\n"
_OPTIONS = "header = 'X-From: file'\n[runs.named]\nheader = 'X-From: named run'\n"
_TRACED = """
import sys, urllib.request
for _ in range(2):
    urllib.request.urlopen(sys.argv[1]).read()
"""
"""A program that opens a connection for each request."""
_TINY = ["--maxsize", "1,2", "-c", "1", "-n", "2"]
"""A sweep, where an example is of none."""


@dataclass
class Place:
    """What examples name in braces, and where their requests arrive."""

    folder: Path
    server: ServerProcess
    tls: Misbehaving
    words: dict[str, str]
    subjects: list[str] = field(default_factory=list)
    """Of the certificates that clients showed."""
    hellos: list[bytes] = field(default_factory=list)
    known: dict[tuple[str, ...], Seen] = field(default_factory=dict)
    """What came of commands that many options are compared with."""

    def arguments(self, command: str, url: str, words: list[str]) -> list[str]:
        """What an example's words follow."""
        if command == "run":
            return [url] if {"-n", "-z", "--precision"} & {*words} else [url, "-n", "5"]
        if command == "probe":
            return [url] if "--max-idle" in words else [url, "--max-idle", "100ms"]
        if command == "sweep":
            return [url] if "-n" in words else [url, *_TINY]
        files = {
            "report": ("base",),
            "compare": ("base", "new", "other"),
            "places": ("base", "new"),
        }
        return [str(self.folder / name) for name in files.get(command, ())]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What came of a command."""

    done: Finished
    document: dict[str, Any]
    written: str
    """The file that an example names."""
    sockets: list[dict[str, int]]
    addresses: list[str]
    """From which clients sent."""
    requests: list[str]
    hellos: list[bytes]
    subjects: list[str]


def as_text(record: dict[str, Any]) -> str:
    fields = [f"{name}: {value}" for name, value in record["headers"]]
    return "\n".join([record["request"], *fields, record["body"]])


def in_document(seen: Seen, what: str) -> bool:
    """`path.to[0].it == value`, with other comparisons; values are JSON, or bare words."""
    path, sign, text = what.split(" ", 2)
    value: Any = seen.document
    for name, index in re.findall(r"([\w-]+)|\[(\d+)\]", path):
        place: Any = name or int(index)
        if name not in value if name else place >= len(value):
            return False
        value = value[place]
    wanted: Any = text
    with suppress(ValueError):
        wanted = json.loads(text)
    if sign == "=~":
        return bool(re.search(text, value))
    if sign in {"==", "!="}:
        return bool((f"{value}" == text or value == wanted) is (sign == "=="))
    return bool({">": value > wanted, ">=": value >= wanted, "<": value < wanted}[sign])


def tls_alone(seen: Seen, what: str) -> bool:
    """Whether every ClientHello's supported_versions (RFC 8446, 4.2.1) have one version only."""
    assert what == "TLS 1.3 alone"
    alone = bytes.fromhex("002b0003020304")
    return bool(seen.hellos) and all(alone in hello for hello in seen.hellos)


def option_of_sockets(seen: Seen, what: str) -> bool:
    name, _, value = what.partition(" == ")
    return bool(seen.sockets) and all(it[name] == int(value) for it in seen.sockets)


OBSERVERS: dict[str, Callable[[Seen, str], bool]] = {
    "sent": lambda seen, what: any(what in it for it in seen.requests),
    "reached": lambda seen, _: seen.done.code == 0,
    "document": in_document,
    "said": lambda seen, what: what in " ".join(seen.done.text.split()),
    "unsaid": lambda seen, what: what not in seen.done.text,
    "unremarked": lambda seen, what: what not in seen.done.err,
    "written": lambda seen, what: what in seen.written,
    "served": lambda seen, what: what in seen.done.out + seen.written,
    "exit code": lambda seen, what: seen.done.code == int(what),
    "client": lambda seen, what: set(seen.addresses) == {what},
    "socket option": option_of_sockets,
    "offered": tls_alone,
    "shown of itself": lambda seen, what: what in seen.subjects,
}


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Client:
    return client(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def place(known: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("effects")
    (folder / "csv").write_text("from\nfile")
    (folder / "passphrase").write_text(PASSPHRASE)
    (folder / ".netrc").write_text(_NETRC)
    (folder / "options").write_text(_OPTIONS)
    (folder / "base").write_text(stored(run_of(0.01)))
    (folder / "new").write_text(stored(run_of(0.013)))
    (folder / "other").write_text(stored(run_of(0.011, "PUT")))
    (folder / "latest").write_text(stored(run_of(0.012)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, CERTIFICATE.with_suffix(".key"))
    context.load_verify_locations(known.cert)
    context.verify_mode = ssl.CERT_OPTIONAL

    def serve(peer: Peer) -> None:
        found.hellos.append(peer.socket.recv(65536, socket.MSG_PEEK))
        with context.wrap_socket(peer.socket, server_side=True) as secured:
            shown = secured.getpeercert() or {}
            subject: Any = shown.get("subject", ())
            found.subjects.extend("CN=" + name for ((_, name),) in subject)
            while secured.recv(65536):
                secured.sendall(ANSWER)

    with (
        ServerProcess(ServerSettings(behaviour=_SLOW, record=folder / "record")) as server,
        misbehaving(serve) as tls,
    ):
        port = int(server.url.rpartition(":")[2])
        words = {
            "url": server.url,
            "port": f"{port}",
            "ca": f"{CERTIFICATE}",
            "free": f"{free_port()}",
            **{
                name: f"{folder / name}"
                for name in ("csv", "passphrase", "options", "written", "latest", "records")
            },
            **{name: f"{getattr(known, name)}" for name in ("cert", "key", "locked", "both")},
        }
        found = Place(folder, server, tls, words)
        with unix_server(folder / "socket") as path:
            words["socket"] = path
            yield found


def run_of(latency_s: float, method: str = "GET") -> Run:
    """A run of two arms, the second of which takes 1.3 times as long."""
    script = Script(
        "pooled", "unpooled", plan=Plan(Target(URL), Request(method=method)), requests=40
    )
    shared = script.open("pooled")
    for number in range(40):
        jitter = 1 + number % 7 / 100
        script.send("pooled", latency_s * jitter, on=shared)
        script.send("unpooled", 1.3 * latency_s * jitter, on=script.open("unpooled"))
    return script.run()


@pytest.fixture
def look(place: Place, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Seen]:
    """Run a command with an example, and see what comes of it."""
    monkeypatch.setenv("HOME", str(place.folder))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.chdir(place.folder)
    sockets: list[dict[str, int]] = []
    addresses: list[str] = []
    sent_by = socket.socket.sendall

    def sendall(sock: socket.socket, *given: Any) -> None:  # noqa: ANN401  # as it takes
        if sock.family == socket.AF_INET and sock.getpeername()[1] == int(place.words["port"]):
            addresses.append(sock.getsockname()[0])
            sockets.append(
                {
                    # A switch that is on is any number but 0.
                    "TCP_NODELAY": bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)),
                    "SO_KEEPALIVE": bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)),
                    "TCP_KEEPIDLE": sock.getsockopt(socket.IPPROTO_TCP, IDLE),
                }
            )
        sent_by(sock, *given)

    monkeypatch.setattr(socket.socket, "sendall", sendall)

    def looked(command: str, url: str, words: list[str], where: str) -> Seen:
        record, written, document = (place.folder / it for it in ("record", "written", "run.json"))
        for file in (record, written, document):
            file.write_text("")
        place.subjects.clear()
        place.hellos.clear()
        given = [command, *place.arguments(command, url, words), *words]
        if command == "trace":
            done = traced(place, url, words, document if where != "written" else None)
        elif command == "demo":
            done = kab_itself(*given, env={"FORCE_COLOR": "1"})
        elif where == "served":
            done = Finished(code=0, out=served(*given), err="")
        elif where in {"unsaid", "unremarked"}:
            done = called(*given, env={**PROGRESS, "FORCE_COLOR": "1"})
        else:
            done = called(*given, *(["--json", str(document)] if where != "written" else []))
        records = map(json.loads, record.read_text("utf-8").splitlines())
        return Seen(
            done=done,
            document=json.loads(document.read_text("utf-8") or "{}"),
            written=written.read_bytes().decode(),
            sockets=sockets,
            addresses=addresses,
            requests=list(map(as_text, records)),
            hellos=place.hellos[:],
            subjects=place.subjects[:],
        )

    return looked


def traced(place: Place, url: str, words: list[str], document: Path | None) -> Finished:
    """Trace a program, unless the words say what else there is to do."""
    others = ["--json", str(document)] if document is not None else []
    program = [] if {"-m", "--read"} & {*words} else [sys.executable, "-c", _TRACED, url]
    if not Path(place.words["records"]).exists():
        kab_itself("trace", "--records", place.words["records"], sys.executable, "-c", "")
    return kab_itself("trace", *others, *words, *program, env={"FORCE_COLOR": "1"})


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class Answering(StreamRequestHandler):
    def handle(self) -> None:
        while (line := self.rfile.readline()) not in {b"", b"\r\n"} or line:
            if line == b"\r\n":
                self.wfile.write(ANSWER)


@contextmanager
def unix_server(path: Path) -> Iterator[str]:
    with ThreadingUnixStreamServer(str(path), Answering) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield str(path)
        server.shutdown()
        thread.join()


def without(option: Option[Any], words: list[str]) -> list[str]:
    """An example's words, but for the option's own."""
    kept: list[str] = []
    spellings = {*option.flags, option.off}
    skipped = False
    for word in words:
        if not skipped and word not in spellings:
            kept.append(word)
        skipped = word in spellings and option.form != "switch"
    return kept


@pytest.mark.parametrize(("command", "option"), EVERY)
def test_an_option_has_its_effect(
    command: str, option: Option[Any], place: Place, look: Callable[..., Seen]
) -> None:
    example, what, where = option.example
    words, what = shlex.split(example.format(**place.words)), what.format(**place.words)
    assert any(word in {*option.flags, option.off} for word in words)
    url = place.tls.url.replace("http:", "https:") if option.group == "TLS" else place.server.url
    url = what if where == "reached" else url
    seen = look(command, url, words, where)
    assert OBSERVERS[where](seen, what), seen.done.text
    others = without(option, words)
    key = (command, url, where, *others)
    alone = place.known[key] = place.known.get(key) or look(command, url, others, where)
    assert not OBSERVERS[where](alone, what), "it has that effect without the option, too"
