"""A shell that is set up as docs/completion.md says completes what is typed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from support.command import TIMEOUT_S, called, environment
from support.shells import shell

from keepalive_bench.cli import kab
from keepalive_bench.plan.arms import KINDS
from keepalive_bench.report.explanations import lists

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.shells import Fish, TypingShell

_GROUP = click.Context(kab, **kab.context_settings)  # Click keeps the first -h that it made
COMMANDS = kab.list_commands(_GROUP)
CODES = [name for rows in lists().values() for name, _ in rows]
CASES = (
    ("kab ser", "kab serve"),
    ("kab run --order=pa", "kab run --order=paired"),
    ("kab run --arm fast=po", "kab run --arm fast=pooled"),
    ("kab run http://h:80/?a=b --arm=x=un", "kab run http://h:80/?a=b --arm=x=unpooled"),
    ("kab serve --certificate my", "kab serve --certificate my-file.json"),
    ("kab report my", "kab report my-file.json"),
    ("kab explain http2", "kab explain http2-spoken"),
)
"""What a shell has a part in: words that it breaks up, and files."""


@pytest.fixture(scope="module", params=["bash", "zsh", "fish"])
def typing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TypingShell | Fish]:
    """A shell in a folder with a file to complete, and one of options that nobody can read."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    home = tmp_path_factory.mktemp(request.param)
    (home / "my-file.json").touch()
    (home / "kab.toml").write_text("this isn't TOML", "utf-8")
    with shell(request.param, home) as ready:
        yield ready


@pytest.mark.parametrize(("typed", "line"), CASES, ids=[typed for typed, _ in CASES])
def test_a_line_is_completed(typing: TypingShell | Fish, typed: str, line: str) -> None:
    typing.completes(typed, line)


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_asked_by_hand_kab_has_an_answer(name: str) -> None:
    done = called(env={"_KAB_COMPLETE": f"{name}_complete"})
    assert (done.code, done.err) == (0, "")


def asked(line: str) -> dict[str, str]:
    """What asks kab, as bash does."""
    question = {"COMP_WORDS": line, "COMP_CWORD": line.rpartition(" ")[2]}
    return {"_KAB_COMPLETE": "bash_complete", **question}


def answered(line: str) -> list[list[str]]:
    """What kab answers: each on a line of its own, and nothing else."""
    done = called(env=asked(line))
    assert (done.code, done.err) == (0, "")
    return [answer.split(",") for answer in done.lines]


def offered(line: str) -> set[str]:
    """Words that kab offers."""
    answers = answered(line)
    assert {kind for kind, _ in answers} <= {"plain"}
    return {word for _, word in answers}


def test_all_commands_are_offered() -> None:
    assert offered("kab ") == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_all_options_of_a_command_are_offered(name: str) -> None:
    command = kab.get_command(_GROUP, name)
    assert command is not None
    spellings = {
        spelling
        for parameter in command.get_params(_GROUP)
        for spelling in (*parameter.opts, *parameter.secondary_opts)
        if spelling.startswith("--")
    }
    assert offered(f"kab {name} --") == spellings


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("kab run --ord", {"--order"}),
        ("kab run --order pa", {"paired"}),
        ("kab run --arm nai", {"naive"}),
        ("kab serve --fault drip-b", {"drip-body"}),
        ("kab serve --certificate exp", {"expired"}),
        ("kab run --tls-min ", {"1.2", "1.3"}),
        ("kab completion ", {"bash", "zsh", "fish"}),
        ("kab explain idle-", {"idle-drop", "idle-timeout"}),
        ("kab explain re", {"reasons", "requirements"} | {it for it in CODES if it[:2] == "re"}),
        ("kab run --order ", {"paired", "sequential"}),
        ("kab run --arm pooled --arm a=", {f"a={kind}" for kind in KINDS}),
        ("kab run 'http://h/?a b' --arm 'x=na", {"x=naive"}),
        ("kab serve --list-faults --tls-m", {"--tls-min", "--tls-max"}),
    ],
)
def test_choices_are_offered(line: str, words: set[str]) -> None:
    assert offered(line) == words


@pytest.mark.parametrize("option", ["--html", "--cacert"])
def test_files_are_left_to_the_shell(option: str) -> None:
    assert answered(f"kab run {option} my") == [["file", "my"]]


_ASKING = """
import json, os, sys
for question in json.loads(sys.argv[1]):
    os.environ.update(question)
    try:
        from keepalive_bench.__main__ import main
        main()
    except SystemExit as end:
        assert end.code == 0
print(*sys.modules, file=sys.stderr)
"""


def test_an_answer_takes_neither_urllib3_nor_rich() -> None:
    lines = ["kab ", *(f"kab {name} --" for name in COMMANDS)]
    done = subprocess.run(
        [sys.executable, "-c", _ASKING, json.dumps([asked(line) for line in lines])],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT_S,
    )
    modules = set(done.stderr.split())
    assert "click" in modules
    assert {"urllib3", "rich.console"}.isdisjoint(modules)
