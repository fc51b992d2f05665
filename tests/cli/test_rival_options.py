"""Options that exclude each other: of several places, the nearest one counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.command import called

from keepalive_bench.cli import kab
from keepalive_bench.cli.options import asked_for
from keepalive_bench.plan.fields import options_of
from keepalive_bench.plan.plan import Plan

if TYPE_CHECKING:
    from keepalive_bench.server import ServerProcess

URL = "http://127.0.0.1:9/"
Option = tuple[str, str | None]
"""Its name, and its value; `None`: it takes none."""
VALUES: dict[str, str | None] = {
    "proxy": URL,
    "unix-socket": "nowhere",
    "source-address": "127.0.0.1",
    "bearer": "x",
    "user": "a:b",
    "rate": "100",
    "think-time": "1ms",
    "cacert": "kab.toml",
    "data": "a=1",
    "json-body": "{}",
    "upload-file": "kab.toml",
    "connect-to": "::127.0.0.1:9",
    "tcp-keepalive-time": "60",
}
"""Of options that take one."""
RIVALS: list[tuple[Option, Option]] = [
    ((it.name, VALUES.get(it.name)), (rival, VALUES.get(rival)))
    for it in options_of(Plan)
    for rival in it.rivals
]


@pytest.fixture(autouse=True)
def _empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def given(*arguments: str, kept: str) -> dict[str, object]:
    """What `kab run` is told, with a file of options."""
    Path("kab.toml").write_text(kept, "utf-8")
    with kab.make_context("kab", ["run", URL, *arguments]) as group:
        command = kab.get_command(group, "run")
        assert command is not None
        with command.make_context("run", [URL, *arguments], parent=group) as context:
            return asked_for(context)._values


def as_toml(option: Option) -> str:
    name, value = option
    return f"{name} = {'true' if value is None else json.dumps(value)}\n"


@pytest.mark.parametrize(
    ("nearer", "farther"),
    [pair for one, other in RIVALS for pair in ((one, other), (other, one))],
    ids=lambda option: option[0],
)
def test_the_command_line_overrules_a_rival_in_the_file(nearer: Option, farther: Option) -> None:
    name, value = nearer
    arguments = [f"--{name}"] if value is None else [f"--{name}", value]
    alone = given(*arguments, kept="")
    assert alone != given(kept="")
    assert given(*arguments, kept=as_toml(farther)) == alone


def test_a_named_run_and_the_environment_overrule_a_rival_in_the_file_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = as_toml(("insecure", None)), as_toml(("cacert", "kab.toml"))
    alone = given("--run", "it", kept=f"[runs.it]\n{one}")
    assert given("--run", "it", kept=f"{other}[runs.it]\n{one}") == alone
    monkeypatch.setenv("KAB_RUN_INSECURE", "true")
    alone = given(kept="")
    assert given(kept=other) == alone


def test_what_is_overruled_itself_overrules_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAB_RUN_UNIX_SOCKET", "nowhere")
    found = given("--source-address", "127.0.0.1", kept=as_toml(("proxy", URL)))
    assert found.keys() == {"source-address", "proxy"}


@pytest.mark.parametrize("body", ['data = "a=1"', 'json-body = "{}"', 'upload-file = "kab.toml"'])
def test_a_sweep_over_sizes_overrules_the_body_that_is_kept_for_runs(
    body: str, server: ServerProcess
) -> None:
    Path("kab.toml").write_text(body, "utf-8")
    sizes = ("--data-size", "1kB,2kB", "-c", "1", "-n", "2")
    done = called("sweep", server.url, *sizes, "--json", "-")
    assert (done.code, json.loads(done.out)["plan"]["sweep"]) == (0, "data-size")


@pytest.mark.parametrize(("one", "other"), RIVALS, ids=lambda option: option[0])
def test_two_of_one_place_are_refused_or_one_goes_before_the_other(
    one: Option, other: Option
) -> None:
    Path("kab.toml").write_text(as_toml(one) + as_toml(other), "utf-8")
    done = called("run", URL)
    assert (done.code, done.out) == (2, "") or "netrc" in {one[0], other[0]}
