"""Every command of docs/ci.md is carried out: where keep-alive works, and where it doesn't."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import junitparser
import pytest
import yaml
from documents.recipes import GUIDE, Machine, blocks, file, named, workflow

from keepalive_bench.server import Behaviour, ServerProcess, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

GITHUB = """\
#!/bin/sh
# GitHub's part: one good run of main, or none yet, and its artifact
case "$1 $2" in
  "run list") echo "$LAST" ;;
  "run download") test "$3 $5 $7" = "$LAST keep-alive baseline" && cp -r earlier baseline ;;
esac
"""
MISSED = 4


@pytest.fixture(scope="module")
def good() -> Iterator[str]:
    with ServerProcess(ServerSettings()) as server:
        yield server.url


@pytest.fixture(scope="module")
def steady() -> Iterator[str]:
    """A server that takes its time, beside which it doesn't matter what else the machine does."""
    with ServerProcess(ServerSettings(behaviour=Behaviour(delay_s=0.01))) as server:
        yield server.url


@pytest.fixture(scope="module")
def closing() -> Iterator[str]:
    """A server that closes after each response."""
    with ServerProcess(ServerSettings(behaviour=Behaviour(connection_close=True))) as server:
        yield server.url


@pytest.fixture(params=["good", "closing"])
def site(request: pytest.FixtureRequest) -> tuple[str, int]:
    """A server, and what a gate says to it."""
    return request.getfixturevalue(request.param), 0 if request.param == "good" else MISSED


def machine(folder: Path, url: str, **variables: str) -> Machine:
    summary = folder / "summary.md"
    summary.touch()
    return Machine(
        folder, {"KAB_RUN_URL": url, "GITHUB_STEP_SUMMARY": str(summary), "LAST": ""} | variables
    )


def with_github(folder: Path) -> None:
    (folder / ".bin").mkdir()
    (folder / ".bin" / "gh").write_text(GITHUB, "utf-8")
    (folder / ".bin" / "gh").chmod(0o755)


def is_of_noise(sentence: str) -> bool:
    """Whether a machine busy by turns made requests too much alike to bound a quantile."""
    return "with this autocorrelation" in sentence


def test_github_gets_a_summary_artifacts_and_a_gate(tmp_path: Path, site: tuple[str, int]) -> None:
    url, code = site
    with_github(tmp_path)
    steps, variables = workflow()
    assert "KAB_RUN_URL" in variables
    _, measured, fetched, compared = machine(tmp_path, url).work(steps)[-4:]
    assert measured.returncode == code, measured
    annotated = [line for line in measured.stderr.splitlines() if line.startswith("::error ")]
    assert len(annotated) == bool(code)
    for line in annotated:
        assert line.startswith("::error title=Missed%3A reopened==0::pooled.reopened is 199 ")
    assert (fetched.returncode, compared.returncode) == (0, 0), (fetched, compared)
    (upload,) = [step["with"] for step in steps if "upload-artifact" in step.get("uses", "")]
    assert all((tmp_path / name).stat().st_size for name in upload["path"].split())
    summary = (tmp_path / "summary.md").read_text("utf-8")
    assert "reopened==0" in summary
    assert ("missed" in summary) == bool(code)
    requirements = json.loads((tmp_path / "run.json").read_text("utf-8"))["requirements"]
    (of_time,) = [it for it in requirements if it["text"] == "pooled.p95<=250ms"]
    assert of_time["status"] == "met" or is_of_noise(of_time["sentence"]), of_time
    assert f" {of_time['status']} | `pooled.p95<=250ms` |" in summary


def test_github_compares_with_the_last_good_run(tmp_path: Path, steady: str) -> None:
    with_github(tmp_path)
    steps, _ = workflow()
    machine(tmp_path, steady).work(steps)
    (tmp_path / "earlier").mkdir()
    (tmp_path / "run.json").rename(tmp_path / "earlier" / "run.json")
    *_, fetched, compared = machine(tmp_path, steady, LAST="4711").work(steps)
    assert (fetched.returncode, compared.returncode) == (0, 0), (fetched, compared)
    assert "pooled.p50.change<=50%" in (tmp_path / "summary.md").read_text("utf-8")


