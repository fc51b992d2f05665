"""What was recorded is read back; files that lie are told as damaged, and do no harm."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.pythons import BEGIN, environment

from keepalive_bench.results.exchange import Answer
from keepalive_bench.trace.reading import read
from keepalive_bench.trace.recording import Frame, Origin
from keepalive_bench.trace.tracer._kab_tracer import layout
from keepalive_bench.trace.tracer._kab_tracer.lives import Client, Connection, Tracer
from keepalive_bench.trace.tracer._kab_tracer.records import Records

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.trace.recording import Process, Recording
    from keepalive_bench.trace.tracer._kab_tracer.layout import Layout

ORIGIN = "https://api.example.com:443"
PROXY = "http://proxy.example.com:3128"
ANSWER = "HTTP/1.1\tclose\ttimeout=5\tchunked\tnginx\t1.1 proxy"
LONG_AGO = 1.0


def only_process(folder: Path) -> Process:
    recording = read(folder)
    assert recording.damaged == ()
    (process,) = recording.processes
    return process


def consume(recording: Recording) -> int:
    """Ask for everything; how much there was."""
    asked = 0
    for process in recording.processes:
        asked += len(list(process.clients.values()))
        asked += sum(1 for _ in process.connections())
        asked += sum(1 for _ in process.exchanges())
    return asked


def whole(path: Path) -> tuple[Records, Path]:
    """Records of a process, with one of each kind, and their file."""
    records = Records(str(path), 0)
    tracer = Tracer(records)
    client = Client(tracer, "urllib3.PoolManager")
    connection = Connection(tracer)
    connection.connected(ORIGIN, PROXY, client)
    connection.ready(is_tls=True, is_tunnel=True)
    exchange = connection.begun(has_body=True)
    exchange.sent()
    exchange.answered(200, records.text(ANSWER))
    exchange.ended()
    connection.closed("connection-closed")
    records.add(layout.CHILD, layout.IS_PYTHON, 77, LONG_AGO)
    records.note("something")
    records.end()
    return records, next(path.glob("*.kab"))


def test_a_process_is_told_whole(tmp_path: Path) -> None:
    began = time.perf_counter()
    records, _ = whole(tmp_path)
    process = only_process(tmp_path)
    assert (process.key, process.pid, process.parent) == (records.key, os.getpid(), os.getppid())
    assert process.python >= (3, 10)
    assert abs(process.wall_s - time.time()) < 60
    assert began <= process.started_s <= (process.ended_s or 0)
    assert (process.lost, process.errors, process.troubles) == (0, 1, ("something",))
    (child,) = process.children
    assert (child.pid, child.started_s, child.is_python) == (77, LONG_AGO, True)
    assert (child.is_closed_to_tracers, child.is_shut_out) == (False, False)


def test_an_exchange_is_told_whole(tmp_path: Path) -> None:
    whole(tmp_path)
    process = only_process(tmp_path)
    (connection,), (exchange,) = process.connections(), process.exchanges()
    assert exchange.connection == connection.number
    assert exchange.status == 200
    assert exchange.answer == Answer(
        "HTTP/1.1",
        connection="close",
        keep_alive="timeout=5",
        framing="chunked",
        server="nginx",
        via="1.1 proxy",
    )
    assert (exchange.failure, exchange.redirect) == (None, None)
    assert (exchange.has_body, exchange.asks_to_close, exchange.is_http_2) == (True, False, False)
    times = exchange.began_s, exchange.sent_s, exchange.answered_s, exchange.ended_s
    assert list(times) == sorted(it or 0 for it in times)


def test_a_connection_is_told_whole(tmp_path: Path) -> None:
    whole(tmp_path)
    process = only_process(tmp_path)
    (connection,) = process.connections()
    assert connection.origin == Origin("https", "api.example.com", 443, PROXY)
    assert (connection.is_tls, connection.is_tunnel) == (True, True)
    assert connection.ending == "connection-closed"
    assert connection.client in process.clients
    assert (connection.previous, connection.inherited_from, connection.failure) == (None,) * 3
    assert connection.stack[0].function == connection.closing_stack[0].function == "whole"
    assert connection.stack[0].line < connection.closing_stack[0].line


def test_a_client_is_told_whole(tmp_path: Path) -> None:
    records = Records(str(tmp_path), 0)
    tracer = Tracer(records)
    manager = Client(tracer, "urllib3.PoolManager")
    pool = Client(
        tracer, "urllib3.HTTPConnectionPool", manager, ORIGIN, "timeout,retries", 10, blocks=True
    )
    numbers = [manager.number, pool.number]
    clients = only_process(tmp_path).clients
    assert list(clients) == numbers
    told = clients[pool.number]
    assert told.of == manager.number
    assert told.kind == "urllib3.HTTPConnectionPool"
    assert told.origin == Origin("https", "api.example.com", 443)
    assert (told.differs, told.most, told.blocks) == (("timeout", "retries"), 10, True)
    assert told.ended_s is None
    assert (clients[manager.number].of, clients[manager.number].most) == (None, None)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://[::1]:8443", Origin("https", "::1", 8443)),
        ("http://a:0", Origin("http", "a", 0)),
        ("http://a:65536", Origin("unknown", "unknown", 0)),
        ("http://a", Origin("unknown", "unknown", 0)),
        ("http://a/b:80", Origin("unknown", "unknown", 0)),
        ("", Origin("unknown", "unknown", 0)),
    ],
)
def test_origins_are_read_from_their_texts(tmp_path: Path, text: str, origin: Origin) -> None:
    connection = Connection(Tracer(Records(str(tmp_path), 0)))
    connection.connected(text)
    assert next(only_process(tmp_path).connections()).origin == origin


def test_processes_are_in_the_order_of_their_starts(tmp_path: Path) -> None:
    made = [Records(str(tmp_path), 0).key for _ in range(5)]
    assert [it.key for it in read(tmp_path).processes] == made


def test_a_folder_that_isnt_there_is_damaged(tmp_path: Path) -> None:
    recording = read(tmp_path / "gone")
    assert recording == ((), ("gone: No such file or directory",))


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert read(tmp_path) == ((), ())


def test_other_files_are_nobodys_business(tmp_path: Path) -> None:
    whole(tmp_path)
    (tmp_path / "notes.txt").write_text("notes")
    assert only_process(tmp_path).key


def test_a_file_that_is_about_to_be_made_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "1-1-0.kab").touch()
    assert read(tmp_path) == ((), ())


def test_reading_while_a_program_writes_finds_nothing_damaged(tmp_path: Path) -> None:
    program = f"""{BEGIN}
