"""`kab report`: a stored run is shown as it was, judged again, and written again."""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING

import pytest
from support.command import called, kab
from support.exports import DIALECTS, everything, nothing, stored
from support.runs import CUT_OFF, Script

from keepalive_bench.cli.reading import load_run
from keepalive_bench.errors import ResultsFileError
from keepalive_bench.results import reader

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.server import ServerProcess

_WAYS = {
    "plain": ("-n", "12", "-f", "q=a", "-f", "q=b", "-f", "token=c"),
    "a body with secrets": ("-d", "a=1", "-u", "joe:hunter2", "-b", "a=b", "-H", "X-Secret: y"),
    "a form of its own": ("-X", "DELETE", "--bearer", "x", "--max-body", "10"),
    "expected": ("--expect-status", "3xx", "-A", "me", "--no-vary", "--connect-timeout", "2.5"),
    "blocks": ("-n", "20", "-c", "2", "--block", "--maxsize", "1", "--order", "paired"),
    "A/A": ("--arm", "a=pooled", "--arm", "b=pooled", "--seed", "9", "--warmup", "0", "-n", "3"),
    "one arm": ("--arm", "pooled", "--confidence", "0.99", "--margin", "0.1", "-n", "9"),
    "required": ("-n", "7", "--require", "reopened==0", "--require", "pooled.connections>=2"),
}


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    file = tmp_path / "run.json"
    file.write_text(stored(everything()), encoding="utf-8", errors="backslashreplace")
    return file


def _to(files: list[Path]) -> list[str]:
    pairs = zip(DIALECTS, files, strict=True)
    return [part for dialect, file in pairs for part in (f"--{dialect}", str(file))]


@pytest.mark.parametrize("options", _WAYS.values(), ids=_WAYS)
def test_a_stored_run_is_printed_and_written_as_it_was(
    options: tuple[str, ...], server: ServerProcess, tmp_path: Path
) -> None:
    first, again = ([tmp_path / f"{name}.{it}" for it in DIALECTS] for name in ("first", "again"))
    ran = called("run", server.url, *options, *_to(first))
    reported = called("report", str(first[0]), *_to(again))
    assert reported.code == ran.code
    assert reported.out == ran.out
    for one, other in zip(first, again, strict=True):
        assert other.read_bytes() == one.read_bytes(), one.name


