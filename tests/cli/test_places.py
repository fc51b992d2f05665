"""`kab places`: runs from files, folders and standard input, and what a build makes of them."""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.command import called
from support.exports import nothing, stored
from support.places import Link, run_over

from keepalive_bench.results.measured import LostProcess

if TYPE_CHECKING:
    from keepalive_bench import Run


@cache
def files() -> dict[str, str]:
    runs = {
        "near": run_over(Link(0.002)),
        "far": run_over(Link(0.08), place="ap-south"),
        "failing": run_over(Link(0.02), failing=4),
        "silent": nothing(),
        "cut": _interrupted(),
        "alone": run_over(Link(0.02), ("mine", "pooled")),
    }
    return {name: stored(run) for name, run in runs.items()}


def _interrupted() -> Run:
    """Of twice as many requests, with a process that is lost."""
    run = run_over(Link(0.02))
    experiment = replace(run.plan.experiment, requests=120, processes=2)
    lost = LostProcess(1, "it was killed", {"pooled": 0, "unpooled": 0})
    return run._replace(
        plan=replace(run.plan, experiment=experiment),
        run_info=run.run_info._replace(interrupted=True, lost=(lost,)),
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in files().items():
        (tmp_path / f"{name}.json").write_text(text, "utf-8", errors="backslashreplace")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def document(*arguments: str, code: int = 0) -> dict[str, Any]:
    done = called("places", *arguments, "--json", "-")
    assert done.code == code, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def names(*arguments: str, code: int = 0) -> list[str]:
    found = document(*arguments, code=code)
    return [it["name"] for part in ("places", "lost") for it in found[part]]


def refused(*arguments: str) -> str:
    done = called("places", *arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    return done.err


def test_a_place_is_called_as_the_user_says_or_the_run_or_else_its_file() -> None:
    assert names("near.json", "far.json") == ["near", "ap-south"]
    assert names("eu=near.json", "us=far.json") == ["eu", "us"]


def test_the_nearest_place_comes_first() -> None:
    assert names("far.json", "alone.json", "near.json") == ["near", "alone", "ap-south"]


def test_a_file_may_be_compressed() -> None:
    Path("x.json.gz").write_bytes(gzip.compress(Path("near.json").read_bytes()))
    assert names("x.json.gz", "near.json") == ["near", "x"]


def test_a_file_whose_name_has_an_equals_sign_is_a_file() -> None:
    for name in ("a=b.json", "x=1/run=2.json"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(files()["near"], "utf-8")
    assert names("a=b.json") == ["a=b"]
    assert names("x=1/run=2.json") == ["run=2"]
    assert names("c=a=b.json") == ["c"]
    assert names("x=1") == ["run=2"]


def test_a_folder_is_all_results_in_it_and_below_but_for_hidden_ones(folder: Path) -> None:
    for name in ("in/a/b.json", "in/c.json.gz", "in/.hidden.json", "in/.git/d.json", "in/e.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        text = files()["near"].encode()
        (folder / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    assert sorted(names("in")) == ["a/b", "c"]


def test_a_pipe_in_a_folder_is_no_result(folder: Path) -> None:
    (folder / "in").mkdir()
    os.mkfifo(folder / "in/pipe.json")
    assert "The folder in has no *.json" in refused("in")


def test_other_json_in_a_folder_is_skipped_and_told(folder: Path) -> None:
    called("places", "near.json", "--json", str(folder / "places.json"))
    for name in files().keys() - {"near"}:
        (folder / f"{name}.json").unlink()
    (folder / "package.json").write_text('{"name": "x"}')
    done = called("places", ".", "--json", "-")
    assert (done.code, [it["name"] for it in json.loads(done.out)["places"]]) == (0, ["near"])
    of_places = "it is of the kind 'places', and kab run writes another."
    assert done.err.splitlines() == [
        "Skipped: package.json isn't a kab results file: it has no schema_version.",
        f"Skipped: places.json isn't a kab results file: {of_places}",
    ]


def test_what_is_damaged_or_missing_is_a_lost_place(folder: Path) -> None:
    (folder / "in").mkdir()
    (folder / "in/cut.json").write_text(files()["near"][:5000], "utf-8")
    (folder / "in/empty.json").write_text("")
    (folder / "in/link.json").symlink_to("nowhere")
    (folder / "package.json").write_text("{}")
    found = document("in", "near.json", "gone.json", "ny=gone.json", "package.json", code=3)
    lost = {it["name"]: it["why"] for it in found["lost"]}
    assert [*lost] == ["cut", "empty", "gone", "link", "ny", "package"]
    assert "ends too early" in lost["cut"]
    assert lost["ny"] == "gone.json can't be read: No such file or directory."
    assert lost["package"].endswith("isn't a kab results file: it has no schema_version.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["near.json", "near.json"], "that of near.json, and that of near.json."),
        (["a=near.json", "a=far.json"], "Two places are called 'a': that of near.json, and that"),
        (["near.json", "near=gone.json"], "Two places are called 'near'"),
        (["ü=near.json"], "No place can be called 'ü' (NAME=FILE): a name has up to 64 of the"),
        (["::error::x\x1b=near.json"], "No place can be called ':\\x3aerror:\\x3ax\\x1b'"),
        (["empty"], "The folder empty has no *.json or *.json.gz files."),
        (["http://127.0.0.1/"], "is a URL, and kab places reads results: measure with kab run."),
        (["a=empty"], "empty is a folder, whose places have names of their own: leave 'a' out"),
        (["near.json", "--require", "p95"], "a comparison is missing"),
        (["near.json", "--require", "eu: total.lost==0"], "is of the whole"),
        (["near.json", "--require", "x: nonsense<=1"], "there is no 'nonsense'"),
        (["near.json", "alone.json", "--require", "pooled.p95<=1s"], "alone (alone.json): In the"),
        (["near.json", "--margin", "2"], "--margin 2 is 200 %: did you mean 2%?"),
        (["near.json", "--json", "-", "--csv", "-"], "can't both go to standard output"),
        ([], "Missing argument"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    folder: Path, arguments: list[str], said: str
) -> None:
    (folder / "empty").mkdir()
    assert said in refused(*arguments)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("near.json far.json", 0),
        ("silent.json", 1),
        ("gone.json", 1),
        ("silent.json gone.json --require total.lost==0", 1),
        ("near.json gone.json", 3),
        ("near.json failing.json", 3),
        ("near.json silent.json", 3),
        ("near.json cut.json", 3),
        ("near.json far.json --require pooled.p95<=1s", 0),
        ("near.json far.json --require pooled.p95<=5ms", 4),
        ("near.json gone.json --require pooled.p95<=1s", 4),
        ("near.json gone.json --require total.lost==0", 4),
        ("near.json --require total.connections<=61", 0),
        ("near.json --require p99<=1s", 0),
        ("near.json --require p99<=1s --strict", 4),
    ],
)
def test_the_exit_code_tells_what_came_of_it(arguments: str, code: int) -> None:
    assert called("places", *arguments.split()).code == code


def test_a_run_that_is_not_whole_is_told() -> None:
    lines = called("places", "near.json", "cut.json").lines
    assert "! The run in cut was interrupted." in lines
    assert "! A process of the run in cut is lost: it was killed." in lines


def test_a_requirement_may_be_of_one_place_by_the_arms_that_it_has() -> None:
    for order in (["near.json", "alone.json"], ["alone.json", "near.json"]):
        for text in ("alone: mine.p95<=1s", "near: pooled.p95<=1s", "near: speedup>=1.2"):
            assert called("places", *order, "--require", text).code == 0
    assert called("places", "near.json", "--require", "alone: p95<=1s").code == 4


def test_confidence_and_margin_judge_anew() -> None:
    assert document("near.json")["places"][0]["verdict"]["code"] == "faster"
    judged = document("near.json", "--margin", "90%")
    assert judged["places"][0]["verdict"]["code"] == "no-difference"
    assert judged["sentence"] == (
        "Reusing the connection makes no difference of more than 90 % in near."
    )
    said = called("places", "near.json", "--confidence", "0.9").out
    assert "90 % CI" in said


def test_requirements_of_a_stored_run_aren_t_the_places_own(folder: Path) -> None:
    found = json.loads(files()["near"])
    found["plan"]["requirements"] = ["pooled.p95<=1ns"]
    (folder / "own.json").write_text(json.dumps(found))
    assert document("own.json")["requirements"] == []


def test_all_exports_at_once_and_a_sentence_on_the_screen() -> None:
    dialects = ("json", "csv", "markdown", "junit", "openmetrics")
    to = [part for it in dialects for part in (f"--{it}", f"out.{it}")]
    done = called("places", "near.json", "far.json", "gone.json", *to)
    assert done.code == 3
    assert done.out.startswith("Reusing the connection is worth 1 round trip: 2.00 ms in near and")
    for it in dialects:
        text = Path(f"out.{it}").read_text("utf-8")
        assert "ap-south" in text
        assert "gone" in text


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_width_is_the_terminal_s(columns: int) -> None:
    done = called("places", "near.json", "far.json", "gone.json", env={"COLUMNS": str(columns)})
    assert max(map(len, done.lines)) <= columns


def test_where_the_terminal_knows_ascii_only_so_is_the_output() -> None:
    required = ("--require", "failed<=0")
    done = called("places", "near.json", "far.json", "gone.json", *required, encoding="ascii")
    assert "?" not in done.out
    assert "x missed" in done.out


def test_annotations_are_for_github_only() -> None:
    arguments = ("near.json", "gone.json", "--require", "total.lost==0")
    lines = called("places", *arguments, "--github").text.splitlines()
    assert [it.partition("::")[2].partition("::")[0] for it in lines if it.startswith("::")] == [
        "error title=Missed%3A total.lost==0",
        "warning title=kab places",
    ]