from _kab_tracer.lives import Connection
print(flush=True)
while True:
    connection = Connection(_tracing.tracer)
    connection.connected("http://a:80")
    for _ in range(100):
        exchange = connection.begun()
        exchange.sent()
        exchange.answered(200, records.text("HTTP/1.1\\t-\\t-\\tlength\\t-\\t-"))
        exchange.ended()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment(tmp_path), stdout=subprocess.PIPE
    ) as writing:
        assert writing.stdout is not None
        writing.stdout.readline()
        counts: list[int] = []
        while len(counts) < 5 or counts[-1] == counts[0]:
            process = only_process(tmp_path)
            connections = {it.number for it in process.connections()}
            exchanges = list(process.exchanges())
            assert {it.connection for it in exchanges} <= connections | {None}
            counts.append(len(exchanges))
        writing.kill()
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] <= len(list(only_process(tmp_path).exchanges()))


# From here on, files lie.


def overwrite(file: Path, number: int, data: bytes, at: int = 0) -> None:
    with file.open("r+b") as opened:
        opened.seek(number * layout.SLOT_BYTES + at)
        opened.write(data)


def put(file: Path, number: int, kind: Layout, *values: Any) -> None:  # noqa: ANN401  # numbers
    overwrite(file, number, kind.struct.pack(kind.kind, *values, kind.kind))


