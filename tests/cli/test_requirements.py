"""`--require`: met, missed and undecided on real runs, and what the exit code makes of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.command import called
from support.runs import paired_run
from support.scripted_server import answering, response

import keepalive_bench
from keepalive_bench import RequirementError, UsageError, analyse
from keepalive_bench.cli.session import exit_code, report_of
from keepalive_bench.errors import ExitCode
from keepalive_bench.report.document import derived_document
from keepalive_bench.results.file import document_lines
from keepalive_bench.server import Behaviour, ServerProcess, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[2] / "docs/python.md").read_text("utf-8")
IMPOSSIBLE, SURE, OPEN = "pooled.p50<=1ns", "pooled.max<=10s", "run_info.gil_wait_s<=10"
"""Of any server on loopback: missed, met, and undecided, as one thread waits for no other."""
MANY = ("-n", "100")
"""Enough to bound a median, however alike neighbouring requests are."""


@pytest.fixture(scope="module")
def closing() -> Iterator[ServerProcess]:
    """A server that ends each connection after two responses, and says so."""
    with ServerProcess(ServerSettings(behaviour=Behaviour(close_after=2))) as process:
        yield process


def required(url: str, *texts: str, options: tuple[str, ...] = ()) -> tuple[int, str, str]:
    arguments = [part for text in texts for part in ("--require", text)]
    done = called("run", url, "-n", "40", "--no-plot", *arguments, *options)
    return done.code, done.out, done.err


def test_requirements_that_are_met_end_with_0_and_are_listed_after_the_verdict(
    server: ServerProcess,
) -> None:
    code, out, err = required(server.url, "reopened==0", "connections<=1", SURE)
    assert (code, err) == (0, "")
    listed = out.rpartition("\n\n")[2].splitlines()
    assert listed[:2] == [
        "✓ met        reopened==0: pooled.reopened is 0.",
        "✓ met        connections<=1: pooled.connections is 1.",
    ]
    assert listed[2].startswith("✓ met        pooled.max<=10s: pooled.max is ")
    assert listed[3:] == ["3 requirements: 3 met."]


def test_one_that_is_missed_ends_with_4_as_the_server_counted(closing: ServerProcess) -> None:
    before = closing.stats()
    code, out, _ = required(closing.url, "reasons.server-close==0", "failed==0")
    after = closing.stats()
    opened = after.accepts - before.accepts - 1 - 2 - 40  # this, warm-ups, unpooled
    assert code == 4
    assert (
        f"✗ missed     reasons.server-close==0: pooled.reasons.server-close is {opened - 1}." in out
    )
    assert "✓ met        failed==0: failed is 0." in out


def test_what_is_undecided_fails_with_strict_only(server: ServerProcess) -> None:
    code, out, err = required(server.url, OPEN)
    assert code == 0
    assert f"? undecided  {OPEN}: run_info.gil_wait_s is unknown:" in out
    note = "Undecided requirements don't affect the exit code; with --strict they do."
    assert out.endswith(f"\n1 requirement: 1 undecided.\n{note}\n")
    assert not err
    code, out, _ = required(server.url, OPEN, options=("--strict",))
    assert code == 4
    assert out.splitlines()[-2:] == [
        "1 requirement: 1 undecided.",
        "Undecided requirements count as missed.",
    ]


FIVE = ("failed==0", OPEN, "reopened==1", "run_info.gil_wait_s<=1", SURE)
COUNTED = "5 requirements: 1 missed, 2 undecided, 2 met"


@pytest.mark.parametrize(
    ("strict", "note"),
    [
        ((), "Undecided requirements don't affect the exit code; with --strict they do."),
        (("--strict",), "Undecided requirements count as missed."),
    ],
)
def test_what_is_missed_comes_first_then_what_is_undecided_and_all_are_counted(
    strict: tuple[str, ...], note: str, server: ServerProcess, tmp_path: Path
) -> None:
    markdown, page = tmp_path / "report.md", tmp_path / "page.html"
    options = (*strict, "--markdown", str(markdown), "--html", str(page))
    code, out, _ = required(server.url, *FIVE, options=options)
    assert code == 4
    *listed, told, last = out.rpartition("\n\n")[2].splitlines()
    marked = [line[:2] for line in listed if line[0] != " "]
    assert marked == ["✗ ", "? ", "? ", "✓ ", "✓ "]
    assert (told, last) == (f"{COUNTED}.", note)
    first = markdown.read_text("utf-8").splitlines()[0]
    assert re.fullmatch(rf"## ❌ kab: [a-z-]+; {COUNTED}", first)
    shown = re.sub("</?span[^>]*>", "", page.read_text("utf-8"))  # what stays on a line
    assert re.search(
        rf'<p class="verdict [a-z-]+ missed">[^<]*</p><div class="status missed">'
        rf"<p>✗ {re.escape(COUNTED)}\.</p>",
        shown,
    )
    assert f'<p class="remark">{note}</p>' in shown


PAUSED = "requests pause, so how many are possible isn't known"
GIVEN = "requests start at a given --rate"


@pytest.mark.parametrize(
    ("text", "options", "why"),
    [
        (
            "pooled.p95<=50ms",
            (),
            "40 requests per arm can't show that pooled.p95<=50ms is met: use -n 59 or more.",
        ),
        ("unpooled.reuse>=98%", (), "unpooled.reuse is always 0 %."),
        ("reuse>=98%", ("-n", "1"), "the first request of a pool has nothing to reuse, and "),
        ("connections<1", (), "pooled.connections is at least 1."),
        ("failed>80", (), "failed is at most 80."),
        ("pooled.stdev<=1s", (), "kab computes no interval for it."),
        ("late_starts.count==0", (), "only requests of a --rate have a time to start at."),
        ("recommendation.maxsize<=4", (), "the run isn't a sweep over maxsize."),
        ("requests_per_second>=1", ("--think-time", "1ms"), f"{PAUSED}."),
        ("comparisons[0].requests_per_second>=0.001", ("--rate", "9/s"), f"{GIVEN}."),
    ],
)
def test_what_no_run_of_the_plan_can_meet_is_refused_before_anything_is_sent(
    text: str, options: tuple[str, ...], why: str, refusing_url: str
) -> None:
    code, out, err = required(refusing_url, "failed==0", text, options=options)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert why in err
    assert text in err


def test_few_requests_show_that_a_high_quantile_is_far_too_high(tmp_path: Path) -> None:
    """What so few could not meet, they may miss: of a run that is stored, that is said."""
    file = tmp_path / "run.json"
    with ServerProcess(ServerSettings(behaviour=Behaviour(delay_s=0.004))) as slow:
        required(slow.url, options=("-n", "5", "--json", str(file)))
    done = called("report", str(file), "--require", "pooled.p95<=1ms", "--require", "p95>=1ms")
    words = " ".join(done.out.split())
    at_least = (
        r"(unknown, but|[\d.]+ ms, and) at least (?:[4-9]|\d\d+)[\d.]* ms at 95 % confidence\."
    )
    assert done.code == 4
    assert re.search(rf"✗ missed pooled\.p95<=1ms: pooled\.p95 is {at_least}", words)
    assert re.search(rf"✓ met p95>=1ms: pooled\.p95 is {at_least}", words)


def test_many_requests_show_that_a_p95_is_far_below_its_bound(server: ServerProcess) -> None:
    code, out, err = required(server.url, "pooled.p95<=2500ms", options=("-n", "300"))
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    # A machine that is busy by turns makes requests too much alike for an end to be known.
    assert (
        re.search(
            r"✓ met pooled\.p95<=2500ms: pooled\.p95 is [\d.]+ ms, and at most [\d.]+ ms "
            r"at 95 % confidence\. 1 requirement: 1 met\.$",
            words,
        )
        or "with this autocorrelation" in words
    )


@pytest.mark.parametrize("text", ["pooled.p59<=50ms", "reopened"])
def test_a_bad_expression_is_refused_before_anything_is_sent(
    text: str, server: ServerProcess, tmp_path: Path
) -> None:
    before = server.stats()
    file = tmp_path / "results.json"
    code, out, err = required(server.url, "failed==0", text, options=("--json", str(file)))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"In the requirement '{text}', at character " in err
    assert server.stats().requests == before.requests + 1  # this one
    assert not file.exists()


@pytest.mark.parametrize("export", [(), ("--json", "-")])
def test_where_nothing_was_measured_that_goes_first_and_requirements_are_told_all_the_same(
    export: tuple[str, ...], refusing_url: str
) -> None:
    texts = ("reopened==0", "failed==0", "failures.connect-refused==5")
    code, out, err = required(refusing_url, *texts, options=(*export, "--quiet"))
    assert (code, bool(out)) == (1, bool(export))
    error, *lines = err.splitlines()
    assert error.startswith(f"Error: Nothing could be measured of {refusing_url}: connect-refused ")
    assert lines == [
        "✗ missed     failed==0: failed is 10 (connect-refused: 10).",
        "? undecided  reopened==0: pooled.reopened is unknown: no request of pooled was answered.",
        "✓ met        failures.connect-refused==5: pooled.failures.connect-refused is 5.",
        (
            "3 requirements: 1 missed, 1 undecided, 1 met. Undecided requirements don't "
            "affect the exit code; with --strict they do."
        ),
    ]


def test_a_missed_requirement_goes_before_failed_requests() -> None:
    arm = ("--arm", "pooled", "--warmup", "0")
    for text, code in (("failed==0", 4), ("failed>=1", 3)):
        with answering(response(), b"") as scripted:
            assert required(scripted.url, text, options=arm)[0] == code


def test_an_interruption_goes_before_a_missed_requirement() -> None:
    run = paired_run([0.25] * 8, [0.5] * 8)
    assert exit_code(report_of(run, analyse(run, ["reopened==1"]))) == ExitCode.REQUIREMENT_MISSED
    interrupted = run._replace(run_info=run.run_info._replace(interrupted=True))
    assert (
        exit_code(report_of(interrupted, analyse(interrupted, ["reopened==1"])))
        == ExitCode.INTERRUPTED
    )


def test_the_results_file_has_them_and_standard_error_too_where_no_report_is_shown(
    server: ServerProcess,
) -> None:
    code, out, err = required(server.url, "reopened==0", IMPOSSIBLE, options=(*MANY, "--json", "-"))
    assert code == 4
    document = json.loads(out)
    assert document["plan"]["requirements"] == ["reopened==0", IMPOSSIBLE]
    met, missed = document["requirements"]
    assert met == {
        "text": "reopened==0",
        "name": "arms.pooled.reopened",
        "operator": "==",
        "bound": 0,
        "status": "met",
        "value": 0,
        "low": None,
        "high": None,
        "sentence": "pooled.reopened is 0.",
        "because": [],
    }
    latency = document["arms"]["pooled"]["latency_s"]
    assert (missed["status"], missed["bound"]) == ("missed", 1e-9)
    assert missed["value"] == latency["p50"]
    # All of the doubt is on the end that decides: it is nearer than that of the interval.
    assert latency["low"]["p50"] <= missed["low"] <= missed["value"]
    assert missed["value"] <= missed["high"] <= latency["high"]["p50"]
    assert [line[:12] for line in err.splitlines()] == [
        "✗ missed    ",
        "✓ met       ",
        "2 requiremen",
    ]


def test_a_stored_run_is_held_against_the_same_requirements_again(
    server: ServerProcess, tmp_path: Path
) -> None:
    file = tmp_path / "run.json"
    code, out, _ = required(
        server.url, "reopened==0", IMPOSSIBLE, options=(*MANY, "--json", str(file))
    )
    again = called("report", str(file), "--no-plot")
    assert (again.code, again.out) == (code, out) == (4, out)
    more = called("report", str(file), "--require", "connections>=2")
    assert "✗ missed     connections>=2: pooled.connections is 1 (first-use: 1)." in more.out


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (["nonsense==0"], "run.json has a bad requirement. In the requirement 'nonsense==0', at "),
        (["p95<=\x1b[31m"], r"run.json has a bad requirement. In the requirement 'p95<=\x1b[31m'"),
        ("reopened==0", "isn't a kab results file"),
        ([["reopened==0"]], "isn't a kab results file"),
        ([f"p95<={number}s" for number in range(1001)], ""),
    ],
)
def test_hostile_requirements_of_a_stored_run_are_refused_in_one_sentence(
    stored: object, said: str, tmp_path: Path
) -> None:
    run = paired_run([0.25] * 8, [0.5] * 8)
    document = json.loads("".join(document_lines(run, derived_document(analyse(run)))))
    document["plan"]["requirements"] = stored
    file = tmp_path / "run.json"
    file.write_text(json.dumps(document), "utf-8")
    done = called("report", str(file))
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert said.lower() in done.err.lower()


def test_where_the_terminal_knows_ascii_only_the_marks_are_plain(server: ServerProcess) -> None:
    done = called(
        *("run", server.url, "-n", "40", "--no-plot", "--require", "reopened==0"),
        *("--require", "reopened==1", "--require", OPEN, "--require", "speedup>=0.001"),
        encoding="ascii",
    )
    lines = [line for line in done.lines if re.match(r"[+x?] (met|missed|undecided)", line)]
    assert [line[:12] for line in lines] == [
        "x missed    ",
        "? undecided ",
        "+ met       ",
        "+ met       ",
    ]
    assert done.text.isascii()


def test_long_lines_stay_within_the_terminal_and_below_their_own_beginning(
    server: ServerProcess,
) -> None:
    done = called(
        *("run", server.url, "-n", "40", "--no-plot", "--require", SURE),
        *("--require", "run_info.gil_wait_s <= 10000000000000"),
        env={"COLUMNS": "60"},
    )
    lines = done.out.partition("? undecided")[2].partition("\n2 requirements")[0].splitlines()
    assert max(map(len, lines)) <= 60
    assert all(line[:13].strip() in {"", "✓ met"} for line in lines[1:])


def test_what_each_value_of_a_sweep_came_to_can_be_required() -> None:
    demands = [
        "4.discarded==0",
        "1.discarded==0",
        "sweep.values[0].open_at_once<=4",
        "recommendation.code==keeps-all",
        "1.waited==0",
    ]
    options = [word for text in demands for word in ("--require", text)]
    with ServerProcess(ServerSettings(behaviour=Behaviour(delay_s=0.03))) as slow:
        done = called("sweep", slow.url, "--maxsize", "4,1", "-c", "4", "-n", "12", *options)
    assert (done.code, done.err) == (4, "")
    assert done.lines[-6:] == [
        "✗ missed     1.discarded==0: sweep.values[0].discarded is 9.",
        "✓ met        4.discarded==0: sweep.values[1].discarded is 0.",
        "✓ met        sweep.values[0].open_at_once<=4: sweep.values[0].open_at_once is 4.",
        "✓ met        recommendation.code==keeps-all: recommendation is keeps-all.",
        "✓ met        1.waited==0: sweep.values[0].waited is 0.",
        "5 requirements: 1 missed, 4 met.",
    ]


def test_the_page_s_python_is_an_assertion_on_a_real_run(
    server: ServerProcess, closing: ServerProcess
) -> None:
    (function,) = re.findall(r"^def check_.*?\n\n", PAGE, re.DOTALL | re.MULTILINE)
    known = {name: getattr(keepalive_bench, name) for name in keepalive_bench.__all__}
    exec(function, known)  # noqa: S102  # the page's own
    check = known["check_that_keepalive_works"]
    assert callable(check)
    check(server.url)
    with pytest.raises(RequirementError, match=r"^missed: reopened==0: pooled\.reopened is \d+ \("):
        check(closing.url)
    with pytest.raises(UsageError):
        analyse(paired_run([0.25], [0.5]), ["reopened"])
