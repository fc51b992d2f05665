"""`Run.save` and `Run.load`: what comes back is the run, and no file is harmed that was there."""

from __future__ import annotations

import gzip
import io
import os
import stat
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from support.exports import everything, stored
from support.places import Link, run_over
from support.plans import plan, run
from support.runs import Script
from support.sweeps import scripted_sweep

from keepalive_bench import ResultsFileError, Run, UsageError, analyse, benchmark
from keepalive_bench.plan.load import Load
from keepalive_bench.plan.plan import Experiment, Plan, Request, Target
from keepalive_bench.results.measured import LostProcess
from keepalive_bench.server import ServerProcess, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NOBODY = 65534
needs_full_device = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="only Linux has a device that is always full"
)


def _open_load() -> Run:
    base = Plan(Target("http://127.0.0.1:1/"), experiment=Experiment(load=Load(rate=100.0)))
    script = Script("pooled", plan=base, requests=4, load=base.experiment.load)
    row = script.open("pooled")
    for number in range(4):
        script.send("pooled", 0.01, on=row, queued_s=0.001 * number)
    return script.run()


def _counted() -> Run:
    base = Plan(Target("http://127.0.0.1:1/"), Request(count_by=("X-Pod", "Server")))
    script = Script("pooled", plan=base, requests=3)
    row = script.open("pooled")
    for pod in ("a", None, "b"):
        script.send("pooled", 0.01, on=row, counted=(pod, "nginx"))
    return script.run()


def _in_processes() -> Run:
    script = Script("pooled", "unpooled", requests=4, processes=2)
    script.send("pooled", 0.01, on=script.open("pooled"))
    lost = LostProcess(1, "it was killed", {"pooled": 1, "unpooled": 0})
    return script.run(lost=(lost,), gil_wait_s=1e-5, free_ports=12, port_held_s=60.0)


RUNS: dict[str, Callable[[], Run]] = {
    "everything": everything,
    "plain": lambda: run_over(Link(0.02)),
    "TLS": lambda: run_over(Link(0.02, tls="TLSv1.3"), "pooled", "unpooled", "resumed", "naive"),
    "two of a kind": lambda: run_over(Link(0.02), ("a", "pooled"), ("b", "pooled")),
    "one arm": lambda: run_over(Link(0.02), "unpooled"),
    "with a place": lambda: run_over(Link(0.02), place="eu-west"),
    "a sweep": lambda: scripted_sweep(1, 2, 4),
    "an open load": _open_load,
    "counted": _counted,
    "processes": _in_processes,
    "interrupted": lambda: Script("pooled", requests=9).run(interrupted=True),
}
all_runs = pytest.mark.parametrize("made", RUNS.values(), ids=RUNS)


@all_runs
@pytest.mark.parametrize("name", ["run.json", "run.json.gz"])
def test_what_is_loaded_is_what_was_saved(
    made: Callable[[], Run], name: str, tmp_path: Path
) -> None:
    made().save(tmp_path / name)
    assert stored(Run.load(tmp_path / name)) == stored(made())


def test_a_measured_run_has_the_same_analysis_once_it_is_loaded(tmp_path: Path) -> None:
    with ServerProcess(ServerSettings()) as server:
        measured = run(server.url, requests=12)
    measured.save(str(tmp_path / "run.json"))
    loaded = Run.load(str(tmp_path / "run.json"))
    assert analyse(loaded)._replace(plan=measured.plan) == analyse(measured)


@pytest.mark.parametrize("name", ["run.json", "run.json.gz"])
def test_the_same_run_is_saved_to_the_same_bytes(name: str, tmp_path: Path) -> None:
    first, second = tmp_path / name, tmp_path / f"again-{name}"
    everything().save(first)
    Run.load(first).save(second)
    assert first.read_bytes() == second.read_bytes()


def test_gz_means_compressed_and_what_a_file_is_called_doesn_t_matter_for_loading(
    tmp_path: Path,
) -> None:
    everything().save(tmp_path / "run.json.gz")
    packed = (tmp_path / "run.json.gz").read_bytes()
    plain = tmp_path / "plain.json.gz"
    plain.write_bytes(gzip.decompress(packed))
    assert stored(Run.load(plain)) == stored(everything())
    (tmp_path / "packed.json").write_bytes(packed)
    assert stored(Run.load(tmp_path / "packed.json")) == stored(everything())


def test_what_kab_report_writes_can_be_loaded_and_what_is_saved_is_smaller(tmp_path: Path) -> None:
    whole = tmp_path / "whole.json"
    whole.write_text(stored(everything()), "utf-8", errors="backslashreplace")
    loaded = Run.load(whole)
    assert stored(loaded) == stored(everything())
    loaded.save(tmp_path / "saved.json")
    assert (tmp_path / "saved.json").stat().st_size < whole.stat().st_size


def test_a_run_can_be_read_from_any_stream_of_bytes() -> None:
    packed = everything().packed()
    for content in (packed, gzip.decompress(packed), packed + b"\0\0"):
        assert stored(Run.read(io.BytesIO(content))) == stored(everything())


