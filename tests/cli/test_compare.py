"""`kab compare`: two stored runs, what changed, and what a build makes of it."""

from __future__ import annotations

import csv
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.command import called, kab
from support.exports import DIALECTS, everything, intervals_are_whole, stored
from support.runs import Script, paired_run
from support.sweeps import chance_discards, scripted_sweep

from keepalive_bench import compare as changes
from keepalive_bench.compare.requirements import change_scopes
from keepalive_bench.compare.verdict import CODES
from keepalive_bench.plan.plan import Experiment
from keepalive_bench.requirements.expression import parse
from keepalive_bench.server import Behaviour, ServerProcess, ServerSettings

if TYPE_CHECKING:
    from keepalive_bench.results.run import Run

PAGE = (Path(__file__).parents[2] / "docs/compare.md").read_text("utf-8")
SCHEMA = json.loads(Path(changes.__file__).with_name("comparison.schema.json").read_text("utf-8"))


def steady(latency_s: float, count: int = 80) -> Run:
    jitter = [1 + (number * 37 % 19) / 1000 for number in range(count)]
    return paired_run([latency_s * it for it in jitter], [3 * latency_s * it for it in jitter])


@cache
def stored_files() -> dict[str, str]:
    runs = {"base": steady(0.01), "same": steady(0.01004), "slow": steady(0.02)}
    runs |= {"second": steady(0.0104), "third": steady(0.0098)}
    return {name: stored(run) for name, run in (runs | {"hostile": everything()}).items()}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in stored_files().items():
        (tmp_path / f"{name}.json").write_text(text, "utf-8", errors="backslashreplace")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def verdict_of(*arguments: str) -> str:
    done = called("compare", *arguments, "--json", "-")
    assert done.code == 0
    return str(json.loads(done.out)["changes"][0]["verdict"]["code"])


@pytest.mark.slow
def test_a_slower_server_is_worse_and_a_quicker_one_better(tmp_path: Path) -> None:
    with ServerProcess(ServerSettings(behaviour=Behaviour(delay_s=0.002))) as quick:
        url, port = quick.url, quick.url.rpartition(":")[2].strip("/")
        one = called("run", url, "-n", "40", "--no-plot", "--json", str(tmp_path / "a.json"))
    with ServerProcess(ServerSettings(port=int(port), behaviour=Behaviour(delay_s=0.02))) as slow:
        two = called("run", slow.url, "-n", "40", "--no-plot", "--json", str(tmp_path / "b.json"))
    assert (one.code, two.code, slow.url) == (0, 0, url)
    base, new = str(tmp_path / "a.json"), str(tmp_path / "b.json")
    assert verdict_of(base, new) == "worse"
    assert verdict_of(new, base) == "better"
    done = called("compare", base, new, "--require", "pooled.p50.change<=10%")
    assert done.code == 4
    assert "✗ missed     pooled.p50.change<=10%" in done.out


def test_a_run_compared_with_itself_is_recognised_and_another_one_is_not(
    server: ServerProcess, tmp_path: Path
) -> None:
    a, b, s = (str(tmp_path / f"{name}.json") for name in "abs")
    for file in (a, b):
        assert called("run", server.url, "-n", "8", "--json", file).code == 0
    assert called("sweep", server.url, "--maxsize", "1,2", "-n", "8", "--json", s).code == 0
    for same in (a, s):
        line = "no-difference: Both files contain the same run: nothing changed."
        assert line in called("compare", same, same).out.splitlines()
    assert "the same run" not in called("compare", a, b).out


