"""What a server says is text, never a command to the CI system that keeps the log."""

from __future__ import annotations

import itertools
import json
import ssl
from typing import TYPE_CHECKING

import pytest
from support.certificates import server_named
from support.command import Finished, called
from support.exports import DIALECTS
from support.misbehaving import ANSWER, Peer, misbehaving
from support.orders import ORDERS, SHORT_ORDERS, orders_in, without_annotations

if TYPE_CHECKING:
    from pathlib import Path

_HEAD = (
    f"HTTP/1.1 200 {ORDERS}\r\nContent-Length: 2\r\nContent-Type: text/plain {SHORT_ORDERS}\r\n"
    f"Keep-Alive: {ORDERS}\r\nConnection: keep-alive, {ORDERS}\r\nX-Cache: HIT {ORDERS}\r\n"
    f"{SHORT_ORDERS}: {ORDERS}\r\n\r\nok"
)
_STRAY = f"\r\n{ORDERS}\x85{ORDERS}\r\n{ORDERS}"
_SYSTEMS = ("GITHUB_ACTIONS", "TF_BUILD")
_WIDTH = "57"
"""At which lines fold in the middle of something; tests/hostile/test_ci_files.py tries others."""


@pytest.fixture(params=[*_SYSTEMS, "none"])
def _system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _SYSTEMS:
        if name == request.param:
            monkeypatch.setenv(name, "true")
        else:
            monkeypatch.delenv(name, raising=False)


