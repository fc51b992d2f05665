"""A program with the tracer in it behaves as it would without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.counting import embedded
from support.pythons import only_process, traced

if TYPE_CHECKING:
    from pathlib import Path

FUNCTIONS = ("_exit", "execv", "posix_spawn")


@pytest.mark.parametrize("action", ["copy.deepcopy", "lambda it: pickle.loads(pickle.dumps(it))"])
def test_connections_may_be_pickled_and_copied(tmp_path: Path, action: str) -> None:
    program = f"""
        import copy, http.client, pickle
        act = {action}
        made = act(http.client.HTTPConnection("127.0.0.1", 80))
        print(made.host, made.port)
        """
    assert traced(tmp_path, program).split() == ["127.0.0.1", "80"]


def test_a_copy_of_a_connection_is_traced(tmp_path: Path) -> None:
    program = """
        import copy, http.client, sys
        port = int(sys.argv[1].strip("/").rpartition(":")[2])
        copied = copy.deepcopy(http.client.HTTPConnection("127.0.0.1", port, 9))
        for _ in range(2):
            copied.request("GET", "/")
            copied.getresponse().read()
        copied.close()
        """
    with embedded() as server:
        traced(tmp_path, program, *server.words)
        seen = server.counts()
    process = only_process(tmp_path)
    found = len(list(process.connections())), len(list(process.exchanges()))
    assert found == (seen.connections, seen.requests) == (1, 2)


def test_connections_that_are_alike_stay_alike(tmp_path: Path) -> None:
    program = """
        import http.client
        first, second = (http.client.HTTPConnection("127.0.0.1", 80) for _ in range(2))
        print(vars(first) == vars(second))
        """
    assert traced(tmp_path, program).strip() == "True"


def test_a_class_that_watches_its_attributes_sees_none_of_the_tracers(tmp_path: Path) -> None:
    program = """
        import http.client
        class Connection(http.client.HTTPConnection):
            def __setattr__(self, name, value):
                if "kab" in name:
                    raise RuntimeError(name)
                super().__setattr__(name, value)
        Connection("127.0.0.1", 80)
        """
    traced(tmp_path, program)
    assert only_process(tmp_path).errors == 0


@pytest.mark.parametrize("method", ["getresponse", "close"])
def test_an_object_that_answers_for_none_of_its_attributes_raises_what_it_would(
    tmp_path: Path, method: str
) -> None:
    program = f"""
        import http.client
        class Connection(http.client.HTTPConnection):
            def __init__(self):
                pass
            def __getattr__(self, name):
                raise LookupError("kab" in name)
        try:
            Connection().{method}()
        except LookupError as error:
            print(error)
        """
    assert traced(tmp_path, program).strip() == "False"


@pytest.mark.usefixtures("uncovered")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_the_system_look_as_they_did(tmp_path: Path, name: str) -> None:
    program = f"""
        import copy, inspect, os, pickle
        it = os.{name}
        assert pickle.loads(pickle.dumps(it)) is copy.deepcopy(it) is it
        print(inspect.isbuiltin(it), it.__self__.__name__, repr(it))
        """
    assert traced(tmp_path, program).strip() == f"True posix <built-in function {name}>"


@pytest.mark.usefixtures("uncovered")
def test_a_process_may_be_started_that_only_exits(tmp_path: Path) -> None:
    program = """
        import multiprocessing, os
        process = multiprocessing.get_context("spawn").Process(target=os._exit, args=(7,))
        process.start()
        process.join()
        print(process.exitcode)
        """
    assert traced(tmp_path, program).strip() == "7"


INTERRUPTED = """
    import http.client, signal, sys
    class Late(Exception):
        pass
    def handler(*given):
        raise {raised}
    signal.signal(signal.SIGALRM, handler)
    port = int(sys.argv[1].strip("/").rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    from _kab_tracer import {module}
    original = {module}.{function}
    def interrupted(*args, **kwargs):
        signal.raise_signal(signal.SIGALRM)
        return original(*args, **kwargs)
    {module}.{function} = interrupted
    try:
        connection.request("GET", "/")
    except {raised}:
        print("late")
    """


@pytest.mark.parametrize("raised", ["Late", "TimeoutError", "AttributeError"])
@pytest.mark.parametrize(
    ("module", "function"),
    [("lives", "now"), ("lives", "who"), ("for_http_client", "_unix_path")],
)
def test_what_a_signals_handler_raises_amid_the_tracers_work_is_the_programs(
    tmp_path: Path, module: str, function: str, raised: str
) -> None:
    program = INTERRUPTED.format(module=module, function=function, raised=raised)
    with embedded() as server:
        assert traced(tmp_path, program, *server.words).strip() == "late"
    assert only_process(tmp_path).errors == 0


def test_so_is_a_timeout_as_the_tracer_makes_a_file(tmp_path: Path) -> None:
    program = """
        import os, signal
        from _kab_tracer import _tracing, records
        def handler(number, frame):
            raise TimeoutError
        signal.signal(signal.SIGALRM, handler)
        original = os.open
        def interrupted(*args, **kwargs):
            signal.raise_signal(signal.SIGALRM)
            return original(*args, **kwargs)
        os.open = interrupted
        try:
            while True:
                _tracing.records.add(records.layout.TROUBLE, 0, 0.0)
        except TimeoutError:
            os.open = original
        print(_tracing.records.claim()[0] > 0)
        """
    assert traced(tmp_path, program).strip() == "True"
    assert only_process(tmp_path).lost == 0


def test_so_is_what_another_thread_raises_there(tmp_path: Path) -> None:
    program = """
        import ctypes, functools, http.client, sys, threading
        class Late(Exception):
            pass
        port = int(sys.argv[1].strip("/").rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.1", port)
        from _kab_tracer import lives
        this, late = ctypes.c_ulong(threading.get_ident()), ctypes.py_object(Late)
        original = lives.now
        lives.now = functools.partial(ctypes.pythonapi.PyThreadState_SetAsyncExc, this, late)
        try:
            connection.request("GET", "/")
        except Late:
            lives.now = original
            print("late")
        """
    with embedded() as server:
        assert traced(tmp_path, program, *server.words).strip() == "late"
    assert only_process(tmp_path).errors == 0