@pytest.mark.usefixtures("files")
def test_each_further_file_is_compared_with_the_first() -> None:
    done = called("compare", "base.json", "same.json", "slow.json")
    assert (done.code, done.err) == (0, "")
    assert done.out.count("BASE  base.json") == 2
    assert done.out.startswith("no-difference: ")
    assert "\nworse: A typical request of pooled (p50) takes 100.0 % longer" in done.out
    assert done.out.count("Intervals cover chance") == 2


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (["p50.change<=10%", "connections.change==0"], 0),
        (["p50.change<=-50%"], 4),
        (["pooled.p99.change<=10%"], 0),
        (["pooled.p99.change<=10%", "--strict"], 4),
        (["pooled.p99<=10ms"], 2),
        (["x.change<=1"], 2),
    ],
)
def test_the_exit_code_is_that_of_the_requirements(texts: list[str], code: int) -> None:
    options = [it if it == "--strict" else f"--require={it}" for it in texts]
    assert called("compare", "base.json", "same.json", *options).code == code


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["base.json"], "There is nothing to compare with"),
        (["base.json", "none.json"], "none.json can't be read: No such file"),
        (["base.json", "same.json", "same.json"], "same.json is named twice"),
        (["base.json", "base.json", "--new", "same.json"], "base.json is named twice: name each B"),
        (["base.json", "--new", "same.json", "--new", "same.json"], "same.json is named twice"),
        (
            ["base.json", "second.json", "--new", "base.json"],
            "base.json contain the same run: name",
        ),
        (["-", "base.json", "--new", "-"], "Standard input (-) holds one run"),
        (["-", "-"], "Standard input (-) holds one run"),
        (["base.json", "/dev/null"], "it ends too early"),
        (["base.json", "same.json", "--margin", "2"], "--margin 2 is 200 %: did you mean 2%?"),
    ],
)
def test_what_can_t_be_compared_is_refused_in_one_sentence(arguments: list[str], said: str) -> None:
    done = called("compare", *arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert said in done.err


@pytest.mark.usefixtures("files")
def test_standard_input_is_one_of_them() -> None:
    done = kab("compare", "base.json", "-", stdin=Path("slow.json").read_bytes())
    assert done.code == 0
    assert "NEW   standard input" in done.out


@pytest.mark.usefixtures("files")
def test_runs_that_differ_in_what_matters_are_compared_by_force_only() -> None:
    done = called("compare", "base.json", "hostile.json", "--require", "verdict!=worse")
    assert done.code == 4
    assert "not-comparable: The runs can't be compared: their plans differ in url" in done.out
    assert "? undecided  verdict!=worse" in done.out
    note = "Undecided requirements count as missed."
    assert done.out.endswith(f"\n1 requirement: 1 undecided.\n{note}\n")
    forced = called("compare", "base.json", "hostile.json", "--force")
    assert "worse: Compared although their plans differ in url" in forced.out


@pytest.mark.usefixtures("files")
def test_several_base_files_are_taken_together_in_every_dialect() -> None:
    names = ["base.json", "second.json", "third.json"]
    to = [part for it in DIALECTS for part in (f"--{it}", f"out.{it}")]
    done = called("compare", *names, "--new", "same.json", "--new", "slow.json", *to)
    assert (done.code, done.err) == (0, "")
    words = " ".join(done.out.split())
    assert words.count("BASE 3 runs: base.json (") == 2
    assert words.count("the variation between runs that the 3 BASE files show") == 2
    assert "worse: A typical request of pooled (p50) takes 98." in words
    assert "longer than in the 3 BASE runs (95 % CI " in words
    text = {it: Path(f"out.{it}").read_text("utf-8") for it in DIALECTS}
    document = json.loads(text["json"])
    jsonschema.validate(document, SCHEMA)
    assert [it["file"] for it in document["bases"]] == names
    assert [it["holds_variation"] for it in document["changes"]] == [True, True]
    p50 = document["changes"][1]["arms"]["pooled"]["latency_s"]["p50"]
    assert p50["base"] == pytest.approx(p50["new"] / 2 * (1.04 * 0.98) ** (1 / 3))
    rows = list(csv.DictReader(text["csv"].splitlines()))
    assert {(it["base"], it["base_files"]) for it in rows} == {(", ".join(names), "3")}
    suites = ET.fromstring(text["junit"])  # noqa: S314  # kab's own XML
    told = [{it.get("name"): it.get("value") for it in suite.iter("property")} for suite in suites]
    assert [(it["base"], it["base_files"]) for it in told] == [(", ".join(names), "3")] * 2
    families = {it.name: it.samples for it in text_string_to_metric_families(text["openmetrics"])}
    assert [it.value for it in families["kab_compare_base_files"]] == [3, 3]
    assert {it.labels["base"] for it in families["kab_compare_verdict"]} == {", ".join(names)}
    assert "- BASE: `3 runs: base.json (" in text["markdown"]
    assert "<h1>base.json and 2 more → slow.json</h1>" in text["html"]
    assert "BASE: 3 runs: base.json (" in text["html"]


@pytest.mark.usefixtures("files")
def test_base_files_that_can_not_stand_together_fail_a_build_that_asks() -> None:
    bases = ("base.json", "hostile.json", "third.json")
    done = called("compare", *bases, "--new", "slow.json")
    assert done.code == 0
    said = "not-comparable: The BASE runs base.json and hostile.json can't be combined: the"
    assert said in " ".join(done.out.split())
    options = ("--new", "slow.json", "--require", "verdict!=worse")
    assert called("compare", *bases, *options).code == 4


APART = {
    "another arm": (steady(0.01), Script(("mine", "pooled"), requests=1).run()),
    "a sweep": (steady(0.01), scripted_sweep(1, 2)),
    "no value in common": (scripted_sweep(1, 2), scripted_sweep(4, 8)),
}


@pytest.mark.parametrize("pair", APART.values(), ids=APART)
def test_runs_without_a_common_arm_have_a_verdict_in_every_dialect(
    pair: tuple[Run, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, run in zip(("base.json", "new.json"), pair, strict=True):
        Path(name).write_text(stored(run), "utf-8")
    to = [part for it in DIALECTS for part in (f"--{it}", f"out.{it}")]
    done = called("compare", "base.json", "new.json", "--force", *to)
    assert (done.code, done.err) == (0, "")
    assert "not-comparable: The runs have no arm in common." in done.out.splitlines()
    text = {it: Path(f"out.{it}").read_text("utf-8") for it in DIALECTS}
    document = json.loads(text["json"])
    jsonschema.validate(document, SCHEMA)
    assert document["changes"][0]["arms"] == {}
    parts = {it["part"] for it in csv.DictReader(text["csv"].splitlines())}
    assert parts <= {"recommendation"}
    for dialect in ("markdown", "html"):
        assert "The runs have no arm in common." in text[dialect]
    (suite,) = ET.fromstring(text["junit"])  # noqa: S314  # kab's own XML
    assert (suite.get("tests"), suite.get("skipped")) == ("1", "1")
    families = {it.name: it.samples for it in text_string_to_metric_families(text["openmetrics"])}
    assert [it.value for it in families.pop("kab_compare_base_files")] == [1]
    (sample,) = families.pop("kab_compare_verdict")
    assert sample.labels["code"] == "not-comparable"
    assert not any(families.values())


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("new", "columns"),
    [
        ("slow.json", 30),
        ("slow.json", 40),
        ("slow.json", 60),
        ("hostile.json", 40),
        ("hostile.json", 200),
    ],
)
def test_the_width_is_the_terminal_s(new: str, columns: int) -> None:
    done = called("compare", "base.json", new, "--force", env={"COLUMNS": str(columns)})
    assert max(map(len, done.lines)) <= columns
    if new == "slow.json":
        assert "+100.0 %" in done.out
        assert intervals_are_whole(done.out)
    listed = done.out.partition("Other differences\n")[2].partition("The runs sent")[0]
    listed = listed.partition("Intervals cover")[0]
    assert all(line.startswith(("  ", "! ")) for line in listed.splitlines())


@pytest.mark.usefixtures("files")
def test_where_the_terminal_knows_ascii_only_so_is_the_output() -> None:
    required = ("--require", "failed.change<=0")
    done = called("compare", "base.json", "slow.json", *required, encoding="ascii")
    assert "?" not in done.out
    assert "+ met" in done.out


@pytest.mark.usefixtures("files")
def test_all_exports_at_once() -> None:
    to = [part for it in DIALECTS for part in (f"--{it}", f"out.{it}")]
    required = ("--require", "p50.change<=10%", "--require", "failed.change<=0")
    done = called("compare", "base.json", "same.json", "slow.json", *required, *to)
    assert done.code == 4
    text = {it: Path(f"out.{it}").read_text("utf-8") for it in DIALECTS}
    document = json.loads(text["json"])
    jsonschema.validate(document, SCHEMA)
    assert [it["verdict"]["code"] for it in document["changes"]] == ["no-difference", "worse"]
    rows = list(csv.DictReader(text["csv"].splitlines()))
    (row,) = [it for it in rows if it["name"] == "latency_s.p50" and it["new"] == "slow.json"][:1]
    assert (row["part"], row["base"], row["base_files"]) == ("arms.pooled", "base.json", "1")
    p50 = document["changes"][1]["arms"]["pooled"]["latency_s"]["p50"]
    assert float(row["change"]) == p50["change"] == pytest.approx(1.0)
    assert p50["low"] < 1 < p50["high"]
    assert [line for line in text["markdown"].splitlines() if line.startswith("## ")] == [
        "## ✅ kab compare: no-difference; 2 requirements: 2 met",
        "## ❌ kab compare: worse; 2 requirements: 1 missed, 1 met",
    ]
    root = ET.fromstring(text["junit"])  # noqa: S314  # kab's own XML
    assert [it.get("failures") for it in root] == ["0", "1"]
    families = {it.name: it for it in text_string_to_metric_families(text["openmetrics"])}
    ratios = families["kab_compare_latency_ratio"].samples
    wanted = {"new": "slow.json", "arm": "pooled", "statistic": "p50", "bound": "estimate"}
    (found,) = [it.value for it in ratios if it.labels.items() >= wanted.items()]
    assert found == pytest.approx(2.0)
    assert text["html"].startswith("<!DOCTYPE html>")
    assert "<script" not in text["html"]
    assert '<div class="status met"><p>✓ 2 requirements: 2 met.</p>' in text["html"]
    missed = '<div class="status missed"><p>✗ 2 requirements: 1 missed, 1 met.</p>'
    assert missed in text["html"]
    ids = re.findall(r' id="([^"]*)"', text["html"])
    assert len(ids) == len(set(ids))


def test_what_two_sweeps_recommend_is_compared(files: Path) -> None:
    for name, threads in (("four", 4), ("eight", 8)):
        text = stored(scripted_sweep(1, 2, 4, 8, threads=threads))
        (files / f"{name}.json").write_text(text, "utf-8")
    options = ("--force", "--require", "recommendation.maxsize.change<=0", "--json", "-")
    done = called("compare", "four.json", "eight.json", *options)
    assert done.code == 4
    document = json.loads(done.out)
    jsonschema.validate(document, SCHEMA)
    recommended = {"option": "maxsize", "base": 4, "new": 8, "change": 4}
    assert document["changes"][0]["recommendation"] == recommended
    unforced = called("compare", "four.json", "eight.json", *options[1:3])
    assert (unforced.code, "? undecided  recommendation" in unforced.out) == (4, True)
    rows = called("compare", "four.json", "eight.json", "--force", "--csv", "-").out.splitlines()
    assert rows[-1] == "four.json,eight.json,recommendation,maxsize,4,8,4,,,1"
    metrics = called("compare", "four.json", "eight.json", "--force", "--openmetrics", "-").out
    families = {it.name: it.samples for it in text_string_to_metric_families(metrics)}
    (sample,) = families["kab_compare_recommended_difference"]
    assert (sample.value, sample.labels["option"]) == (4, "maxsize")
    shown = called("compare", "four.json", "eight.json", "--force", "--no-color").out
    assert re.search(r"^recommended\n  maxsize +4 +8 +\+4$", shown, re.MULTILINE)
    sizes = "(1 48 and 96, 2 48 and 96, 4 48 and 96, 8 48 and 96)"
    words = " ".join(shown.split())
    assert f"The runs sent different numbers of requests {sizes}, so counts differ" in words
    alike = called("compare", "four.json", "four.json", "--json", "-").out
    assert json.loads(alike)["changes"][0]["recommendation"]["change"] == 0
    done = called("compare", "base.json", "same.json", *options[:3])
    assert "undecided  recommendation.maxsize.change<=0" in done.out
    assert "the runs aren't sweeps over maxsize" in " ".join(done.out.split())
    assert "different numbers" not in done.out


def test_a_change_of_what_is_recommended_is_undecided_where_smaller_values_may_do(
    files: Path,
) -> None:
    """16 threads: 8 is enough, and so may 4 be; of 8 threads, 8 is the smallest that is."""
    (files / "may.json").write_text(stored(chance_discards()), "utf-8")
    (files / "eight.json").write_text(stored(scripted_sweep(2, 4, 8, threads=8)), "utf-8")
    demands = [f"recommendation.maxsize.change{it}" for it in ("<=0", "==0", "<=4", ">=0")]
    options = ["--force", *(word for text in demands for word in ("--require", text))]
    done = called("compare", "may.json", "eight.json", *options, "--json", "-")
    requirements = json.loads(done.out)["changes"][0]["requirements"]
    assert [it["status"] for it in requirements] == ["undecided", "undecided", "met", "met"]
    done = called("compare", "may.json", "eight.json", *options)
    assert "maxsize.change is 0, but a smaller value may be enough in either run" in " ".join(
        done.out.split()
    )


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("options", "code", "outcomes"),
    [
        ((), 0, ["skipped"]),
        (("--strict",), 0, ["skipped"]),
        (("--require", "verdict!=worse"), 4, ["skipped", "failure"]),
        (("--require", "verdict!=worse", "--strict"), 4, ["skipped", "failure"]),
        (("--require", "verdict!=worse", "--force"), 4, [None, "failure"]),
    ],
)
def test_test_cases_fail_where_the_exit_code_does(
    options: tuple[str, ...], code: int, outcomes: list[str | None]
) -> None:
    done = called("compare", "base.json", "hostile.json", *options, "--junit", "-")
    assert done.code == code
    (suite,) = ET.fromstring(done.out)  # noqa: S314  # kab's own XML
    cases = [[part.tag for part in case] for case in suite.iter("testcase")]
    assert cases == [[] if it is None else [it] for it in outcomes]
    counted = [suite.get(name) for name in ("failures", "errors", "skipped")]
    assert counted == [f"{outcomes.count('failure')}", "0", f"{outcomes.count('skipped')}"]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_hostile_text_shows_as_text(dialect: str, files: Path) -> None:
    name = "<script>\x1b[31m|`.json"
    (files / name).write_bytes(Path("hostile.json").read_bytes())
    done = called("compare", "base.json", name, "--force", f"--{dialect}", "-")
    assert done.code == 0
    assert "\x1b" not in done.text
    assert "hunter2" not in done.text
    if dialect in {"html", "junit", "markdown"}:
        assert "<script>" not in done.out.replace("`` <script>", "")


@pytest.mark.usefixtures("files")
def test_every_kind_of_pair_is_valid_against_the_schema() -> None:
    for base, new in (("hostile", "base"), ("base", "hostile"), ("hostile", "hostile")):
        for options in ((), ("--force", "--require", "p95.change<=10%")):
            done = called("compare", f"{base}.json", f"{new}.json", *options, "--json", "-")
            jsonschema.validate(json.loads(done.out), SCHEMA)


@pytest.mark.usefixtures("files")
def test_a_comparison_is_no_run() -> None:
    assert called("compare", "base.json", "same.json", "--json", "c.json").code == 0
    done = called("report", "c.json")
    assert (done.code, done.err.count("\n")) == (2, 1)


@pytest.mark.usefixtures("files")
def test_confidence_and_margin_are_those_given() -> None:
    def change(*options: str) -> Any:  # noqa: ANN401  # whatever JSON has
        done = called("compare", "base.json", "same.json", "--json", "-", *options)
        return json.loads(done.out)["changes"][0]

    usual, wide = change(), change("--confidence", "0.99", "--margin", "0.2")
    assert (usual["confidence"], wide["confidence"], wide["margin"]) == (0.95, 0.99, 0.2)
    one, other = (it["arms"]["pooled"]["latency_s"]["p50"] for it in (usual, wide))
    assert other["low"] < one["low"] < one["high"] < other["high"]


def test_the_page_s_requirements_and_verdicts_are_kab_s() -> None:
    named = tuple(change_scopes(Experiment().arms))
    block = PAGE.partition("```text\n")[2].partition("```")[0]
    for text in block.splitlines():
        parse(text, named)
    for code in CODES:
        assert f"| `{code}` |" in PAGE