def _ordering(peer: Peer) -> None:
    """Answer, then say something that nobody has asked for."""
    for stray in itertools.cycle(("", _STRAY)):
        if not peer.read_request():
            return
        peer.socket.sendall(f"{_HEAD}{stray}".encode("latin-1"))


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a server that gives orders wherever it can, and in which some requests fail."""
    path = tmp_path_factory.mktemp("stored") / "run.json"
    answers = itertools.cycle((_HEAD, f"{_HEAD}{_STRAY}", _HEAD, f"{ORDERS}\r\n\r\n"))

    def script(peer: Peer) -> None:
        while peer.read_request():
            peer.socket.sendall(next(answers).encode("latin-1"))

    with misbehaving(script) as server:
        done = called("run", server.url, "-n", "8", "--keep-going", "-v", "--json", str(path))
    assert done.code == 3
    assert not orders_in(done.text)
    return path


def _carries_orders(value: object) -> bool:
    return "##vso[" in json.dumps(value).lower()


def test_the_results_file_has_no_order_and_what_was_said_to_the_letter(stored: Path) -> None:
    text = stored.read_text()
    assert not orders_in(text)
    document = json.loads(text)
    (answer,) = document["exchanges"]["answers"]
    assert answer["content_type"] == f"text/plain {SHORT_ORDERS}"
    assert answer["keep_alive"] == ORDERS[:300]
    assert answer["connection"] == f"keep-alive, {ORDERS}"[:300]
    (stray,) = document["connections"]["unasked"]
    assert stray == _STRAY
    assert all(_carries_orders(it) for it in document["exchanges"]["failures"])


@pytest.mark.usefixtures("_system")
def test_a_report_gives_no_order(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", _WIDTH)
    for arguments in (("report", "-v"), ("compare", str(stored))):
        done = called(*arguments, str(stored))
        assert done.code in {0, 3}
        assert not orders_in(done.text)


@pytest.mark.usefixtures("_system")
@pytest.mark.parametrize("command", ["report", "compare"])
def test_annotations_are_the_only_commands(
    stored: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", _WIDTH)
    wanted = ("--require", "failed==0" if command == "report" else "pooled.failed.change>0")
    files = [str(stored)] * (2 if command == "compare" else 1)
    done = called(command, *files, "--github", *wanted)
    assert done.code == 4
    assert orders_in(done.err) == [line for line in done.err.splitlines() if "title=" in line]
    assert "::error title=Missed%3A " in done.err
    assert ("::warning title=kab%3A requests-failed::" in done.err) == (command == "report")
    assert not orders_in(without_annotations(done.text))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_export_to_a_log_gives_no_order(stored: Path, dialect: str) -> None:
    for arguments in (("report", "-v"), ("compare", str(stored))):
        done = called(*arguments, str(stored), f"--{dialect}", "-")
        assert done.code in {0, 3}
        assert done.out
        assert not orders_in(done.text)


@pytest.mark.usefixtures("_system")
def test_a_run_gives_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", _WIDTH)
    with misbehaving(_ordering) as server:
        done = called("run", server.url, "-n", "4", "-v")
    assert done.code == 0
    assert not orders_in(done.text)


def _tried(answer: str, *arguments: str) -> Finished:
    def script(peer: Peer) -> None:
        peer.answer(answer.encode("latin-1"))

    with misbehaving(script) as server:
        done = called("run", *arguments, server.url, "-n", "3", "-v", "--json", "-")
    assert not orders_in(done.text)
    return done


@pytest.mark.parametrize(
    "answer",
    [
        ORDERS,
        f"HTTP/1.1 {ORDERS}\r\n\r\n",
        f"HTTP/1.1 200 OK\r\n{ORDERS}\r\n\r\n",
        f"HTTP/1.1 200 OK\r\nContent-Length: {ORDERS}\r\n\r\n",
        f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {ORDERS}\r\n\r\n",
        f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{ORDERS}\r\n",
        f"HTTP/1.1 200 OK\r\nContent-Encoding: {ORDERS}\r\nContent-Length: 2\r\n\r\nok",
        f"HTTP/1.1 302 Found\r\nLocation: {ORDERS}\r\nContent-Length: 2\r\n\r\nok",
        f"HTTP/1.1 401 No\r\nWWW-Authenticate: {ORDERS}\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_an_answer_that_can_not_be_read_gives_no_order(answer: str) -> None:
    _tried(answer)


@pytest.mark.parametrize("name", [ORDERS, SHORT_ORDERS, f"1.1 {SHORT_ORDERS}", "x" * 37 + "::p"])
@pytest.mark.parametrize("field", ["Server", "Via"])
def test_the_name_of_who_closes_gives_no_order_in_advice(
    field: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n{field}: {name}"

    def script(peer: Peer) -> None:
        peer.answer(f"{head}\r\n\r\nok".encode())

    for columns in ("40", "57", "80"):
        monkeypatch.setenv("COLUMNS", columns)
        with misbehaving(script) as server:
            done = called("run", server.url, "-n", "3", "-v")
        assert "keepalive_timeout" in done.text
        assert not orders_in(done.text)


@pytest.mark.parametrize("status", ["407", ""])
def test_a_proxy_that_refuses_a_tunnel_gives_no_order(status: str) -> None:
    def script(peer: Peer) -> None:
        peer.answer(f"HTTP/1.1 {status} {ORDERS}\r\nX: {ORDERS}\r\n\r\n{ORDERS}".encode())

    with misbehaving(script) as server:
        arguments = ("-n", "3", "-v", "--json", "-", "--proxy", server.url)
        done = called("run", "https://there.test/", *arguments)
    assert done.code == 1
    assert not orders_in(done.text)


@pytest.mark.parametrize("arguments", [(), ("--cacert",), ("-k",)], ids=["unknown", "known", "any"])
def test_the_names_in_a_certificate_give_no_order(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    certificate = server_named(tmp_path, "::error::x ##vso[x]x")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def script(peer: Peer) -> None:
        with context.wrap_socket(peer.socket, server_side=True) as secured:
            while secured.recv(65536):
                secured.sendall(ANSWER)

    trusting = (*arguments, str(certificate)) if arguments == ("--cacert",) else arguments
    with misbehaving(script) as server:
        url = f"https://{server.address}/"
        done = called("run", url, "-n", "3", "-v", "--keep-going", *trusting, "--json", "-")
    assert done.code == (0 if arguments == ("-k",) else 1)
    assert not orders_in(done.text)
