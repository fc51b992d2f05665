"""Credentials and tokens are sent, and are seen nowhere else."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
from server.wire import serving
from support.command import called
from support.exports import DIALECTS
from support.scripted_server import answering, response

if TYPE_CHECKING:
    from pathlib import Path

_SECRET = "s3kr1t"  # noqa: S105  # nobody's
_ENCODED = b64encode(f"someone:{_SECRET}".encode()).decode()
_SMALL = ("-n", "2", "--verbose")


@pytest.mark.parametrize(
    ("path", "arguments", "sent"),
    [
        ("/", ["-u", f"someone:{_SECRET}"], _ENCODED),
        ("/", ["-H", f"Authorization: Bearer {_SECRET}"], _SECRET),
        ("/", ["-H", f"Cookie: session={_SECRET}"], _SECRET),
        ("/", ["-H", f"X-Api-Key: {_SECRET}"], _SECRET),
        ("/", ["-H", f"Proxy-Authorization: Basic {_SECRET}"], _SECRET),
        (f"/?token={_SECRET}", [], _SECRET),
        (f"/?a=1&api_key={_SECRET}&b=2", [], _SECRET),
        ("/", ["-f", f"token={_SECRET}"], _SECRET),
        ("/", ["-f", f"access_token={_SECRET}-1", "-f", f"access_token={_SECRET}-2"], _SECRET),
        ("/", ["-d", f"password={_SECRET}"], _SECRET),
        ("/", ["--json-body", f'{{"password": "{_SECRET}"}}'], _SECRET),
        ("/", ["--bearer", _SECRET], f"Bearer {_SECRET}"),
        ("/", ["-b", f"session={_SECRET}"], f"session={_SECRET}"),
        (f"/p;jsessionid={_SECRET}?x=1", [], f"/p;jsessionid={_SECRET}?x=1"),
        (f"/?a=1;token={_SECRET}", [], f"a=1;token={_SECRET}"),
        ("/", ["-f", f"user[password]={_SECRET}", "-f", f"accessKey={_SECRET}"], _SECRET),
    ],
)
def test_a_secret_is_sent_and_not_shown(
    path: str, arguments: list[str], sent: str, tmp_path: Path
) -> None:
    record = tmp_path / "requests"
    files = [part for it in DIALECTS for part in (f"--{it}", str(tmp_path / it))]
    with serving(record=record) as server:
        url = server.url.rstrip("/") + path
        done = called("run", url, *arguments, *_SMALL, *files)
    assert done.code == 0, done.err
    assert sent in record.read_text()
    _assert_unseen(done.text, *((tmp_path / it).read_text("utf-8") for it in DIALECTS))


def test_credentials_in_the_url_are_sent_and_not_shown(tmp_path: Path) -> None:
    record, results = tmp_path / "requests", tmp_path / "run.json"
    with serving(record=record) as server:
        url = server.url.replace("//", f"//someone:{_SECRET}@")
        done = called("run", url, *_SMALL, "--json", str(results))
    assert done.code == 0, done.err
    assert _ENCODED in record.read_text()
    _assert_unseen(done.text, results.read_text())
    assert json.loads(results.read_text())["plan"]["url"] == f"{server.url}/"


def test_a_proxys_password_is_sent_and_not_shown(tmp_path: Path) -> None:
    record, results = tmp_path / "requests", tmp_path / "run.json"
    with serving(record=record) as proxy:
        url = proxy.url.replace("//", f"//someone:{_SECRET}@")
        arguments = ["-x", url, *_SMALL, "--json", str(results)]
        done = called("run", "http://there.test/", *arguments)
    assert done.code == 0, done.err
    assert _ENCODED in record.read_text()
    _assert_unseen(done.text, results.read_text())
    assert json.loads(results.read_text())["plan"]["proxy"] == proxy.url


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxys_password_is_not_shown_when_it_cannot_be_reached(
    refusing_url: str, scheme: str
) -> None:
    url = refusing_url.replace("//", f"//someone:{_SECRET}@")
    done = called("run", f"{scheme}://there.test/", "-x", url, "--verbose", "--json", "-")
    assert done.code == 1
    _assert_unseen(done.text)


def test_secrets_are_not_shown_when_nothing_could_be_measured(refusing_url: str) -> None:
    url = refusing_url.replace("//", f"//someone:{_SECRET}@")
    done = called("run", f"{url}?token={_SECRET}", "-H", f"Cookie: a={_SECRET}", "--json", "-")
    assert done.code == 1
    _assert_unseen(done.text)


def test_secrets_are_not_shown_in_the_announcement() -> None:
    with answering(response()) as server:
        url = server.url.replace("//", f"//someone:{_SECRET}@")
        done = called("run", f"{url}?token={_SECRET}", "-X", "DELETE", "-n", "1")
    assert "DELETE" in done.err
    _assert_unseen(done.text)


@pytest.mark.parametrize(
    "arguments",
    [
        [f"someone:{_SECRET}@127.0.0.1/"],
        [f"http:/someone:{_SECRET}@127.0.0.1/"],
        [f"http://someone:{_SECRET}@/"],
        [f"http://someone:{_SECRET}@127.0.0.1:99999/"],
        [f"http://someone:{_SECRET}@127.0.0.1:port/"],
        [f"http://someone:{_SECRET}@127.0.0.1/a b"],
        [f"http://someone:{_SECRET}@::1/"],
        [f"http://someone:a/{_SECRET}@127.0.0.1/"],
        [f"http://someone:a?{_SECRET}@127.0.0.1/"],
        [f"http://someone:a#{_SECRET}@127.0.0.1/"],
        [f"http://someone:a@{_SECRET}@127.0.0.1:99999/"],
        [f"http://127.0.0.1:99999/?token={_SECRET}"],
        [f"http://127.0.0.1/?token={_SECRET} "],
        [f"ftp://someone:{_SECRET}@127.0.0.1/?token={_SECRET}"],
        ["http://127.0.0.1/", "-H", f"Authorization Bearer {_SECRET}"],
        ["http://127.0.0.1/", "-H", f"Authorization Bearer {_SECRET}:a"],
        ["http://127.0.0.1/", "-H", f"Authorization: {_SECRET}\na"],
        ["http://127.0.0.1/", "-H", "Authorization:", "Bearer", _SECRET],
        ["http://127.0.0.1/", "-u", _SECRET],
        [f"http://someone:80#{_SECRET}@127.0.0.1/"],
        ["http://127.0.0.1/", "-x", f"http://someone:a#{_SECRET}@127.0.0.1/"],
        ["http://127.0.0.1/", "-x", f"http://some.one:80/{_SECRET}@127.0.0.1/"],
        ["http://127.0.0.1/", "-f", _SECRET],
        ["http://127.0.0.1/", "-f", f"={_SECRET}"],
        ["http://127.0.0.1/", "-b", _SECRET],
        ["-z", f"http://someone:{_SECRET}@127.0.0.1/"],
        ["http://127.0.0.1/", "--arm", f"http://someone:a#{_SECRET}@127.0.0.1/"],
        ["-n", f"http://someone:{_SECRET}@127.0.0.1/"],
        ["--order", f"http://someone:a/{_SECRET}@127.0.0.1/"],
        ["--cacert", f"http://someone:{_SECRET}@127.0.0.1/"],
        [f"-nhttp://someone:{_SECRET}@127.0.0.1/"],
        [f"--requests=http://someone:{_SECRET}@127.0.0.1/"],
        [f"--http://someone:{_SECRET}@127.0.0.1/"],
        ["http://127.0.0.1/", "--json", f"http://someone:{_SECRET}@127.0.0.1/"],
        ["http://127.0.0.1/", "--config", f"http://someone:{_SECRET}@127.0.0.1/"],
    ],
)
def test_a_mistake_does_not_show_the_secret_beside_it(arguments: list[str]) -> None:
    done = called("run", *arguments)
    assert done.code == 2
    _assert_unseen(done.text)


@pytest.mark.parametrize("command", ["", "report", "compare", "serve", "rnu"])
def test_a_url_in_a_wrong_place_does_not_show_its_password(command: str) -> None:
    url = f"http://someone:a#{_SECRET}@127.0.0.1/"
    done = called(*command.split(), url, *([url] if command == "compare" else []))
    assert done.code == 2
    _assert_unseen(done.text)


def test_a_bad_url_in_a_file_or_a_variable_does_not_show_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://someone:a#{_SECRET}@127.0.0.1/"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kab.toml").write_text(f"proxy = '{url}'\n[runs.it]\nurl = '{url}'\n")
    monkeypatch.setenv("KAB_SWEEP_URL", url)
    monkeypatch.setenv("KAB_REPORT_PATH", url)
    monkeypatch.setenv("KAB_COMPARE_CONFIDENCE", url)
    commands = [
        ["run", "http://127.0.0.1/"],
        ["run", "--run", "it", "--proxy", ""],
        *(["sweep"], ["report"], ["compare", "a", "b"]),
    ]
    for arguments in commands:
        done = called(*arguments)
        assert done.code == 2
        _assert_unseen(done.text)


def _assert_unseen(*outputs: str) -> None:
    for output in outputs:
        assert _SECRET not in output
        assert _ENCODED not in output