def test_with_verbose_too(server: ServerProcess, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    ran = called("run", server.url, "-n", "4", "-f", "q=a", "--json", str(file), "--verbose")
    again = called("report", str(file), "--verbose")
    # Phases are stored as single floats, which can change the last digit shown.
    durations = re.compile(r"[\d.]+ m?s\b")
    assert durations.sub("", again.out) == durations.sub("", ran.out)
    assert again.lines[-1] == ran.lines[-1]


@pytest.mark.parametrize("columns", ["60", "200"])
def test_the_width_is_the_terminal_s(
    columns: str, run_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert max(map(len, called("report", str(run_file)).lines)) <= int(columns)


def test_a_run_without_an_answer_says_why_and_ends_with_1(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text(stored(nothing()), encoding="utf-8", errors="backslashreplace")
    done = called("report", str(file))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: Nothing could be measured of http://127.0.0.1:8000/")


def test_what_was_missed_or_failed_or_left_out_is_in_the_exit_code(tmp_path: Path) -> None:
    assert everything().run_info.interrupted
    document = json.loads(stored(everything()))
    file = tmp_path / "run.json"
    for requirements, code in (([], 3), (["failed<=2"], 3), (["reopened==0"], 4)):
        document["plan"]["requirements"] = requirements
        file.write_text(json.dumps(document))
        assert called("report", str(file)).code == code


def test_a_run_whose_last_request_was_cut_off_lacks_one_that_was_planned(tmp_path: Path) -> None:
    script = Script("pooled", requests=2)
    script.send("pooled", 0.01)
    script.fail("pooled", failure=CUT_OFF)
    file = tmp_path / "run.json"
    file.write_text(stored(script.run(interrupted=True)))
    done = called("report", str(file), "--require", "failed==0")
    assert done.code == 3
    assert "1 more were cut off." in " ".join(done.out.split())
    assert "failed==0: failed is 0." in done.out


def test_requirements_can_be_added_later(run_file: Path) -> None:
    done = called("report", str(run_file), "--require", "pooled.requests==10")
    assert "pooled.requests==10: " in done.out
    assert called("report", str(run_file), "--require", "no such name").code == 2


def test_a_run_can_be_judged_anew_and_that_is_said(run_file: Path) -> None:
    done = called("report", str(run_file), "--confidence", "0.5", "--json", "-")
    assert "Judged at 50 % confidence, 5 % margin; the run itself was at 95 %" in done.err
    judged, before = json.loads(done.out), json.loads(stored(everything()))
    assert judged["plan"]["confidence"] == 0.5
    new, old = (it["comparisons"][0]["speedup"] for it in (judged, before))
    assert new["estimate"] == old["estimate"]
    assert old["low"] < new["low"] < new["high"] < old["high"]


def test_a_confidence_that_is_none_is_refused(run_file: Path) -> None:
    done = called("report", str(run_file), "--confidence", "2")
    assert (done.code, done.out) == (2, "")


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "compressed"])
def test_standard_input_is_read(packed: bool) -> None:  # noqa: FBT001  # pytest's parameter
    text = stored(everything()).encode("utf-8", "backslashreplace")
    done = kab("report", "-", "--json", "-", stdin=gzip.compress(text) if packed else text)
    assert done.out.encode() == text


def test_a_byte_order_mark_is_no_fault(run_file: Path) -> None:
    run_file.write_bytes(b"\xef\xbb\xbf" + run_file.read_bytes())
    assert called("report", str(run_file)).code == 4


BAD = {
    "nothing": (b"", "it ends too early"),
    "no text": (b"\xff\xfe{", "or is damaged"),
    "another tool's JSON": (b'{"results": [{"command": "sleep 1"}]}', "it has no schema_version"),
    "a list": (b"[]", "it isn't a JSON object"),
    "JSON lines": (b'{"a": 1}\n{"a": 2}\n', "isn't JSON at line 2, column 1"),
    "nested": (b"[" * 100_000, "nested too deep"),
    "NaN": (b'{"schema_version": NaN}', "NaN isn't a JSON number"),
    "a huge number": (b'{"schema_version": ' + b"9" * 5000 + b"}", "a number of 5,000 digits"),
    "an endless number": (b'{"schema_version": 1e400}', "schema version inf"),
    "a newer one": (b'{"schema_version": 2}', "update kab"),
    "half a gzip file": (gzip.compress(b"{}" * 1000)[:-9], "is compressed, and damaged"),
    "a wrong sum": (gzip.compress(b"{}")[:-8] + bytes(8), "is compressed, and damaged"),
}


@pytest.mark.parametrize(("content", "said"), BAD.values(), ids=BAD)
def test_what_is_no_results_file_is_refused_in_one_sentence(
    content: bytes, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "run.json"
    file.write_bytes(content)
    done = called("report", str(file), "--json", str(tmp_path / "out.json"))
    assert (done.code, done.out) == (2, "")
    assert "run.json " in done.err
    assert done.err.count("\n") == 1
    assert said in done.err
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_not_there_and_a_folder_are_named(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none.json", "No such file"), (tmp_path, "Is a directory")):
        done = called("report", str(path))
        assert done.code == 2
        assert f"{path.name} can't be read: {said}" in done.err


def test_a_small_file_that_becomes_a_large_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bomb.json.gz"
    file.write_bytes(gzip.compress(b'{"schema_version":' + b" " * 20_000_000))
    monkeypatch.setattr(reader, "MOST_CHARACTERS", 5_000_000)
    with pytest.raises(ResultsFileError, match="larger than a results file that kab reads"):
        load_run(str(file))


def test_an_endless_device_is_refused_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_CHARACTERS", 5_000_000)
    with pytest.raises(ResultsFileError, match="larger than"):
        load_run("/dev/zero")


def test_the_file_that_was_read_can_be_written(run_file: Path) -> None:
    before = run_file.read_bytes()
    assert called("report", str(run_file), "--json", str(run_file)).code == 4
    assert run_file.read_bytes() == before
