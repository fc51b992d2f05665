"""What the user wrote, as values."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import serving
from support.command import COMMAND, called

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.server import ServerProcess

_ONE = ("-n", "1", "--warmup", "0", "--arm", "pooled")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _recorded(tmp_path: Path, *arguments: str, stdin: bytes = b"") -> list[dict[str, Any]]:
    """The requests that a run sends, as the server saw them."""
    record = tmp_path / "record"
    with serving(record=record) as server:
        done = called("run", server.url, *arguments, stdin=stdin)
    assert done.code == 0, done.err
    return [json.loads(line) for line in record.read_text().splitlines()]


def _sent_body(tmp_path: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    (request,) = _recorded(tmp_path, *_ONE, *arguments, stdin=stdin)
    body = request["body"]
    assert isinstance(body, str)
    return body.encode("latin-1")


class TestFields:
    def test_rows_are_sent_in_turns_the_same_by_every_arm(self, tmp_path: Path) -> None:
        (tmp_path / "f.csv").write_text("q\na b\nü&=\n")
        sent = _recorded(tmp_path, "--fields-file", "f.csv", "-n", "3", "--warmup", "0")
        paths = [request["request"].split(" ")[1] for request in sent]
        assert sorted(paths) == sorted(["/?q=a%20b", "/?q=%C3%BC%26%3D", "/?q=a%20b"] * 2)

    def test_values_are_cycled_through_request_by_request(self, tmp_path: Path) -> None:
        fields = ("-f", "q=a", "-f", "q=b", "-f", "v=1")
        sent = _recorded(tmp_path, *fields, "-n", "3", "--warmup", "0", "--arm", "pooled")
        paths = [request["request"].split(" ")[1] for request in sent]
        assert paths == ["/?q=a&v=1", "/?q=b&v=1", "/?q=a&v=1"]


class TestBody:
    def test_a_file_is_sent_byte_for_byte(self, tmp_path: Path) -> None:
        content = bytes(range(256)) + b"\r\n\x00\n\r"
        (tmp_path / "body").write_bytes(content)
        assert _sent_body(tmp_path, "-d", "@body") == content

    @pytest.mark.parametrize("spelling", ["-", "@-"])
    def test_standard_input_is_sent_byte_for_byte(self, tmp_path: Path, spelling: str) -> None:
        content = b"\x00\r\n\xff"
        assert _sent_body(tmp_path, "-d", spelling, stdin=content) == content

    def test_an_empty_body_is_one(self, tmp_path: Path) -> None:
        (request,) = _recorded(tmp_path, *_ONE, "-d", "")
        assert request["request"].startswith("POST ")
        assert ["Content-Length", "0"] in request["headers"]


class TestHeaders:
    def test_all_are_sent_the_same_name_twice_too(self, tmp_path: Path) -> None:
        fields = ("-H", "X-Test: a", "-H", "X-Test: ü", "-A", "me/1", "-u", "a:b:c")
        (request,) = _recorded(tmp_path, *_ONE, *fields)
        sent = [(name, value.encode("latin-1")) for name, value in request["headers"]]
        values = [value for name, value in sent if name == "X-Test"]
        assert b", ".join(values) == "a, ü".encode()
        assert ("User-Agent", b"me/1") in sent
        assert ("Authorization", b"Basic YTpiOmM=") in sent  # base64 of a:b:c


def test_a_password_is_not_asked_for_where_there_is_no_terminal(server: ServerProcess) -> None:
    done = called("run", server.url, "-u", "someone")
    assert done.code == 2
    assert "password" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-d", "-"], "Standard input can't be read (-d): it is closed."),
        (["--json-body", "-"], "Standard input can't be read (--json-body): it is closed."),
        (["-u", "me"], "-u has no password, and there is no terminal to ask for it"),
        (["--cert", "locked.pem"], "locked.pem has a passphrase: give it in a file"),
    ],
)
def test_where_standard_input_is_closed_that_is_said(
    options: list[str], said: str, tmp_path: Path
) -> None:
    (tmp_path / "locked.pem").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    command = ["sh", "-c", 'exec "$0" "$@" <&-', *COMMAND, "run", "http://127.0.0.1:9/", *options]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"Error: {said}")


def test_json_without_end_is_none() -> None:
    done = called("run", "http://127.0.0.1:9/", "--json-body", "[" * 100_000)
    said = "Error: The body isn't JSON (--json-body): it is nested too deep.\n"
    assert (done.code, done.out, done.err) == (2, "", said)


@pytest.mark.parametrize("text", ["1e308", "nan", "0", "300h"])
def test_a_timeout_without_bounds_is_refused(text: str) -> None:
    done = called("run", "http://127.0.0.1:9/", "--timeout", text)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "timeout must be above 0 s and at most 1,000,000 s, not " in done.err
