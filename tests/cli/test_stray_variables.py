"""A variable that looks like an option's and is none is told, as it may have been a CI's gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from support.command import called, kab

from keepalive_bench.cli import kab as group
from keepalive_bench.cli.variables import strays

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.server import ServerProcess


def told(command: str, *names: str) -> list[str]:
    context = click.Context(group)
    found = group.get_command(context, command)
    assert found is not None
    return list(strays(found, group.list_commands(context), names))


@pytest.mark.parametrize(
    ("command", "name", "end"),
    [
        ("run", "KAB_RUN_REQUIER", "; did you mean KAB_RUN_REQUIRE?"),
        ("run", "KAB_RUN_NO_BLOCK", "; did you mean KAB_RUN_BLOCK?"),
        ("run", "kab_run_require", "; did you mean KAB_RUN_REQUIRE?"),
        ("run", "KAB_RNU_REQUESTS", "; did you mean KAB_RUN_REQUESTS?"),
        ("run", "KAB_RUNS_REQUIRE", "; did you mean KAB_RUN_REQUIRE?"),
        ("run", "KAB_REQUIRE", "; did you mean KAB_RUN_REQUIRE?"),
        ("run", "KAB_RUN__REQUIRE", "; did you mean KAB_RUN_REQUIRE?"),
        ("sweep", "KAB_SWEEP_MAX_SIZE", "; did you mean KAB_SWEEP_MAXSIZE?"),
        ("compare", "KAB_COMPARE_MARGINS", "; did you mean KAB_COMPARE_MARGIN?"),
        ("report", "KAB_REPROT_REQUIRE", "; did you mean KAB_REPORT_REQUIRE?"),
        ("serve", "KAB_SERVE_LIST_FAULTS", "; did you mean KAB_SERVE_FAULT"),
        ("run", "KAB_RUN_12345678", "; kab run --help lists the options."),
        ("run", "KAB_RUN_\x1b[31m", r"KAB_RUN_\x1b[31m is ignored"),
        ("run", "KAB_RUN_" + "X" * 10_000, "; kab run --help lists the options."),
    ],
)
def test_what_is_nearly_an_options_variable_is_told(command: str, name: str, end: str) -> None:
    (sentence,) = told(command, name)
    assert f"is ignored, as kab {command} has no such option" in sentence
    assert end in sentence
    assert len(sentence) < 200
    assert sentence.isprintable()


@pytest.mark.parametrize(
    "name",
    [
        *("KAB_SWEEP_REQUESTS", "KAB_SWEEP_NONSENSE", "KAB_SWEP_REQUESTS", "KAB_REPROT_REQUIRE"),
        *(
            "KAB_HOME",
            "KAB_URL",
            "KAB_VERSION",
            "KAB_TRACE_FILE",
            "KAB_REPO_URL",
            "KAB_",
            "KAB_RUN",
        ),
        *("KAB_RUN_REQUESTS", "KAB_RUN_URL", "KAB_RUN_CONFIG", "KAB_RUN_RUN", "KAB_RUN_HTML"),
    ],
)
def test_what_is_another_commands_or_somebody_elses_is_let_be(name: str) -> None:
    assert told("run", name) == []


def test_it_is_a_warning_and_never_shows_a_value(server: ServerProcess) -> None:
    strayed = {"KAB_RUN_REQUIER": "failed==0", "KAB_RUN_BAERER": "s3kr1t", "KAB_SERVE_NO": "1"}
    done = called("run", server.url, "-n", "1", env=strayed)
    assert done.code == 0
    ignored = "is ignored, as kab run has no such option"
    assert done.err.splitlines()[:2] == [
        f"Warning: KAB_RUN_BAERER {ignored}; did you mean KAB_RUN_BEARER?",
        f"Warning: KAB_RUN_REQUIER {ignored}; did you mean KAB_RUN_REQUIRE?",
    ]
    assert "s3kr1t" not in done.text
    assert "KAB_SERVE" not in done.text


def test_nothing_is_said_to_a_shell_that_completes_or_of_what_is_empty(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KAB_RUN_REQUIER", "")
    assert called("run", "x").err.count("\n") == 1
    asking = {"_KAB_COMPLETE": "bash_complete", "COMP_WORDS": "kab run --ord", "COMP_CWORD": "2"}
    done = kab(env={**asking, "KAB_RUN_REQUIER": "1"})
    assert (done.out, done.err) == ("plain,--order\n", "")