def test_gitlab_gets_test_cases_and_a_gate(tmp_path: Path, site: tuple[str, int]) -> None:
    url, code = site
    (job,) = yaml.safe_load(file(".gitlab-ci.yml")).values()
    done = machine(tmp_path, url).run("\n".join(job["script"]))
    assert done.returncode == code, done
    for name in job["artifacts"]["paths"]:
        assert (tmp_path / name).stat().st_size
    report = junitparser.JUnitXml.fromfile(str(tmp_path / job["artifacts"]["reports"]["junit"]))
    assert report.tests == 1 + 3
    assert bool(report.failures) == bool(code)
    skipped = [case for suite in report for case in suite if case.is_skipped]  # undecided ones
    assert all(is_of_noise(case.result[0].message) for case in skipped)


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_script_tells_what_was_found_and_is_a_gate(
    tmp_path: Path, site: tuple[str, int]
) -> None:
    url, code = site
    (tmp_path / "keep-alive.sh").write_text(file("keep-alive.sh"), "utf-8")
    done = machine(tmp_path, url).run("sh keep-alive.sh")
    assert done.returncode == code, done
    lines = done.stdout.splitlines()
    assert lines[0] == json.loads((tmp_path / "run.json").read_text("utf-8"))["verdict"]["text"]
    assert lines[1:3] == ["met: failed==0", f"{'missed' if code else 'met'}: reopened==0"]
    assert "opened for first-use: 1" in lines
    assert ("opened for server-close: 199" in lines) == bool(code)


def test_the_script_ends_as_kab_does_where_nothing_is_measured(tmp_path: Path) -> None:
    (tmp_path / "keep-alive.sh").write_text(file("keep-alive.sh"), "utf-8")
    done = machine(tmp_path, "nonsense://").run("sh keep-alive.sh")
    assert (done.returncode, done.stdout) == (2, "")


def test_pytest_passes_and_fails(tmp_path: Path, site: tuple[str, int]) -> None:
    url, code = site
    (tmp_path / "test_keep_alive.py").write_text(file("test_keep_alive.py"), "utf-8")
    done = machine(tmp_path, url).run(*shell_after("## pytest"))
    assert done.returncode == (1 if code else 0), done
    assert ("RequirementError: missed: reopened==0" in done.stdout) == bool(code)


TESTED = """\
import requests

def test_sync():
    client = {client}
    for number in range(3):
        assert client.get("{url}", params={{"page": number}}).ok
"""


@pytest.fixture(params=["requests.Session()", "requests"])
def tested(request: pytest.FixtureRequest, tmp_path: Path, good: str) -> tuple[Path, int]:
    """A folder with tests of a program, and what a gate says to it."""
    text = TESTED.format(client=request.param, url=good)
    (tmp_path / "test_sync.py").write_text(text, "utf-8")
    return tmp_path, 0 if request.param == "requests.Session()" else MISSED


def test_github_annotates_the_line_that_opens_connections(
    tested: tuple[Path, int], good: str
) -> None:
    folder, code = tested
    steps, _ = workflow("connections")
    traced = machine(folder, good).work(steps)[-1]
    assert traced.returncode == code, traced
    assert "1 passed" in traced.stdout
    found = "::warning file=test_sync.py,line=6,title=kab%3A new-client::" in traced.stderr
    assert found == bool(code)
    assert "avoidable==0" in (folder / "summary.md").read_text("utf-8")
    (upload,) = [step["with"] for step in steps if "upload-artifact" in step.get("uses", "")]
    assert all((folder / name).stat().st_size for name in upload["path"].split())


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_jq_tells_the_lines_that_open_connections(tested: tuple[Path, int], good: str) -> None:
    folder, code = tested
    (script,) = shell_after("## Your own program")
    done = machine(folder, good).run(script)
    assert done.returncode == code, done
    told = "test_sync.py:6: requests.get makes a Session each time. Make one Session"
    assert (told in done.stdout) == bool(code)
    assert junitparser.JUnitXml.fromfile(str(folder / "connections.xml")).tests == 1 + 1


def test_named_runs_and_a_baseline_beside_the_code(tmp_path: Path, steady: str) -> None:
    (tmp_path / "kab.toml").write_text(file("kab.toml"), "utf-8")
    done = [machine(tmp_path, steady).run(commands) for commands in shell_after("## Runs kept")]
    assert [each.returncode for each in done] == [0, 0], done
    run = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert run["plan"]["parameters"]["fields"] == [["q", ["python", "php"]]]


def shell_after(heading: str) -> list[str]:
    """The blocks of commands in a section."""
    section = GUIDE.read_text("utf-8").partition(heading)[2].partition("\n## ")[0]
    return [text for text in blocks("sh") if f"```sh\n{text}" in section]


def test_no_block_is_left_untried() -> None:
    tried = {"kab.toml", "keep-alive.sh", "test_keep_alive.py"}
    tried |= {".gitlab-ci.yml", ".github/workflows/keep-alive.yml"}
    tried |= {".github/workflows/connections.yml"}
    nameless = []
    for language in ("yaml", "sh", "python", "toml"):
        for text in blocks(language):
            tried -= set(named(text))
            nameless += [] if named(text) else [text]
    assert not tried
    assert nameless == [
        *shell_after("## pytest"),
        *shell_after("## Your own program"),
        *shell_after("## Runs kept"),
    ]
