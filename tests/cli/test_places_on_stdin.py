"""`kab places -`: runs on standard input, one after the other, compressed or not."""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import Any

import pytest
from support.command import kab
from support.exports import stored
from support.places import Link, run_over


@cache
def near() -> str:
    return stored(run_over(Link(0.002)))


@cache
def far() -> str:
    return stored(run_over(Link(0.08), place="ap-south"))


def compact(text: str) -> str:
    """As `jq -c .` writes it."""
    return json.dumps(json.loads(text), separators=(",", ":")) + "\n"


def indented(text: str) -> str:
    """As `jq .` writes it."""
    return json.dumps(json.loads(text), indent=2) + "\n"


def piped(text: str | bytes, *arguments: str, code: int = 0) -> dict[str, Any]:
    stdin = text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")
    done = kab("places", *(arguments or ("-",)), "--json", "-", stdin=stdin)
    assert done.code == code, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [it["name"] for part in ("places", "lost") for it in found[part]]


@pytest.mark.parametrize("form", [str, compact, indented], ids=["as kab", "jq -c", "jq"])
def test_runs_come_one_after_the_other(form: Any) -> None:  # noqa: ANN401  # text to text
    assert names(piped(form(near()) + form(far()))) == ["line 1", "ap-south"]


def test_they_may_be_compressed_each_by_itself_or_together() -> None:
    one_by_one = gzip.compress(near().encode()) + gzip.compress(far().encode())
    together = gzip.compress((compact(near()) + compact(far())).encode())
    for packed in (one_by_one, together):
        assert names(piped(packed)) == ["line 1", "ap-south"]


def test_what_came_before_the_damage_of_compressed_runs_is_kept() -> None:
    packed = gzip.compress(far().encode()) + gzip.compress(near().encode())[:-200]
    found = piped(packed, code=3)
    assert names(found)[0] == "ap-south"
    assert found["lost"][0]["why"] == "Standard input is compressed, and damaged."


def test_a_line_that_is_damaged_is_a_lost_place_and_the_others_stay() -> None:
    found = piped(f"{compact(near())}\n{{nonsense\n{compact(far())}", code=3)
    assert names(found) == ["line 1", "ap-south", "line 3"]
    assert found["lost"][0]["source"] == "line 3 of standard input"


def test_one_that_is_spread_over_lines_and_cut_costs_no_other() -> None:
    cut = "".join(near().splitlines(keepends=True)[:20])
    found = piped(cut + far(), code=3)
    assert names(found) == ["ap-south", "line 1"]
    assert names(piped(compact(far()) + near()[:3000], code=3))[0] == "ap-south"


def test_lines_of_a_log_are_skipped_with_a_remark() -> None:
    log = f'Warning: {"x" * 3_000_000}\n{{"level": "info"}}\n{far()}a line\n{near()}'
    done = kab("places", "-", stdin=log.encode())
    assert done.code == 0
    assert done.err == ("Skipped 3 lines of standard input that hold no run, the first one 1.\n")


def test_it_can_have_a_name_and_be_one_of_several_sources(tmp_path: Any) -> None:  # noqa: ANN401
    (tmp_path / "x.json").write_text(far(), "utf-8")
    assert names(piped(near(), "eu=-", str(tmp_path / "x.json"))) == ["eu", "ap-south"]


def test_the_same_name_twice_is_refused_with_both_lines() -> None:
    done = kab("places", "-", stdin=(compact(far()) * 2).encode())
    assert done.code == 2
    assert done.err == (
        "Error: Two places are called 'ap-south': that of line 1 of standard input, and that of "
        "line 2 of standard input. Rename one with NAME=FILE, or with kab run --place.\n"
    )


def test_nothing_at_all_is_refused() -> None:
    for nothing in (b"", b"\n \n", gzip.compress(b"")):
        done = kab("places", "-", stdin=nothing)
        assert (done.code, done.out) == (2, "")
        assert done.err == "Error: Standard input holds no results: it is empty.\n"
