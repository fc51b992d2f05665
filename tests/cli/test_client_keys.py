"""A client's key with a passphrase: from a file, or asked for on a terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from support.certificates import PASSPHRASE, Client, client
from support.command import COMMAND, TIMEOUT_S, Finished, called, environment
from support.nginx import Nginx, nginx

from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
needs_setsid = pytest.mark.skipif(shutil.which("setsid") is None, reason="needs util-linux")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Client:
    return client(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def asking(known: Client) -> Iterator[Nginx]:
    with nginx(f"ssl_client_certificate {known.cert}; ssl_verify_client on;") as server:
        yield server


def options(server: Nginx, known: Client) -> list[str]:
    return [
        *("run", server.https, "--cacert", str(CERTIFICATE), "-n", "1", "--verbose"),
        *("--expect-status", "200", "--cert", str(known.cert), "--key", str(known.locked)),
    ]


def typed(passphrase: str, *arguments: str) -> Finished:
    """Run kab on a terminal of its own, on which somebody types when asked."""
    ours, theirs = os.openpty()
    command = ["setsid", "--ctty", "--wait", *COMMAND, *arguments]
    with subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=environment()
    ) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # so Linux says that nobody writes to it any more
            while part := os.read(ours, 1000):
                shown += part
                if shown.endswith(b": "):
                    os.write(ours, passphrase.encode() + b"\n")
        out, _ = process.communicate(timeout=TIMEOUT_S)
        os.close(ours)
    return Finished(code=process.returncode, out=out.decode(), err=shown.decode())


def test_the_passphrase_is_read_from_a_file(asking: Nginx, known: Client, tmp_path: Path) -> None:
    results, file = tmp_path / "run.json", tmp_path / "passphrase"
    file.write_text(f"{PASSPHRASE}\n")
    given = ["--key-password-file", str(file), "--json", str(results)]
    done = called(*options(asking, known), *given)
    assert done.code == 0, done.err
    assert PASSPHRASE not in done.text + results.read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"wr0ng", "the passphrase is wrong"),
        (b"", "the passphrase is wrong"),
        (b"\xff", "is not UTF-8"),
    ],
)
def test_a_wrong_passphrase_is_a_mistake_that_is_not_shown(
    asking: Nginx, known: Client, content: bytes, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes(content)
    done = called(*options(asking, known), "--key-password-file", str(file))
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "wr0ng" not in done.err


def test_without_a_terminal_it_is_not_asked_for(asking: Nginx, known: Client) -> None:
    done = called(*options(asking, known))
    assert (done.code, done.out) == (2, "")
    assert "has a passphrase: give it in a file (--key-password-file)" in done.err


@needs_setsid
def test_on_a_terminal_it_is_asked_for_and_not_shown(asking: Nginx, known: Client) -> None:
    done = typed(PASSPHRASE, *options(asking, known))
    assert done.code == 0, done.text
    assert f"Passphrase of {known.locked}: " in done.err
    assert PASSPHRASE not in done.text


@needs_setsid
def test_a_wrong_one_typed_is_a_mistake(asking: Nginx, known: Client) -> None:
    done = typed("wr0ng", *options(asking, known))
    assert done.code == 2, done.text
    assert "the passphrase is wrong" in done.err
    assert "wr0ng" not in done.text