FREE = 100
"""A slot that nobody wrote."""


@pytest.mark.parametrize(
    "name",
    [
        "x.kab",
        "0-1-0.kab",
        "1-1.kab",
        "1-1-00.kab",
        "\u0661-1-0.kab",
        "1-1-0.kab.kab",
        "1-1-0\n.kab",
    ],
)
def test_a_file_of_another_name_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\1" * 64)
    (damage,) = read(tmp_path).damaged
    assert damage.endswith("not the name of a file of records")
    assert damage.isprintable()


def test_links_pipes_and_folders_arent_opened(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    _, file = whole(other)
    (tmp_path / file.name).symlink_to(file)
    os.mkfifo(tmp_path / "1-1-0.kab")
    (tmp_path / "1-2-0.kab").mkdir()
    recording = read(tmp_path)
    assert recording.processes == ()
    assert [it.partition(": ")[2] for it in recording.damaged] == ["not a regular file"] * 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    _, file = whole(tmp_path)
    file.chmod(0)
    assert "Permission denied" in read(tmp_path).damaged[0]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"version": 2}, "its records are of version 2, not 1"),
        ({"pid": 1}, "its process's record makes no sense"),
        ({"started": float("nan")}, "its process's record makes no sense"),
        ({"started": 0.0}, "its process's record makes no sense"),
        ({"wall": float("inf")}, "its process's record makes no sense"),
        ({"first": 0}, "its process's record makes no sense"),
        ({"first": layout.MOST_SLOTS + 1}, "its process's record makes no sense"),
    ],
)
def test_a_process_that_makes_no_sense_is_told(
    tmp_path: Path, values: dict[str, Any], why: str
) -> None:
    records, file = whole(tmp_path)
    kind = layout.PROCESS
    told = dict(zip(kind.names, kind.struct.unpack_from(file.read_bytes())[1:], strict=False))
    put(file, 0, kind, *{**told, **values}.values())
    assert read(tmp_path) == ((), (f"{records.key}: {why}",))


def test_a_file_without_its_process_is_told(tmp_path: Path) -> None:
    records, file = whole(tmp_path)
    overwrite(file, 0, b"\0")
    assert read(tmp_path).damaged == (f"{records.key}: it doesn't begin with a process's record",)


def test_a_file_cut_short_is_told_and_read_as_far_as_it_goes(tmp_path: Path) -> None:
    records = Records(str(tmp_path), 0)
    for number in range(1, 200):
        records.add(layout.CHILD, 0, number, LONG_AGO)
    (file,) = tmp_path.glob("*.kab")
    os.truncate(file, 100 * 64 + 10)
    recording = read(tmp_path)
    assert 90 < len(recording.processes[0].children) < 100
    assert recording.damaged[0] == f"{file.name}: it holds 6410 bytes, and should hold 16384"


def test_a_huge_file_is_read_no_further_than_it_should_go(tmp_path: Path) -> None:
    _, file = whole(tmp_path)
    os.truncate(file, 1 << 42)
    recording = read(tmp_path)
    assert consume(recording) == 3
    assert recording.damaged == (f"{file.name}: it holds {1 << 42} bytes, and should hold 16384",)


def test_no_more_is_read_than_may_be(tmp_path: Path) -> None:
    for number in range(1, 100):
        with (tmp_path / f"{number}-1-0.kab").open("wb") as file:
            file.truncate(1 << 30)
    recording = read(tmp_path, most_bytes=1 << 20)
    assert recording.processes == ()
    assert len(recording.damaged) == 99
    assert "too many" in recording.damaged[0]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    records = Records(str(tmp_path), 0)
    for number in range(1, 4000):
        records.add(layout.CHILD, 0, number, LONG_AGO)
    (tmp_path / f"{records.key}-1.kab").unlink()
    recording = read(tmp_path)
    assert recording.damaged == (f"{records.key}: its file 1 is missing",)
    (tmp_path / f"{records.key}-0.kab").unlink()
    assert read(tmp_path) == ((), (f"{records.key}: its first file is missing",))


