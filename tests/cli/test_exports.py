"""`--json`, `--csv` and the others together: opened before, each whole or not at all."""

from __future__ import annotations

import csv
import gzip
import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from support.command import called, kab
from support.exports import DIALECTS, everything, stored, written

from keepalive_bench import analyse
from keepalive_bench.cli.exports import EXPORTERS, opened

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.server import ServerProcess

_SMALL = ("-n", "3", "--warmup", "0")


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    folder = tmp_path / "stored"
    folder.mkdir()
    file = folder / "run.json"
    file.write_text(stored(everything()), encoding="utf-8", errors="backslashreplace")
    return file


def suite(text: str) -> ET.Element:
    return ET.fromstring(text)[0]  # noqa: S314  # kab's own XML


def test_all_at_once(server: ServerProcess, tmp_path: Path) -> None:
    files = {name: tmp_path / f"run.{name}" for name in DIALECTS}
    options = [part for name, file in files.items() for part in (f"--{name}", str(file))]
    done = called("run", server.url, *_SMALL, *options)
    assert done.code == 0
    assert "latency mean" in done.out
    text = {name: file.read_bytes().decode() for name, file in files.items()}
    assert json.loads(text["json"])["schema_version"] == 1
    assert len(list(csv.reader(text["csv"].splitlines()))) == 1 + 6
    assert "| connections | 1 | 3 |" in text["markdown"]
    assert suite(text["junit"]).get("tests") == "1"
    assert 'arm="pooled",arm_kind="pooled"} 1\n' in text["openmetrics"]
    assert text["html"].startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dash_is_standard_output_for_it_alone(dialect: str, run_file: Path) -> None:
    done = called("report", str(run_file), f"--{dialect}", "-")
    run = everything()
    assert done.out == written(dialect, run).encode("utf-8", "backslashreplace").decode()
    for requirement in analyse(run).requirements:
        assert requirement.requirement.text in done.err


def test_standard_output_is_utf_8_whatever_the_terminal_is(run_file: Path) -> None:
    env = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = kab("report", str(run_file), "--markdown", "-", env=env)
    assert done.out == written("markdown", everything())


def test_only_one_goes_to_standard_output(server: ServerProcess) -> None:
    done = called("run", server.url, "--json", "-", "--csv", "-")
    assert (done.code, done.out) == (2, "")
    assert "--json and --csv can't both go to standard output" in done.err


def test_two_can_t_go_to_one_file_by_whatever_name(tmp_path: Path, run_file: Path) -> None:
    (tmp_path / "link").symlink_to("out")
    done = called(
        *("report", str(run_file), "--csv", str(tmp_path / "link")),
        *("--junit", str(tmp_path / "stored" / ".." / "out")),
    )
    assert done.code == 2
    assert "--csv and --junit can't both go to" in done.err
    assert not (tmp_path / "out").exists()


def test_several_may_go_to_nowhere(run_file: Path) -> None:
    assert called("report", str(run_file), "--csv", "/dev/null", "--junit", "/dev/null").code == 4


def test_a_name_that_can_t_be_written_costs_no_run(server: ServerProcess, tmp_path: Path) -> None:
    before = server.stats().accepts
    done = called(
        *("run", server.url, "--csv", str(tmp_path / "rows.csv")),
        *("--markdown", str(tmp_path / "no" / "such.md")),
    )
    assert done.code == 2
    assert "such.md can't be written" in done.err
    assert list(tmp_path.iterdir()) == []
    assert server.stats().accepts - before == 1  # the one that asks for this


def test_one_that_fails_is_no_harm_to_the_others(run_file: Path, tmp_path: Path) -> None:
    first, last = tmp_path / "first.json", tmp_path / "last.prom"
    done = called(
        *("report", str(run_file), "--json", str(first), "--csv", "/dev/full"),
        *("--openmetrics", str(last)),
    )
    assert done.code == 1
    assert done.err == "Error: /dev/full can't be written: No space left on device.\n"
    assert "latency mean" in done.out
    run = everything()
    assert first.read_bytes() == stored(run).encode("utf-8", "backslashreplace")
    assert last.read_text() == written("openmetrics", run)


def test_gz_compresses_the_same_text_to_the_same_bytes(run_file: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one.json.gz", tmp_path / "other.json.gz"
    for file in (one, other):
        assert called("report", str(run_file), "--json", str(file)).code == 4
    assert one.read_bytes() == other.read_bytes()
    assert gzip.decompress(one.read_bytes()) == run_file.read_bytes()
    assert called("report", str(one)).out == called("report", str(run_file)).out


def test_a_target_that_nothing_was_written_to_is_not_made(tmp_path: Path) -> None:
    def interrupted() -> None:
        with opened({EXPORTERS[1]: str(tmp_path / "rows.csv.gz")}):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_strict_makes_a_failed_test_case_of_what_is_undecided(run_file: Path) -> None:
    for options, failures in (((), "1"), (("--strict",), "2")):
        done = called("report", str(run_file), *options, "--junit", "-")
        assert suite(done.out).get("failures") == failures


def test_no_export_has_a_secret(run_file: Path) -> None:
    for dialect in DIALECTS:
        assert "hunter2" not in written(dialect, everything())
    assert "hunter2" not in run_file.read_text()
