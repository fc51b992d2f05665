"""The recipes of docs/places.md are carried out, with one machine for all places."""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest
import yaml
from documents.recipes import PLACES, Machine, blocks, file
from support.venvs import group, venv

from keepalive_bench.server import Behaviour, ServerProcess, ServerSettings

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

NAMES = ["eu-west", "us-east"]
_EXAMPLE = "https://api.example.com/search"
_REMOTE = '#!/bin/sh\nshift\nexec sh -c "$*"\n'
"""Of ssh: what it has a shell run elsewhere, it has one run here."""
_KUBECTL = '#!/bin/sh\ntest "$1" != logs || cat pod-*.log\n'
_INVENTORY = f"""\
[places]
eu-west
us-east
[all:vars]
ansible_connection=local
ansible_python_interpreter={sys.executable}
"""
_AWAY = "ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1"
"""Of a host where nobody listens."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ServerProcess(ServerSettings(behaviour=Behaviour(delay_s=0.002))) as server:
        yield server.url


def machine(folder: Path, url: str, **programs: str) -> Machine:
    """With stand-ins for programs that reach other machines."""
    (folder / ".bin").mkdir()
    for name, text in programs.items():
        (folder / ".bin" / name).write_text(text, "utf-8")
        (folder / ".bin" / name).chmod(0o755)
    summary = folder / "summary.md"
    summary.touch()
    variables = {"url": url, "KAB_RUN_URL": url, "GITHUB_STEP_SUMMARY": str(summary)}
    return Machine(folder, variables)


def is_row(name: str, text: str) -> bool:
    return any(line.split()[:1] == [name] for line in text.splitlines())


def shell(start: str) -> str:
    """The only block of commands that begins so."""
    (found,) = (text for text in blocks("sh", PLACES) if text.startswith(start))
    return found


def test_two_places_are_named_and_compared(tmp_path: Path, url: str) -> None:
    here = machine(tmp_path, url, ssh=_REMOTE)
    done = here.run(shell("kab run").replace(_EXAMPLE, url))
    assert done.returncode == 0, done
    assert all(is_row(name, done.stdout.partition("What differs")[0]) for name in NAMES)
    (tmp_path / "artifacts").mkdir()
    for name in NAMES:
        (tmp_path / f"{name}.json.gz").rename(tmp_path / "artifacts" / f"{name}.json.gz")
    made = here.run(f"kab run {url} --quiet --json laptop.json > printed")
    assert made.returncode == 0, made
    folders, lines = shell("kab places home").split("\n", 1)
    done = here.run(folders)
    assert done.returncode == 0, done
    assert all(is_row(name, done.stdout) for name in ["home", *NAMES])
    done = Machine(tmp_path, here.variables | {"url": f"{url}?a=1&b=2"}).run(lines)
    assert done.returncode == 0, done
    assert all(is_row(name, done.stdout) for name in NAMES)


@pytest.mark.parametrize("lost", [None, "us-east"])
def test_github_compares_the_places_of_a_matrix(tmp_path: Path, url: str, lost: str | None) -> None:
    document = yaml.safe_load(file(".github/workflows/places.yml", PLACES))
    measure, compare = document["jobs"]["measure"], document["jobs"]["compare"]
    here = machine(tmp_path, url)
    (tmp_path / "places").mkdir()
    assert measure["strategy"]["matrix"]["place"] == NAMES
    for name in NAMES:
        variables = {
            key: value.replace("${{ matrix.place }}", name) for key, value in measure["env"].items()
        }
        if name == lost:
            variables["KAB_RUN_URL"] = "ftp://127.0.0.1"
        (upload,) = (it["with"] for it in measure["steps"] if "uses" in it)
        path = upload["path"].replace("${{ matrix.place }}", name)
        (tmp_path / path).write_text("of an earlier job", "utf-8")
        there = Machine(tmp_path, here.variables | variables)
        codes = [it.returncode for it in there.work(measure["steps"])]
        assert codes == [0, 2 if name == lost else 0]
        assert (tmp_path / path).exists() == (name != lost)
        if name != lost:
            (tmp_path / path).rename(tmp_path / "places" / path)
    _, done = here.work(compare["steps"])
    assert done.returncode == (4 if lost else 0), done
    assert ("::error title=Missed%3A reopened==0::us-east: The place is lost." in done.stderr) == (
        lost is not None
    )
    assert "eu-west" in (tmp_path / "summary.md").read_text("utf-8")
    upload = compare["steps"][-1]
    assert (tmp_path / upload["with"]["path"]).stat().st_size
    assert "cancelled" in upload["if"]


@pytest.fixture(scope="module")
def ansible(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return venv(tmp_path_factory, "recipes", sys.executable, group("recipes")) / "bin"


def played(
    folder: Path, ansible: Path, url: str, inventory: str = _INVENTORY
) -> subprocess.CompletedProcess[str]:
    """What comes of the playbook."""
    (folder / "places.yml").write_text(file("places.yml", PLACES), "utf-8")
    (folder / "inventory").write_text(inventory, "utf-8")
    (command,) = (
        line
        for line in PLACES.read_text("utf-8").split("`")
        if line.startswith("ansible-playbook -i inventory")
    )
    variables = {"ANSIBLE_HOME": str(folder / "ansible"), "LC_ALL": "C.UTF-8", "COLUMNS": "200"}
    there = Machine(folder, machine(folder, url).variables | variables)
    return there.run(f"{ansible}{os.sep}{command.replace(_EXAMPLE, url)}")


def test_ansible_measures_fetches_and_compares(tmp_path: Path, ansible: Path, url: str) -> None:
    done = played(tmp_path, ansible, url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all((tmp_path / "results" / f"{name}.json.gz").stat().st_size for name in NAMES)
    assert all(f"{name} " in done.stdout for name in NAMES)
    assert "What differs" in done.stdout or "requests over" in done.stdout
    assert (tmp_path / "places.html").stat().st_size


def with_earlier_results(folder: Path, url: str) -> None:
    """A folder where all places have been measured before, and so have results there and here."""
    (folder / "results").mkdir()
    for name in NAMES:
        path = folder / f"{name}.json.gz"
        made = Machine(folder).run(f"kab run {url} -n 20 --place {name} --json {path} >printed")
        assert made.returncode == 0, made
        shutil.copy(path, folder / "results")


def test_ansible_shows_no_earlier_result_of_a_host_whose_kab_fails(
    tmp_path: Path, ansible: Path, url: str
) -> None:
    with_earlier_results(tmp_path, url)
    done = played(tmp_path, ansible, "ftp://127.0.0.1")
    assert "Both places are lost: eu-west and us-east." in done.stdout, done
    assert "exit code 1" in done.stdout
    assert done.returncode == 2


def test_ansible_shows_no_earlier_result_of_a_host_that_cannot_be_reached(
    tmp_path: Path, ansible: Path, url: str
) -> None:
    with_earlier_results(tmp_path, url)
    done = played(tmp_path, ansible, url, _INVENTORY.replace("us-east", f"us-east {_AWAY}", 1))
    assert "1 of 2 places is lost: us-east." in done.stdout, done
    assert "exit code 3" in done.stdout
    assert done.returncode == 2


@pytest.mark.parametrize("is_one_wrong", [False, True])
def test_kubernetes_pods_log_what_is_compared(
    tmp_path: Path, url: str, *, is_one_wrong: bool
) -> None:
    job = yaml.safe_load(file("places-job.yaml", PLACES))["spec"]
    (container,) = job["template"]["spec"]["containers"]
    here = machine(tmp_path, url, kubectl=_KUBECTL)
    nodes = [f"node-{number}" for number in range(job["completions"])]
    for node in nodes:
        variables = {it["name"]: it.get("value", node) for it in container["env"]}
        is_wrong = is_one_wrong and node == nodes[0]
        variables["KAB_RUN_URL"] = "ftp://127.0.0.1" if is_wrong else url
        there = Machine(tmp_path, here.variables | variables)
        made = there.run(container["command"][-1], *container["command"][:-1])
        assert made.returncode == 0, made
        (tmp_path / f"pod-{node}.log").write_text(made.stdout + made.stderr, "utf-8")
    done = here.run(shell("kubectl apply"))
    assert done.returncode == (4 if is_one_wrong else 0), done
    assert [is_row(node, done.stdout) for node in nodes] == [not is_one_wrong, True, True]
    status = "missed" if is_one_wrong else "met"
    assert re.search(rf"\b{status} +total\.measured==3", done.stdout)