DAMAGES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "it ends too early"),
    "cut": (everything().packed()[:-20], "is compressed, and damaged"),
    "garbage within": (everything().packed()[:200] + b"\xff" * 99, "is compressed, and damaged"),
    "garbage behind": (everything().packed() + b"garbage", "is compressed, and damaged"),
    "no text": (b"\x80\x81", "isn't a kab results file, or is damaged"),
    "cut text": (stored(everything()).encode("utf-8", "replace")[:-9], "it ends too early"),
    "other JSON": (b'{"name": "x"}', "isn't a kab results file: it has no schema_version"),
    "a list": (b"[]", "isn't a kab results file: it isn't a JSON object"),
    "places": (b'{"schema_version": 1, "kind": "places"}', "is of the kind 'places'"),
    "newer": (b'{"schema_version": 99}', "A newer kab wrote it"),
}


@pytest.mark.parametrize(("content", "said"), DAMAGES.values(), ids=DAMAGES)
def test_what_holds_no_run_is_said_to_hold_none(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_bytes(content)
    with pytest.raises(ResultsFileError, match=said) as caught:
        Run.load(file)
    assert str(caught.value).startswith(f"{file} " if len(str(file)) <= 80 else str(file)[:50])


def test_a_small_file_that_becomes_a_huge_one_is_refused(tmp_path: Path) -> None:
    line = b'{"a": "' + b" " * 2**20 + b'",\n'
    with gzip.open(tmp_path / "bomb.json.gz", "wb", compresslevel=1) as file:
        for _ in range(260):
            file.write(line)
    assert (tmp_path / "bomb.json.gz").stat().st_size < 2**21
    with pytest.raises(ResultsFileError, match="larger than a results file that kab reads"):
        Run.load(tmp_path / "bomb.json.gz")


def test_what_can_t_be_opened_is_refused_with_the_system_s_reason(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.json can't be read: No such file or directory"):
        Run.load(tmp_path / "none.json")
    with pytest.raises(UsageError, match="can't be read: Is a directory"):
        Run.load(tmp_path)
    with pytest.raises(UsageError, match="can't be written: Is a directory"):
        everything().save(tmp_path)
    with pytest.raises(UsageError, match="can't be written: No such file or directory"):
        everything().save(tmp_path / "none" / "run.json")
    assert not [*tmp_path.iterdir()]


@contextmanager
def _not_as_root() -> Iterator[None]:
    """Root may read and write everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


def test_what_may_not_be_read_or_written_is_refused() -> None:
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        file = Path(folder, "run.json")
        everything().save(file)
        Run.load(file)  # what it imports is imported now
        file.chmod(0o444)
        with _not_as_root(), pytest.raises(UsageError, match="can't be written: Permission denied"):
            everything().save(file)
        file.chmod(0o000)
        with _not_as_root(), pytest.raises(UsageError, match="can't be read: Permission denied"):
            Run.load(file)
        assert [*Path(folder).iterdir()] == [file]


@needs_full_device
def test_a_device_is_written_to_and_not_replaced() -> None:
    with pytest.raises(UsageError, match="can't be written: No space left on device"):
        everything().save("/dev/full")
    everything().save("/dev/null")
    for device in ("/dev/full", "/dev/null"):
        assert stat.S_ISCHR(Path(device).stat().st_mode)
    assert not [it for it in Path("/dev").iterdir() if it.name.endswith(".tmp")]


class _FailingRun(Run):
    __slots__ = ()

    def _write(self, raw: object, name: str) -> None:
        super()._write(raw, name)  # type: ignore[arg-type]  # a stream
        raise OSError(28, "No space left on device")


def test_where_a_disk_is_full_the_file_that_was_there_stays(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    run_over(Link(0.02)).save(file)
    before = file.read_bytes()
    with pytest.raises(UsageError, match=r"run\.json can't be written: No space left on device"):
        _FailingRun(*everything()).save(file)
    assert file.read_bytes() == before
    assert [*tmp_path.iterdir()] == [file]


def test_a_file_that_was_there_is_replaced_whole_and_keeps_who_may_read_it(tmp_path: Path) -> None:
    file, link = tmp_path / "run.json", tmp_path / "link.json"
    file.write_text("x" * 10**6)
    file.chmod(0o600)
    link.symlink_to(file)
    everything().save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stored(Run.load(file)) == stored(everything())


def test_a_plan_that_was_read_back_without_its_secrets_can_t_be_carried_out(tmp_path: Path) -> None:
    with ServerProcess(ServerSettings()) as server:
        secret = {"bearer": "tr0ub4dor", "headers": (("X-Key", "s3kr1t"),)}
        for name, options in (("plain", {}), ("secret", secret)):
            benchmark(plan(server.url, requests=2, **options)).save(tmp_path / name)
        assert len(benchmark(Run.load(tmp_path / "plain").plan).exchanges) == 4
        before = server.stats().requests
        with pytest.raises(UsageError, match="--header and --bearer must be set again"):
            benchmark(Run.load(tmp_path / "secret").plan)
        assert server.stats().requests == before + 1  # asking for them is one
    assert b"s3kr1t" not in (tmp_path / "secret").read_bytes()
