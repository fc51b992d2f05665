"""`--json`: opened before anything is measured, whole or not there at all."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from support.command import called
from support.patience import PATIENCE_S

from keepalive_bench.cli.output_file import one_of_several, open_output
from keepalive_bench.errors import UsageError

if TYPE_CHECKING:
    from keepalive_bench.server import ServerProcess

_SMALL = ("-n", "1", "--warmup", "0")


def test_the_file_is_written_and_the_report_is_shown(server: ServerProcess, tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    done = called("run", server.url, *_SMALL, "--json", str(target))
    assert done.code == 0
    assert "latency mean" in done.out
    assert json.loads(target.read_text())["schema_version"] == 1
    assert list(tmp_path.iterdir()) == [target]


def test_a_dash_prints_json_and_nothing_else(server: ServerProcess) -> None:
    done = called("run", server.url, *_SMALL, "--json", "-", "--verbose", "-d", "x")
    assert done.code == 0
    assert json.loads(done.out)["schema_version"] == 1
    assert "pooled #0" in done.err


def test_a_new_file_gets_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with open_output(str(tmp_path / "new")) as stream:
            stream.write("x")
    finally:
        os.umask(before)
    assert _mode(tmp_path / "new") == 0o640


def test_an_existing_file_keeps_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "old"
    target.write_text("old")
    target.chmod(0o604)
    with open_output(str(target)) as stream:
        stream.write("new")
    assert (target.read_text(), _mode(target)) == ("new", 0o604)


def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "old"
    target.write_text("old")

    def fail() -> None:
        with open_output(str(target)) as stream:
            stream.write("ne")
            stream.flush()
            assert target.read_text() == "old"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_a_link_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "run.json", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    with open_output(str(link)) as stream:
        stream.write("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["run.json"]


def test_a_link_to_nothing_makes_the_file(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("run.json")
    with open_output(str(link)) as stream:
        stream.write("new")
    assert link.is_symlink()
    assert (tmp_path / "run.json").read_text() == "new"


def test_a_fifo_is_written_to_and_stays_one(tmp_path: Path) -> None:
    fifo, seen = tmp_path / "fifo", list[str]()
    os.mkfifo(fifo)
    reader = Thread(target=lambda: seen.append(fifo.read_text()))
    reader.start()
    with open_output(str(fifo)) as stream:
        stream.write("new")
    reader.join(PATIENCE_S)
    assert seen == ["new"]
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert list(tmp_path.iterdir()) == [fifo]


def test_a_pipe_that_has_a_number_only_is_written_to() -> None:
    reading, writing = os.pipe()
    with open_output(f"/dev/fd/{writing}") as stream:  # as a shell's >(jq .) is given
        stream.write("new")
    assert os.read(reading, 100) == b"new"
    os.close(reading)
    os.close(writing)


def test_a_device_is_written_to_and_stays_one() -> None:
    with open_output("/dev/null") as stream:
        stream.write("new")
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("way", ["loop", "loop/run.json"])
def test_a_link_in_a_loop_is_refused_and_stays(tmp_path: Path, way: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "other")
    (tmp_path / "other").symlink_to(tmp_path / "loop")
    with pytest.raises(UsageError, match=r"can't be written: "):
        open_output(str(tmp_path / way)).__enter__()
    assert (tmp_path / "loop").is_symlink()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_link_to_what_isn_t_there_yet_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "new")
    with open_output(str(tmp_path / "link")) as stream:
        stream.write("x")
    assert ((tmp_path / "new").read_text(), (tmp_path / "link").is_symlink()) == ("x", True)


def test_the_longest_of_names_can_be_written(tmp_path: Path) -> None:
    name = "x" * 255
    with open_output(str(tmp_path / name)) as stream:
        stream.write("x")
    assert [it.name for it in tmp_path.iterdir()] == [name]


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"can't be written: Is a directory\."):
        open_output(str(tmp_path)).__enter__()


def test_a_path_through_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"can't be written"):
        open_output(str(tmp_path / "file" / "run.json")).__enter__()


def test_hostile_names_are_shown_harmless(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_output(str(tmp_path / "\x1b[31m" / "run.json")).__enter__()
    assert "\x1b" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write any file")
def test_a_file_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "old"
    target.touch()
    target.chmod(0o400)
    with pytest.raises(UsageError, match="Permission denied"):
        open_output(str(target)).__enter__()


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("run", "run-steady"),
        ("some/run.v2.json", "some/run.v2-steady.json"),
        ("/nowhere/run.json.gz", "/nowhere/run-steady.json.gz"),
        (".hidden", ".hidden-steady"),
        (".gz", ".gz-steady"),
        ("a.gz/run.csv", "a.gz/run-steady.csv"),
    ],
)
def test_of_several_files_each_has_its_word_before_its_ending(path: str, named: str) -> None:
    assert one_of_several(path, "steady") == named


@pytest.mark.parametrize("path", ["-", "", ".", "/dev/null"])
def test_several_files_are_named_after_a_file_only(path: str) -> None:
    with pytest.raises(UsageError, match="can't be all of them"):
        one_of_several(path, "steady")