def test_a_record_that_wasnt_finished_is_told_and_left_out(tmp_path: Path) -> None:
    records, file = whole(tmp_path)
    put(file, FREE, layout.CHILD, 0, 78, LONG_AGO)
    overwrite(file, FREE, b"\0", at=63)
    recording = read(tmp_path)
    assert [it.pid for it in recording.processes[0].children] == [77]
    assert recording.damaged == (f"{records.key}: 1 records aren't whole",)


def test_a_text_that_goes_on_for_ever_ends(tmp_path: Path) -> None:
    _, file = whole(tmp_path)
    put(file, FREE, layout.TEXT, 48, FREE)
    put(file, FREE + 1, layout.TROUBLE, FREE, LONG_AGO)
    troubles = only_process(tmp_path).troubles
    assert len(troubles[-1]) <= layout.LONGEST_TEXT + layout.CHUNK_BYTES


def test_a_text_that_is_longer_than_its_slot_ends_there(tmp_path: Path) -> None:
    _, file = whole(tmp_path)
    put(file, FREE, layout.TEXT, 255, 0)
    overwrite(file, FREE, b"x" * 48, at=layout.CHUNK_OFFSET)
    put(file, FREE + 1, layout.TROUBLE, FREE, LONG_AGO)
    assert only_process(tmp_path).troubles[-1] == "x" * 48


def test_what_a_terminal_would_act_on_is_replaced(tmp_path: Path) -> None:
    records = Records(str(tmp_path), 0)
    records.note("\x1b[2J \x9b \u202e \r\n\t\x00 é")
    trouble = only_process(tmp_path).troubles[0]
    assert trouble == "�[2J � � ���� é"


def test_bytes_that_arent_text_are_replaced(tmp_path: Path) -> None:
    _, file = whole(tmp_path)
    put(file, FREE, layout.TEXT, 3, 0)
    overwrite(file, FREE, b"a\xffb", at=layout.CHUNK_OFFSET)
    put(file, FREE + 1, layout.TROUBLE, FREE, LONG_AGO)
    assert only_process(tmp_path).troubles[-1] == "a�b"


def test_a_stack_that_goes_on_for_ever_ends(tmp_path: Path) -> None:
    _, file = whole(tmp_path)
    put(file, FREE, layout.FRAME, FREE, 0, 0, 7)
    put(file, FREE + 1, layout.CLIENT, 0, 0, 0, 0, FREE, 0, -1, LONG_AGO, 0.0)
    stack = only_process(tmp_path).clients[FREE + 1].stack
    assert stack == (Frame("", 7, ""),) * 200


def test_clients_that_belong_to_each_other_belong_to_none(tmp_path: Path) -> None:
    _, file = whole(tmp_path)
    put(file, FREE, layout.CLIENT, 0, FREE + 1, 0, 0, 0, 0, -1, LONG_AGO, 0.0)
    put(file, FREE + 1, layout.CLIENT, 0, FREE, 0, 0, 0, 0, -1, LONG_AGO, 0.0)
    put(file, FREE + 2, layout.CLIENT, 0, FREE + 1, 0, 0, 0, 0, -1, LONG_AGO, 0.0)
    clients = only_process(tmp_path).clients
    assert [clients[FREE + it].of for it in range(3)] == [None] * 3


