"""`--place NAME` of `kab run` and `kab sweep`: in the file, if the user says so, and only then."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.command import called

from keepalive_bench import Known, Run, UsageError

if TYPE_CHECKING:
    from keepalive_bench.server import ServerProcess

COMMANDS = {"run": ["-n", "2"], "sweep": ["--maxsize", "1,2", "-n", "4"]}


@pytest.mark.parametrize("command", COMMANDS)
def test_it_is_in_the_file_and_what_kab_places_calls_the_place(
    command: str, server: ServerProcess, tmp_path: Path
) -> None:
    file = str(tmp_path / "x.json")
    options = (*COMMANDS[command], "--place", "eu west/1", "--json", file)
    assert called(command, server.url, *options).code == 0
    assert Run.load(file).plan.known.place == "eu west/1"
    found = json.loads(called("places", file, "--json", "-").out)
    assert [it["name"] for it in found["places"]] == ["eu west/1"]


@pytest.mark.parametrize("command", COMMANDS)
def test_without_it_no_place_and_no_host_s_name_is_there(
    command: str, server: ServerProcess, tmp_path: Path
) -> None:
    file = tmp_path / "x.json"
    assert called(command, server.url, *COMMANDS[command], "--json", str(file)).code == 0
    text = file.read_text("utf-8")
    assert json.loads(text)["plan"]["place"] is None
    assert f'"{socket.gethostname()}"' not in text


def test_a_variable_can_say_it(server: ServerProcess) -> None:
    env = {"KAB_RUN_PLACE": "us"}
    done = called("run", server.url, "-n", "2", "--json", "-", env=env)
    assert json.loads(done.out)["plan"]["place"] == "us"


GOOD = ("a", "eu-west-1", "10.0.0.1:4321", "rack 7/host_2", "me@home+1", "x" * 64)
BAD = ("", " eu", "eu ", "-\n", "a\tb", "münchen", "x" * 65, "a,b", "\x1b[31m", "a=b", "eu;us")


@pytest.mark.parametrize("name", GOOD)
def test_a_name_is_of_plain_characters(name: str) -> None:
    assert Known(place=name).place == name


@pytest.mark.parametrize("name", BAD)
def test_others_are_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(UsageError, match=r"No place can be called .* up to 64 of the characters"):
        Known(place=name)
    done = called("run", "http://127.0.0.1:1/", f"--place={name}")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("Error: No place can be called ")


def test_a_file_with_a_bad_name_is_no_results_file(server: ServerProcess, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    called("run", server.url, "-n", "2", "--place", "eu", "--json", str(file))
    document = json.loads(file.read_text("utf-8"))
    document["plan"]["place"] = "\x1b[31m"
    file.write_text(json.dumps(document), "utf-8")
    with pytest.raises(UsageError, match="damaged"):
        Run.load(file)


def test_where_a_run_was_made_is_no_difference(server: ServerProcess, tmp_path: Path) -> None:
    files = [str(tmp_path / f"{name}.json") for name in "ab"]
    for file in files:
        called("run", server.url, "-n", "8", "--place", Path(file).stem, "--json", file)
    done = called("compare", *files)
    assert done.code == 0
    assert "not-comparable" not in done.out
