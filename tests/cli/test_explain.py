"""`kab explain`: every code and name that kab uses, from its registry."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from support.command import called

import keepalive_bench
from keepalive_bench.analysis.metrics.arm import ARM_METRICS
from keepalive_bench.analysis.verdict import VERDICT_MEANINGS, VERDICTS
from keepalive_bench.compare.change import CHANGE_MEANINGS, ChangeCode
from keepalive_bench.connections.products import PRODUCTS
from keepalive_bench.connections.program_reasons import PROGRAM_REASONS
from keepalive_bench.connections.reason_kinds import REASON_KINDS
from keepalive_bench.findings import FINDING_KINDS
from keepalive_bench.places.requirements import total_scope
from keepalive_bench.plan.arms import ARM_KINDS, Arm
from keepalive_bench.report.explanations import explained
from keepalive_bench.requirements.names import all_names, resolve, scopes
from keepalive_bench.results.failure_kinds import FAILURE_KINDS
from keepalive_bench.trace.requirements import trace_scopes
from keepalive_bench.units import for_terminal

PACKAGE = Path(keepalive_bench.__file__).parent
REGISTRIES: tuple[tuple[Any, ...], ...] = (
    REASON_KINDS,
    PROGRAM_REASONS,
    FAILURE_KINDS,
    FINDING_KINDS,
)
CODES = dict.fromkeys(kind.code for kinds in REGISTRIES for kind in kinds)
WORDS = [it.word for it in PRODUCTS]
PLACES = tuple(scopes(tuple(Arm(kind.name) for kind in ARM_KINDS)))


def text_of(name: str) -> str:
    found = explained(name, PLACES)
    assert found is not None, name
    parts = [found.title]
    for it in found.sections:
        parts += [it.heading, *it.paragraphs, *it.lines, *(each for row in it.rows for each in row)]
    return "\n".join(parts)


@pytest.mark.parametrize("name", [*CODES, *WORDS])
def test_whatever_has_a_code_is_explained_without_gaps_and_links(name: str) -> None:
    text = text_of(name)
    assert "](" not in text
    assert "{" not in text or name == "caddy"  # whose setting is `timeouts { idle }`
    assert ".md" not in text
    assert "…" not in text
    assert for_terminal(text, plain_ascii=True).isascii()


@pytest.mark.parametrize("code", CODES)
def test_whatever_has_a_code_is_explained_with_what_to_do(code: str) -> None:
    found = explained(code, PLACES)
    assert found is not None
    told = [it for it in found.sections if it.heading.startswith("What to do")]
    assert told
    assert all(all(it.paragraphs) for it in told)


def test_whatever_a_requirement_can_be_about_is_explained() -> None:
    names = [it for it in dict.fromkeys(all_names(PLACES)) if "status_codes" not in it]
    for name in names:
        text = text_of(name)
        assert "](" not in text, name
        assert for_terminal(text, plain_ascii=True).isascii(), name


def test_a_reason_tells_who_did_it_how_that_is_proven_what_to_do_and_how_to_see_it() -> None:
    done = called("explain", "idle-timeout")
    assert (done.code, done.err) == (0, "")
    for said in (
        "idle-timeout: ",
        "Caused by the server.",
        "How it is proven:",
        "What to do:",
        "nginx            keepalive_timeout (default: 75 s",
        "kab serve --port 8080 --idle-timeout 0.2 &\n",
        "kab run http://127.0.0.1:8080/ -n 4 --think-time 0.5\n",
        "--require 'reasons.idle-timeout==0'",
    ):
        assert said in done.out.replace("\n  server", " server")


@pytest.mark.parametrize("kind", ["reasons", "failures", "findings", "products"])
def test_a_kind_in_the_plural_is_listed(kind: str) -> None:
    done = called("explain", kind)
    assert (done.code, done.err) == (0, "")
    listed = {line.split()[0] for line in done.lines if line[:1].strip()}
    codes = {*CODES, *WORDS}
    assert listed <= codes
    assert len(listed) > 20


def test_requirements_lists_what_they_can_be_about() -> None:
    out = called("explain", "requirements").out
    for name in ("reopened", "{p50,p90,p95,p99}", "speedup", "reasons.<code>", "verdict"):
        assert f"  {name}" in out


def test_without_a_code_all_are_named() -> None:
    words = called("explain").out.replace(",", " ").split()
    assert {*CODES, *WORDS} <= set(words)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("idle-drp", "Did you mean idle-drop?"),
        ("poled.p95", "Did you mean pooled.p95?"),
        ("ngnix", "Did you mean nginx?"),
        ("xyzzy", "it lists what there is."),
    ],
)
def test_an_unknown_one_is_refused_with_what_may_be_meant(typed: str, meant: str) -> None:
    done = called("explain", typed)
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(f"{meant}\n")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("Reasons", "idle-timeout      The server closed it"),
        ("MAX_AGE", "max-age: "),
        ("not sent", "arms.pooled.not_sent"),
        ("not-comparable", "kab compare  the plans"),
        ("worse", "kab compare  more failures"),
        ("KeepAliveTimeout", "apache  How long it keeps a connection that is idle"),
        ("requests/s", "arms.pooled.requests_per_second"),
        ("client overhead", "phases_s.remainder.per_request"),
        ("pool wait", "Waiting for a free place"),
    ],
)
def test_what_a_table_or_a_product_calls_it_is_known_however_it_is_spelled(
    typed: str, said: str
) -> None:
    done = called("explain", typed)
    assert (done.code, done.err) == (0, "")
    assert said in done.out


def test_every_verdict_is_explained() -> None:
    assert tuple(VERDICT_MEANINGS) == VERDICTS
    assert tuple(CHANGE_MEANINGS) == get_args(ChangeCode)


def test_what_a_title_is_explained_by_can_be_required() -> None:
    for title in [it.title for it in ARM_METRICS if it.title.strip() == it.title != ""]:
        found = explained(title, PLACES)
        assert found is not None, title
        required = found.sections[-1].lines[0].partition("'")[2]
        assert resolve(re.split("[<>=]", required)[0], PLACES), title


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_it_is_no_wider_than_the_terminal(columns: int) -> None:
    for name in ("server-close", "connect-timeout", "nginx", "pooled.p95", "findings"):
        lines = called("explain", name, env={"COLUMNS": f"{columns}"}).lines
        copied = ("  kab ", "  --require", "  http")
        assert max(len(it) for it in lines if not it.startswith(copied)) <= min(columns, 80)


def test_a_terminal_without_unicode_gets_ascii() -> None:
    done = called("explain", "pooled.p95", encoding="ascii")
    assert done.out.isascii()
    assert "?" not in done.out


def test_no_message_names_a_page_that_the_wheel_does_not_have() -> None:
    """Docstrings may: whoever reads them has the repository."""
    found: list[str] = []
    for path in PACKAGE.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        docs = {id(it.value) for it in nodes if isinstance(it, ast.Expr)}
        found += [
            it.value
            for it in nodes
            if isinstance(it, ast.Constant) and isinstance(it.value, str) and id(it) not in docs
        ]
    assert [it for it in found if " " in it and re.search(r"(?<!/)\bdocs/\w+\.md", it)] == []


@pytest.mark.parametrize(
    ("command", "name"),
    [
        *(("trace", it) for it in all_names(trace_scopes())),
        *(("places", it) for it in all_names([total_scope()])),
    ],
)
def test_each_name_in_requirements_of_other_commands_is_explained(command: str, name: str) -> None:
    assert f"kab {command} --require" in called("explain", name).out


def test_a_name_of_both_is_explained_for_each() -> None:
    output = " ".join(called("explain", "reuse").out.split())
    assert "reuse: A figure that a requirement can be about." in output
    assert "reuse: What kab trace tells of each origin." in output
    assert "kab trace --require 'api.example.com: reuse>=90%' python app.py" in output
