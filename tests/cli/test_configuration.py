"""Options kept in `kab.toml`, in `pyproject.toml`, or in a file that `--config` names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.command import called

from keepalive_bench.cli import reading

if TYPE_CHECKING:
    from keepalive_bench.server import ServerProcess

PAGE = (Path(__file__).parents[2] / "docs/configuration.md").read_text("utf-8")
NOTE = "Options are taken from kab.toml.\n"


@pytest.fixture(autouse=True)
def _empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "kab.toml") -> None:
    Path(name).write_text(text, "utf-8")


def plan_of(*arguments: str, said: str = NOTE) -> dict[str, Any]:
    """The plan that a command carried out."""
    done = called("run", *arguments, "--json", "-")
    assert (done.code, done.err) == (0, said)
    plan = json.loads(done.out)["plan"]
    assert isinstance(plan, dict)
    return plan


def test_the_command_line_goes_before_the_environment_the_run_the_file_and_the_default(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("requests = 2")
    assert plan_of(server.url)["requests"] == 2
    write("requests = 2\n[runs.it]\nrequests = 3")
    assert plan_of(server.url)["requests"] == 2
    assert plan_of(server.url, "--run", "it")["requests"] == 3
    monkeypatch.setenv("KAB_RUN_REQUESTS", "4")
    assert plan_of(server.url, "--run", "it")["requests"] == 4
    assert plan_of(server.url, "--run", "it", "-n", "5")["requests"] == 5


def test_a_list_is_not_added_to(server: ServerProcess) -> None:
    write('requests = 1\nheader = ["A: 1", "B: 2"]\n[runs.it]\nheader = "C: 3"')
    assert plan_of(server.url)["headers"] == [["A", None], ["B", None]]
    assert plan_of(server.url, "--run", "it")["headers"] == [["C", None]]
    assert plan_of(server.url, "--run", "it", "-H", "D: 4")["headers"] == [["D", None]]


def test_a_named_run_is_a_whole_run(server: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    write(f'[runs.it]\nurl = "{server.url}/a"\nrequests = 1\nfield = ["q=x y"]')
    plan = plan_of("--run", "it")
    assert plan["url"] == f"{server.url}/a"
    assert plan["parameters"]["fields"] == [["q", ["x y"]]]
    assert plan_of(f"{server.url}/b", "--run", "it")["url"] == f"{server.url}/b"
    monkeypatch.setenv("KAB_RUN_RUN", "it")
    assert plan_of()["url"] == f"{server.url}/a"
    monkeypatch.setenv("KAB_RUN_URL", f"{server.url}/c")
    assert plan_of()["url"] == f"{server.url}/c"


def test_pyproject_serves_where_there_is_no_kab_toml(server: ServerProcess) -> None:
    write(f'[tool.kab]\nurl = "{server.url}"\nrequests = 1', "pyproject.toml")
    said = "Options are taken from pyproject.toml, tool.kab.\n"
    assert plan_of(said=said)["requests"] == 1
    write("requests = 2")
    assert plan_of(server.url)["requests"] == 2


@pytest.mark.parametrize(
    "text", ["[project]\nname = 'kab'", "no TOML at all", "[tool.other]\nrequests = 1"]
)
def test_a_pyproject_that_says_nothing_of_kab_is_let_be(text: str, server: ServerProcess) -> None:
    write(text, "pyproject.toml")
    assert plan_of(server.url, "-n", "1", said="")["requests"] == 1


def test_a_file_that_is_named_goes_before_those_that_are_found(
    server: ServerProcess, tmp_path: Path
) -> None:
    write("requests = 2")
    write("requests = 3", "other.toml")
    assert plan_of(server.url, "--config", "other.toml", said="")["requests"] == 3
    (tmp_path / "sub").mkdir()
    write("[tool.kab.runs.it]\nrequests = 4", "sub/pyproject.toml")
    plan = plan_of("--run", "it", server.url, "--config", "sub/pyproject.toml", said="")
    assert plan["requests"] == 4


def test_of_options_that_exclude_each_other_the_nearest_one_counts(
    tls_server: ServerProcess, server: ServerProcess
) -> None:
    write(f'requests = 1\ncacert = "{tls_server.certificate}"\ndata = ["a"]\nuser = "a:b"')
    done = called("run", tls_server.url, "-k", "--json", "-")
    plan = json.loads(done.out)["plan"]
    assert (done.code, plan["verify"], plan["ca_file"]) == (0, False, None)
    done = called("run", server.url, "--json-body", "[1]", "--bearer", "x", "--json", "-")
    plan = json.loads(done.out)["plan"]
    assert (done.code, plan["content_type"], plan["withheld"]["data"]) == (0, "application/json", 3)
    refused = called("run", tls_server.url, "-k", "--cacert", str(tls_server.certificate))
    assert (refused.code, "contradict" in refused.err) == (2, True)


HOSTILE = [
    ("requets = 5", "kab.toml: 'requets' is no option; did you mean 'requests'?"),
    ("config = 'x.toml'", "'config' is no option"),
    ("headers = ['A: b']", "did you mean 'header'?"),
    ("requests = '5'", "'requests' must be a whole number"),
    ("requests = true", "'requests' must be a whole number"),
    (f"requests = {10**40}", "'requests' is too large a number"),
    (f"requests = {'9' * 5000}", "kab.toml isn't TOML"),
    ("requests = 0", "requests must be from 1"),
    ("confidence = true", "'confidence' must be text"),
    ("timeout = inf", "timeout must be above 0 s and at most 1,000,000 s, not inf s."),
    ("timeout = true", "'timeout' must be text"),
    ("max-body = 18446744073709551615", "max-body must be from 0 to 1,152,921,504,606,846,976"),
    ("insecure = 'yes'", "'insecure' must be true or false"),
    ("method = ['GET']", "'method' must be text"),
    ("header = [['A: b']]", "'header' must be text"),
    ("header = [true]", "'header' must be text"),
    ('cacert = "a\\u0000b"', "'cacert' has a NUL character"),
    ("order = 'random'", "'random' is not one of"),
    ("cacert = 'nowhere.pem'", "nowhere.pem"),
    ("require = ['p95<=50']", "at character 6"),
    ("runs = 5", "kab.toml, runs must be a table"),
    ("[runs]\nit = 5", "runs.it must be a table"),
    ("[runs.it.runs.x]\na = 1", "runs.it: 'runs' is no option"),
    ("[runs.it]\nrequets = 5", "kab.toml, runs.it: 'requets' is no option"),
    ("requests = 5\nrequests = 6", "kab.toml isn't TOML"),
    ("a = " + "[" * 100_000, "kab.toml isn't TOML"),
    ('"\\u001b[31m" = 1', "'\\x1b[31m' is no option"),
    ("# " + "x" * 2**20, "kab.toml is too large"),
]


@pytest.mark.parametrize(("text", "said"), HOSTILE, ids=[text[:24] for text, _ in HOSTILE])
def test_what_is_no_option_or_no_value_is_refused_in_one_sentence(
    text: str, said: str, refusing_url: str
) -> None:
    write(text)
    done = called("run", refusing_url, *(["--run", "it"] if "it" in text else []))
    assert (done.code, done.out) == (2, "")
    sentence = done.err.removeprefix(NOTE)
    assert said in sentence
    assert sentence.count("\n") == 1
    assert len(sentence) < 300
    assert sentence.replace("…", "").isascii()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--config", "nowhere.toml"],
            "nowhere.toml can't be read (--config): No such file or directory.",
        ),
        (["--config", "."], ". can't be read (--config): Is a directory."),
        (
            ["--config", "/dev/zero"],
            "/dev/zero is too large (--config): 1.0 MiB are the most.",
        ),
        (["--config", "pyproject.toml"], "pyproject.toml has no table [tool.kab] (--config)."),
        (
            ["--run", "it"],
            (
                "There is no kab.toml here, and no [tool.kab] in pyproject.toml, to keep a run "
                "called 'it': name a file (--config)."
            ),
        ),
        (
            ["--config", "binary.toml"],
            (
                "binary.toml isn't TOML (--config): 'utf-8' codec can't decode byte 0xff in "
                "position 0: invalid start byte."
            ),
        ),
        (["--config", "empty.toml", "--run", "it"], "empty.toml keeps no run called 'it'."),
        (
            ["--config", "runs.toml", "--run", "lgin"],
            "runs.toml keeps no run called 'lgin'; did you mean 'login'?",
        ),
    ],
)
def test_a_file_or_a_run_that_is_not_there_is_refused(
    arguments: list[str], said: str, refusing_url: str
) -> None:
    write("[tool.other]", "pyproject.toml")
    write("", "empty.toml")
    write("[runs.login]", "runs.toml")
    Path("binary.toml").write_bytes(b"\xff\xfe")
    done = called("run", refusing_url, *arguments)
    assert (done.code, done.out, done.err) == (2, "", f"Error: {said}\n")


def test_without_a_url_it_is_said_where_one_can_be_given_before_a_body_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "value_of", pytest.fail)
    done = called("run", "-d", "-")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "Error: There is no URL: kab run URL, or url in a file of options (--config).\n"
    )


def test_a_number_stands_for_text_where_people_write_one(server: ServerProcess) -> None:
    write("requests = 1\nexpect-status = [200]\ntls-min = 1.2\ntimeout = 5")
    plan = plan_of(server.url)
    assert (plan["expect_status"], plan["tls_min"], plan["timeout_s"]) == (["200"], "1.2", 5)


@pytest.mark.parametrize(("value", "seconds"), [("5", 5), ("0.25", 0.25), ('"500ms"', 0.5)])
def test_a_time_is_a_number_or_has_a_unit(
    value: str, seconds: float, server: ServerProcess
) -> None:
    write(f"requests = 1\ntimeout = {value}\nconnect-timeout = {value}")
    plan = plan_of(server.url)
    assert (plan["timeout_s"], plan["connect_timeout_s"]) == (seconds, seconds)


@pytest.mark.parametrize("text", re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
def test_the_documented_files_are_read(text: str, server: ServerProcess) -> None:
    name = re.findall(r"# (\S+)", text)[0]
    write(re.sub(r'url = ".*"', f'url = "{server.url}"', text), name)
    done = called("run", "--run", "search", "-n", "60", "--json", "-")
    plan = json.loads(done.out)["plan"]
    assert done.code in {0, 4}
    assert (plan["requests"], plan["url"]) == (60, f"{server.url}/")
    assert "reopened==0" in plan["requirements"]