def test_what_isnt_there_is_referred_to_by_nobody(tmp_path: Path) -> None:
    _, file = whole(tmp_path)
    nowhere = 2**32 - 1
    refers = nowhere, nowhere, nowhere, nowhere, nowhere
    put(file, FREE, layout.CONNECTION, 0, *refers, *[LONG_AGO] * 4, nowhere, 0)
    put(file, FREE + 1, layout.EXCHANGE, 0, nowhere, nowhere, 0, *[LONG_AGO] * 4, *refers[:3], 0)
    put(file, FREE + 2, layout.CLIENT, 0, nowhere, *refers[:4], -1, LONG_AGO, 0.0)
    process = only_process(tmp_path)
    connection, exchange = list(process.connections())[-1], list(process.exchanges())[-1]
    assert (connection.client, connection.previous) == (None, None)
    assert (connection.stack, connection.closing_stack) == ((), ())
    assert (exchange.connection, exchange.frame, exchange.answer) == (None, None, None)
    assert process.clients[FREE + 2].of is None


@pytest.mark.parametrize("time_s", [float("nan"), float("inf"), -1.0, 1e300])
def test_times_that_cant_be_arent_told(tmp_path: Path, time_s: float) -> None:
    _, file = whole(tmp_path)
    put(file, FREE, layout.EXCHANGE, 0, 0, 0, 0, *[time_s] * 4, 0, 0, 0, 0)
    process = only_process(tmp_path)
    told = list(process.exchanges())[-1]
    assert told.began_s == process.started_s
    assert (told.sent_s, told.answered_s, told.ended_s) == (None, None, None)


def test_an_ending_that_there_isnt_is_none(tmp_path: Path) -> None:
    _, file = whole(tmp_path)
    put(file, FREE, layout.CONNECTION, 0, 0, 0, 0, 0, 0, *[LONG_AGO] * 4, 0, 255)
    assert list(only_process(tmp_path).connections())[-1].ending == "open"


def test_processes_that_forked_each_other_are_told_apart(tmp_path: Path) -> None:
    made = [Records(str(tmp_path), 0) for _ in range(2)]
    for records, other in zip(made, reversed(made), strict=True):
        file = tmp_path / f"{records.key}-0.kab"
        key = other.key.encode()
        put(file, FREE, layout.TEXT, len(key), 0)
        overwrite(file, FREE, key, at=layout.CHUNK_OFFSET)
        at = layout.SLOT_BYTES - 16  # `forked_from`
        overwrite(file, 0, struct.pack("=I", FREE), at=at)
    first, second = read(tmp_path).processes
    assert (first.forked_from, second.forked_from) == (None, first.key)


@settings(max_examples=200)
@given(data=st.data())
def test_nothing_in_a_file_makes_reading_fail(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    _, file = whole(folder)
    kinds = st.sampled_from(layout.KINDS)
    numbers = st.one_of(st.integers(0, FREE * 2), st.just(2**32 - 1))
    floats = st.floats(width=64)
    for number in range(FREE, FREE + data.draw(st.integers(1, 20))):
        kind = data.draw(kinds)
        body = bytearray(data.draw(st.binary(min_size=64, max_size=64)))
        for at in range(4, 60, 4):
            body[at : at + 4] = struct.pack("=I", data.draw(numbers))
        for at in range(8, 56, 8):
            if data.draw(st.booleans()):
                body[at : at + 8] = struct.pack("=d", data.draw(floats))
        body[0] = body[63] = kind.kind
        overwrite(file, number, bytes(body))
    overwrite(file, data.draw(st.integers(0, 20)), data.draw(st.binary(max_size=64)))
    recording = read(folder)
    assert len(recording.processes) + len(recording.damaged) > 0
    consume(recording)


def test_a_connection_that_is_being_opened_isnt_one_yet(tmp_path: Path) -> None:
    connection = Connection(Tracer(Records(str(tmp_path), 0)))
    connection.opening()
    connection.leads(ORIGIN)
    assert not list(only_process(tmp_path).connections())
    connection.connected(ORIGIN)
    assert [it.ending for it in only_process(tmp_path).connections()] == ["open"]
