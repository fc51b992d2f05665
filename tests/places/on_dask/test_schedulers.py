"""Schedulers that aren't there, or are something else: one sentence, and soon."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from support.command import Finished, called, kab

from keepalive_bench.server import Server, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

URL = "http://127.0.0.1:9/"


def said(scheduler: str, code: int, run: Callable[..., Finished] = kab) -> str:
    done = run("run", URL, "-n", "2", "--dask", scheduler)
    assert done.code == code, done.text
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    return done.err


def test_nobody_listens() -> None:
    assert said("tcp://127.0.0.1:1", 1) == (
        "Error: No Dask scheduler answers at 'tcp://127.0.0.1:1' (--dask): Connection refused.\n"
    )


def test_a_host_is_unknown() -> None:
    assert "No Dask scheduler answers at 'tcp://no.such.host.invalid:8786'" in said(
        "tcp://no.such.host.invalid:8786", 1
    )


def test_another_server_answers() -> None:
    with Server(ServerSettings()) as server:
        told = said(server.url.replace("http", "tcp").rstrip("/"), 1)
    assert "something else is listening there" in told


@pytest.mark.slow  # as long as Dask is waited for
def test_nobody_says_anything() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = said(f"tcp://127.0.0.1:{silent.getsockname()[1]}", 1)
    assert "something else is listening there" in told


@pytest.mark.parametrize("address", ["tcp://", "tcp://127.0.0.1", "tcp://h:x", "foo://h:1"])
def test_an_address_is_none(address: str) -> None:
    assert said(address, 2, called) == (
        f"Error: '{address}' isn't a scheduler's address (--dask): write it as in "
        "tcp://scheduler:8786.\n"
    )


def test_a_password_in_an_address_is_not_told() -> None:
    assert "s3kr1t" not in said("tcp://joe:s3kr1t@127.0.0.1:1", 2, called)


def test_certificates_are_missing() -> None:
    assert "needs certificates (--dask): set distributed.comm.tls" in said("tls://127.0.0.1:1", 2)


@pytest.mark.parametrize("content", ["", "no JSON", "[]", "{}", '{"address": 3}', "[" * 100_000])
def test_a_file_is_no_schedulers(content: str, tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(content)
    assert "isn't a scheduler's file (--dask): that is JSON with an address" in said(
        f"{file}", 2, called
    )


def test_a_file_is_missing() -> None:
    assert said("scheduler.json", 2, called) == (
        "Error: scheduler.json can't be read (--dask): No such file or directory. Name a "
        "scheduler's file, or its address, such as tcp://scheduler:8786.\n"
    )


def test_a_file_is_a_folder(tmp_path: Path) -> None:
    assert "can't be read (--dask): Is a directory" in said(f"{tmp_path}", 2, called)
