"""The command on the page asks for the run that the page is about: kab reads it back."""

from __future__ import annotations

import json
import re
import shlex
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.command import called
from support.shells import words_of

from keepalive_bench.cli import kab, run, sweep
from keepalive_bench.cli.options import asked_for
from keepalive_bench.cli.planning import run_plan, sweep_plans
from keepalive_bench.plan.fields import plan_fields
from keepalive_bench.plan.plan import Plan
from keepalive_bench.report.page.command import command, left_out

if TYPE_CHECKING:
    from keepalive_bench.plan.options import Option
    from keepalive_bench.server import ServerProcess

URL = "http://example.com/"
PLACES = {
    "url": "http://proxy:3128",
    "port": "80",
    "socket": "/run/kab",
    **dict.fromkeys(("ca", "cert"), __file__),
}
PLACES |= dict.fromkeys(("csv", "key", "both"), __file__)
SHOWN = [
    option
    for place in plan_fields(Plan)
    if place.setting.shown is not False and place.name not in {"rows", "headers"}  # which are named
    for option in place.setting.options
]


@pytest.fixture(autouse=True)
def _no_options_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read_back(text: str) -> Plan:
    """The plan that kab makes of a command."""
    name, *words = words_of(text)
    parser = {"run": run, "sweep": sweep}[name].command
    with kab.make_context("kab", [name, *words]) as group:
        context = parser.make_context(name, words, parent=group)
    asked, url = asked_for(context), context.params["url"]
    return run_plan(url, asked) if name == "run" else sweep_plans(url, asked)[0]


@pytest.mark.parametrize("option", SHOWN, ids=lambda it: it.name)
def test_each_option_is_spelled_so_that_kab_reads_it_back(option: Option[Any]) -> None:
    words = option.example.words.format(**PLACES)
    url = URL.replace("http:", "https:") if option.group == "TLS" else URL
    plan = read_back(f"kab run {url} --seed 3 {words}")
    assert read_back(command(plan)) == plan
    assert option.flag in command(plan) or (option.off and option.off in command(plan))
    assert left_out(plan) == ""


@pytest.mark.parametrize(
    "words",
    [
        "-c 4 --maxsize 2 --block --rate 7.5 -n 1000000",
        "-z 5s -n 1000 --order paired --warmup 0 --tcp-nodelay",
        "--think-time 0.5ms-1h -t 0.123456789 --connect-timeout 1000000 --max-body 0",
        "-A 'a b' -A '' -f 'q=a b' -f q= -f q=-n -f v=1.0 --vary u --vary v",
        "--expect-status 200 --expect-status 3xx --require 'verdict != slower' --precision 0.1%",
    ],
)
def test_options_that_go_together_are_read_back_together(words: str) -> None:
    plan = read_back(f"kab run {URL} --seed 3 {words}")
    assert read_back(command(plan)) == plan


@pytest.mark.parametrize(
    "words",
    [
        ["--maxsize", "1,2,4", "-c", "4", "--traffic", "steady", "--block", "--warmup", "2"],
        ["--concurrency", "2,4,8", "-n", "80"],
        ["--data-size", "1kB,64KiB", "-c", "4", "--maxsize", "2", "-z", "90s", "--keep-going"],
        ["-f", "q=x", "--max-body", "5"],
    ],
)
def test_the_command_of_a_sweep_is_read_back(words: list[str]) -> None:
    plan = read_back(shlex.join(["kab", "sweep", "http://example.com/", "--seed", "3", *words]))
    assert read_back(command(plan)) == plan
    assert left_out(plan) == ""


def test_the_command_on_the_page_of_a_stored_run_makes_that_run_again(
    server: ServerProcess,
) -> None:
    port = server.url.rpartition(":")[2].strip("/")
    options = (
        f"-n 8 -c 2 --rate 400/s --traffic bursts --no-vary --expect-status 2xx --max-body 99 "
        f"--connect-to example.com:80:127.0.0.1:{port} --source-address 127.0.0.1 "
        f"--maxsize 1 --arm pooled --arm again=pooled --require failed==0 -H Accept:x -b a=b"
    )
    ran = called("run", "http://example.com/?a=1", *options.split(), "--json", "a.json")
    assert (ran.code, ran.err) == (0, "")
    assert called("report", "a.json", "--html", "a.html").code == 0
    page = Path("a.html").read_text("utf-8")
    said = dict(re.findall(r"<dt>([^<]*)</dt>\s*<dd>([^<]*)</dd>", page))
    assert said["which lacks"] == "the header field Accept and 1 cookie"
    again = words_of(unescape(said["command"]))
    assert called(*again, "-H", "Accept:x", "-b", "a=b", "--json", "b.json").code == 0
    one, two = (json.loads(Path(name).read_text("utf-8"))["plan"] for name in ("a.json", "b.json"))
    assert one == two
