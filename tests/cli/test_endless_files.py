"""Files without end, or too large to be read whole: one sentence, and no MemoryError."""

from __future__ import annotations

import os
import resource
import subprocess
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from support.command import COMMAND, TIMEOUT_S, called, environment

from keepalive_bench.cli import reading
from keepalive_bench.server import CERTIFICATE, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

_URL = "http://127.0.0.1:9/"
_MEMORY, _LARGEST_BODY = 2**31, 2**22


def _confined() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def test_an_endless_standard_input_is_refused_within_little_memory() -> None:
    with Path("/dev/zero").open("rb") as source:
        done = subprocess.run(
            [*COMMAND, "run", _URL, "-d", "-"],
            stdin=source,
            capture_output=True,
            timeout=3 * TIMEOUT_S,
            env=environment(),
            preexec_fn=_confined,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: Standard input is too large (-d): 256.0 MiB are the most.\n"


@contextmanager
def _two_gibibytes_at_most() -> Iterator[None]:
    """Of memory, beside what this process has taken: what reads without end ends soon."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + _MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _refused(*arguments: str, stdin: bytes = b"") -> str:
    """What a command says; a body may have 4 MiB."""
    with _two_gibibytes_at_most(), patch.object(reading, "LARGEST_BODY", _LARGEST_BODY):
        done = called(*arguments, stdin=stdin)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done.err
    return done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["-d", "@/dev/zero"],
        ["-d", "@-"],
        ["-d", "a=1", "-d", "@/dev/zero"],
        ["--json-body", "@/dev/zero"],
        ["--json-body", "-"],
    ],
    ids=" ".join,
)
def test_an_endless_body_is_refused(arguments: list[str]) -> None:
    said = _refused("run", _URL, *arguments, stdin=bytes(_LARGEST_BODY + 1))
    assert f" is too large ({arguments[-2]}): 4.0 MiB are the most." in said


@pytest.mark.parametrize("option", ["--fields-file", "--key-password-file"])
def test_an_endless_file_is_refused(option: str) -> None:
    said = _refused("run", _URL, option, "/dev/zero")
    assert said == f"Error: /dev/zero is too large ({option}): 64.0 MiB are the most.\n"


@pytest.mark.parametrize("option", ["--cacert", "--cert", "--key"])
def test_a_device_is_no_certificate(option: str) -> None:
    cert = ["--cert", str(CERTIFICATE)] if option == "--key" else []
    said = _refused("run", _URL, *cert, option, "/dev/zero")
    assert said == f"Error: /dev/zero is a device ({option}): name a file.\n"


@pytest.mark.parametrize("option", ["--certificate", "--key"])
def test_nor_is_it_a_servers(option: str) -> None:
    said = _refused("serve", "--tls", option, "/dev/zero")
    assert said == f"Error: /dev/zero is a device ({option}): name a file.\n"


def test_a_device_cannot_be_uploaded() -> None:
    done = called("run", _URL, "-T", "/dev/zero")
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("Error: /dev/zero isn't a regular file (--upload-file).\n")


@pytest.mark.parametrize(
    ("option", "most"),
    [
        ("-d", "4.0"),
        *((option, "64.0") for option in ("--fields-file", "--cacert", "--key-password-file")),
    ],
)
def test_a_huge_file_is_refused(option: str, most: str, tmp_path: Path) -> None:
    huge = tmp_path / "huge"
    huge.touch()
    os.truncate(huge, 2**40)
    said = _refused("run", _URL, option, f"@{huge}" if option == "-d" else str(huge))
    assert f"huge is too large ({option}): {most} MiB are the most." in said


def test_a_netrc_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").symlink_to("/dev/zero")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ".netrc is a device (--netrc): name a file." in _refused("run", _URL, "--netrc")


def test_a_file_of_more_rows_than_anybody_needs_is_refused(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("q\n" + "a\n" * 1_000_001)
    said = _refused("run", _URL, "--fields-file", str(rows))
    assert said.endswith("rows.csv has more than 1,000,000 rows (--fields-file).\n")


@contextmanager
def _piped(path: Path, content: bytes) -> Iterator[str]:
    os.mkfifo(path)
    writer = Thread(target=path.write_bytes, args=(content,), daemon=True)
    writer.start()
    yield str(path)
    writer.join(TIMEOUT_S)
    assert not writer.is_alive()


def test_what_is_read_may_be_a_pipe(server: ServerProcess, tmp_path: Path) -> None:
    with _piped(tmp_path / "body", b"x" * 100_000) as body:
        done = called("run", server.url, "-n", "2", "-d", f"@{body}")
        assert done.code == 0, done.err
    with _piped(tmp_path / "fields", b"q\na\n") as fields:
        done = called("run", server.url, "-n", "2", "--fields-file", fields)
        assert done.code == 0, done.err


def test_certificates_may_come_through_a_pipe(tls_server: ServerProcess, tmp_path: Path) -> None:
    with _piped(tmp_path / "ca", tls_server.certificate.read_bytes()) as ca:
        done = called("run", tls_server.url, "-n", "2", "--cacert", ca)
        assert done.code == 0, done.err
