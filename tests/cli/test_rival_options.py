"""Options that exclude each other: of several places, the nearest one counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.command import called

from keepalive_bench.cli import kab
from keepalive_bench.cli.configuration import nearest

if TYPE_CHECKING:
    from keepalive_bench.server import ServerProcess

URL = "http://127.0.0.1:9/"
Option = tuple[str, str | None]
"""Its name, and its value; `None`: it takes none."""
PROXY, SOCKET, SOURCE = (
    ("proxy", URL),
    ("unix-socket", "nowhere"),
    ("source-address", "127.0.0.1"),
)
RIVALS: list[tuple[Option, Option]] = [
    (("bearer", "x"), ("user", "a:b")),
    (("bearer", "x"), ("netrc", None)),
    (("rate", "100"), ("think-time", "1ms")),
    (("insecure", None), ("cacert", "kab.toml")),
    (("ipv4", None), ("ipv6", None)),
    (("data", "a=1"), ("json-body", "{}")),
    (("data", "a=1"), ("upload-file", "kab.toml")),
    (PROXY, SOCKET),
    (PROXY, ("connect-to", "::127.0.0.1:9")),
    (SOURCE, SOCKET),
]


@pytest.fixture(autouse=True)
def _empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def given(*arguments: str, kept: str) -> dict[str, Any]:
    """What `kab run` is told, with a file of options."""
    Path("kab.toml").write_text(kept, "utf-8")
    with kab.make_context("kab", ["run", URL, *arguments]) as group:
        command = kab.get_command(group, "run")
        assert command is not None
        with command.make_context("run", [URL, *arguments], parent=group) as context:
            return nearest(context.params)


def as_toml(option: Option) -> str:
    name, value = option
    return f"{name} = {'true' if value is None else json.dumps(value)}\n"


@pytest.mark.parametrize("place", ["named run", "environment", "command line"])
@pytest.mark.parametrize(
    ("nearer", "farther"),
    [pair for one, other in RIVALS for pair in ((one, other), (other, one))],
    ids=lambda option: option[0],
)
def test_what_is_nearer_overrules_its_rival_in_the_file(
    nearer: Option, farther: Option, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name, value), arguments, named = nearer, ["--run", "it"], "[runs.it]\n"
    usual = given(kept="")
    if place == "named run":
        named += as_toml(nearer)
    elif place == "environment":
        monkeypatch.setenv(f"KAB_RUN_{name.upper().replace('-', '_')}", value or "true")
    else:
        arguments += [f"--{name}"] if value is None else [f"--{name}", value]
    alone = given(*arguments, kept=named)
    assert alone != usual
    assert given(*arguments, kept=f"{as_toml(farther)}{named}") == alone


def test_what_is_overruled_itself_overrules_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAB_RUN_UNIX_SOCKET", "nowhere")
    found = given("--source-address", "127.0.0.1", kept=as_toml(PROXY))
    assert found["source_addresses"] == ("127.0.0.1",)
    assert (found["unix_socket"], found["proxy"]) == (None, URL)


@pytest.mark.parametrize("body", ['data = "a=1"', 'json-body = "{}"', 'upload-file = "kab.toml"'])
def test_a_sweep_over_sizes_overrules_the_body_that_is_kept_for_runs(
    body: str, server: ServerProcess
) -> None:
    Path("kab.toml").write_text(body, "utf-8")
    sizes = ("--data-size", "1kB,2kB", "-c", "1", "-n", "2")
    done = called("sweep", server.url, *sizes, "--json", "-")
    assert (done.code, json.loads(done.out)["plan"]["sweep"]) == (0, "data-size")


@pytest.mark.parametrize(("one", "other"), RIVALS[:1] + RIVALS[7:])
def test_two_of_one_place_are_refused(one: Option, other: Option) -> None:
    Path("kab.toml").write_text(as_toml(one) + as_toml(other), "utf-8")
    done = called("run", URL)
    assert (done.code, "contradict" in done.err) == (2, True)
