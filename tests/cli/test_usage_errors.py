"""What makes no sense: exit code 2, one sentence, and nothing is sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.command import Finished, called, kab

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.server import ServerProcess

_URL = "URL"  # stands for the server's own


def _is_one_sentence(done: Finished) -> bool:
    return done.err.count("\n") == 1 and done.err.endswith("\n") and "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["127.0.0.1:8000/"], "no scheme"),
        (["localhost"], "no scheme"),
        (["//127.0.0.1/"], "no scheme"),
        (["ftp://127.0.0.1/"], "http and https"),
        (["http://127.0.0.1:0/"], "port"),
        (["http://127.0.0.1:65536/"], "port"),
        (["http://127.0.0.1:eighty/"], "port"),
        (["http://127.0.0.1:-1/"], "port"),
        (["http://::1/"], "brackets"),
        (["http://::1:8000/"], "brackets"),
        (["http://[::1/"], "brackets"),
        (["http://[::zz]/"], ""),
        (["http:///path"], "no host"),
        (["http://127.0.0.1/a b"], "blank"),
        (["http://127.0.0.1/\n"], "control character"),
        (["http://127.0.0.1/\x1b[31m"], "control character"),
        ([""], ""),
        ([_URL, "-H", "X-Test"], "no colon"),
        ([_URL, "-H", "X-Test: a\r\nb: c"], "control character"),
        ([_URL, "-H", "X-Test: a\nb"], "control character"),
        ([_URL, "-H", "X Test: a"], "can't be called"),
        ([_URL, "-H", ": a"], "can't be called"),
        ([_URL, "-A", "a\nb"], "control character"),
        ([_URL, "-X", "GE T"], "method"),
        ([_URL, "-X", ""], "method"),
        ([_URL, "--requests", "0"], "requests"),
        ([_URL, "-n", "-1"], "requests"),
        ([_URL, "-n", "many"], "many"),
        ([_URL, "-c", "0"], "concurrency"),
        ([_URL, "--maxsize", "0"], "maxsize"),
        ([_URL, "--maxsize", "-5"], "maxsize"),
        ([_URL, "--warmup", "-1"], "warmup"),
        ([_URL, "--seed", "-1"], "seed"),
        ([_URL, "-t", "0"], "timeout"),
        ([_URL, "-t", "-3"], "timeout"),
        ([_URL, "-t", "nan"], "timeout"),
        ([_URL, "--connect-timeout", "0"], "connect timeout"),
        ([_URL, "--arm", "quick"], "quick"),
        ([_URL, "--arm", "pooled", "--arm", "pooled"], "pooled"),
        ([_URL, "--arm", "=pooled"], "label"),
        ([_URL, "--arm", "a b=pooled"], "label"),
        ([_URL, "--order", "odd"], "odd"),
        ([_URL, "-f", "q"], "NAME=VALUE"),
        ([_URL, "-f", "=python"], "NAME=VALUE"),
        ([_URL, "-u", "someone"], "password"),
        ([_URL, "-k", "--cacert", "CACERT"], "contradict"),
        ([_URL, "-4", "-6"], "contradict"),
        ([_URL, "-d", "@MISSING"], "MISSING"),
        ([_URL, "--fields-file", "MISSING"], "MISSING can't be read (--fields-file): No such"),
        ([_URL, "--cacert", "MISSING"], "MISSING can't be read (--cacert): No such file"),
        ([_URL, "--cacert", "."], ". can't be read (--cacert): Is a directory."),
        ([_URL, "-T", "MISSING"], "MISSING can't be read (-T): No such file or directory."),
        ([_URL, "--precision", "2"], "did you mean 2%?"),
        ([_URL, "--confidence", "95"], "did you mean 95%?"),
        ([_URL, "--confidence", "high"], "'high' isn't a share"),
        ([_URL, "--margin", "5"], "did you mean 5%?"),
        ([_URL, "--server", "ngnix"], "did you mean nginx?"),
        ([_URL, "--json", "MISSING/run.json"], "MISSING/run.json"),
        ([_URL, "--json", "."], "."),
        ([_URL, "--no-such-option"], "--no-such-option"),
        ([_URL, "http://127.0.0.1/"], "take one URL"),
        ([_URL, "half", "a header"], "too many arguments"),
        ([_URL, "-L"], "curl's -L: kab follows no redirect."),
        ([_URL, "-I"], "--method HEAD"),
        ([_URL, "-o", "x"], "a report of its own"),
        ([_URL, "--http2"], "kab speaks HTTP/1.1."),
        (["--curl", "CACERT"], "--curl @CACERT."),
        ([_URL, "--json", ""], ""),
        ([_URL, "-u", ""], "password"),
        ([], "URL"),
    ],
)
def test_a_mistake_gets_one_sentence_and_sends_nothing(
    arguments: list[str],
    said: str,
    server: ServerProcess,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "CACERT").write_bytes(server.certificate.read_bytes())
    before = server.stats().accepts
    done = called("run", *(server.url if part == _URL else part for part in arguments))
    assert (done.code, done.out) == (2, "")
    assert _is_one_sentence(done), done.err
    assert said in done.err
    assert "\x1b" not in done.err
    assert server.stats().accepts == before + 1  # this question's own
    assert [path.name for path in tmp_path.iterdir()] == ["CACERT"]


def test_an_unknown_command_gets_one_sentence() -> None:
    done = called("measure")
    assert (done.code, done.out) == (2, "")
    assert _is_one_sentence(done)
    assert "measure" in done.err


def test_a_certificate_file_without_a_certificate_is_refused_before_anything_is_sent(
    tls_server: ServerProcess, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate\n")
    before = tls_server.stats().accepts
    done = called("run", tls_server.url, "--cacert", str(empty))
    assert done.code == 2
    assert _is_one_sentence(done)
    assert "contains no certificate" in done.err
    assert tls_server.stats().accepts == before + 1


def test_a_missing_certificate_file_is_refused_for_plain_http_too(server: ServerProcess) -> None:
    done = called("run", server.url, "--cacert", "/no/such/file.pem")
    assert done.code == 2
    assert "/no/such/file.pem" in done.err


def test_the_process_itself_ends_with_the_code_and_the_sentence(server: ServerProcess) -> None:
    done = kab("run", server.url, "--requests", "0")
    assert (done.code, done.out) == (2, "")
    assert _is_one_sentence(done)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--reqests", ["--requests"]),
        ("--timout", ["--timeout"]),
        ("--colour", ["--no-color"]),
        ("--pony", []),
        ("--n", []),
    ],
)
def test_an_option_is_suggested_only_where_one_is_near(typed: str, meant: list[str]) -> None:
    said = called("run", "http://127.0.0.1:9/", typed, "3").err
    assert "No such option" in said
    assert re.findall(r"Did you mean (\S+)\?", said) == meant


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["http://127.0.0.1:1/"], "did you mean kab run 'http://127.0.0.1:1/'?"),
        (["-n", "5", "http://127.0.0.1:1/"], "did you mean kab run -n …?"),
        (["help", "rum"], "Did you mean run?"),
    ],
)
def test_without_a_command_the_likely_one_is_named(words: list[str], meant: str) -> None:
    done = called(*words)
    assert (done.code, done.out) == (2, "")
    assert meant in done.err


def test_help_is_a_command_too() -> None:
    assert called("help").out == called("--help").out
    assert called("help", "run").out == called("run", "--help").out
