"""Functions are wrapped without a trace on them, and are as they were afterwards."""

from __future__ import annotations

import asyncio
import inspect
import os
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from keepalive_bench.trace.reading import read
from keepalive_bench.trace.tracer._kab_tracer.patching import Patches
from keepalive_bench.trace.tracer._kab_tracer.records import Records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Function = Callable[..., Any]


class Theirs:
    """A library's class."""

    def plain(self, word: str, *, loud: bool = False) -> str:
        """Say it."""
        return word.upper() if loud else word

    @staticmethod
    def static(word: str) -> str:
        return word

    @classmethod
    def of_class(cls, word: str) -> str:
        return f"{cls.__name__} {word}"

    async def later(self, word: str) -> str:
        return word

    value = 7


class Derived(Theirs):
    pass


@pytest.fixture
def patches(tmp_path: Path) -> Patches:
    return Patches(Records(str(tmp_path), 0))


def noting(calls: list[str], name: str) -> Callable[[Function], Function]:
    """What makes wrappers that note that they were called."""

    def make(original: Function) -> Function:
        def wrapper(*args: object, **kwargs: object) -> object:
            calls.append(name)
            return original(*args, **kwargs)

        return wrapper

    return make


def test_a_wrapper_is_called_and_calls_the_original(patches: Patches) -> None:
    calls: list[str] = []
    assert patches.wrap(Theirs, "plain", noting(calls, "plain"))
    assert Theirs().plain("hello", loud=True) == "HELLO"
    patches.undo()
    assert Theirs().plain("hello") == "hello"
    assert calls == ["plain"]


@pytest.mark.parametrize("name", ["plain", "static", "of_class", "later"])
def test_afterwards_the_very_same_is_there(patches: Patches, name: str) -> None:
    before = vars(Theirs)[name]
    patches.wrap(Theirs, name, noting([], name))
    assert vars(Theirs)[name] is not before
    patches.undo()
    assert vars(Theirs)[name] is before


@pytest.mark.parametrize("name", ["static", "of_class"])
def test_a_function_stays_of_its_kind(patches: Patches, name: str) -> None:
    calls: list[str] = []
    expected = getattr(Derived, name)("hello"), getattr(Theirs(), name)("hello")
    patches.wrap(Theirs, name, noting(calls, name))
    try:
        assert (getattr(Derived, name)("hello"), getattr(Theirs(), name)("hello")) == expected
    finally:
        patches.undo()
    assert calls == [name] * 2


def test_a_wrapper_looks_like_its_original(patches: Patches) -> None:
    original = Theirs.plain
    names = "__name__", "__qualname__", "__doc__", "__module__"
    expected = [getattr(original, name) for name in names], inspect.signature(original)
    patches.wrap(Theirs, "plain", noting([], "plain"))
    try:
        wrapper = Theirs.plain
        assert wrapper is not original
        seen = [getattr(wrapper, name) for name in names], inspect.signature(wrapper)
        assert seen == expected
        assert inspect.unwrap(wrapper) is original
    finally:
        patches.undo()


@pytest.mark.parametrize("name", ["nothing", "value"])
def test_what_isnt_there_is_noted(patches: Patches, tmp_path: Path, name: str) -> None:
    assert not patches.wrap(Theirs, name, noting([], name))
    assert read(tmp_path).processes[0].troubles == (f"no function Theirs.{name}",)


def test_only_what_a_class_itself_defines_is_wrapped(patches: Patches) -> None:
    assert not patches.wrap(Derived, "plain", noting([], "plain"))
    assert "plain" not in vars(Derived)


def test_what_is_wrapped_already_isnt_wrapped_again(patches: Patches) -> None:
    calls: list[str] = []
    for _ in range(2):
        assert patches.wrap(Theirs, "plain", noting(calls, "plain"))
    Theirs().plain("hello")
    patches.undo()
    assert calls == ["plain"]


def test_a_class_that_lets_nobody_in_stays_and_is_noted(patches: Patches, tmp_path: Path) -> None:
    assert not patches.wrap(str, "upper", noting([], "upper"))
    assert "a".upper() == "A"
    assert read(tmp_path).processes[0].errors == 1


def test_what_another_tracer_wrapped_stays_wrapped_by_it(patches: Patches) -> None:
    calls: list[str] = []
    original = Theirs.plain
    patches.wrap(Theirs, "plain", noting(calls, "own"))
    Theirs.plain = noting(calls, "another")(Theirs.plain)  # type: ignore[method-assign]
    try:
        assert Theirs().plain("hello") == "hello"
        assert calls == ["another", "own"]
        patches.undo()
        assert Theirs().plain("hello", loud=True) == "HELLO"
        assert calls == ["another", "own", "another"]
    finally:
        Theirs.plain = original  # type: ignore[method-assign]


def test_so_does_what_waits_for_it(patches: Patches) -> None:
    calls: list[str] = []
    original = Theirs.later

    def make(original: Function) -> Function:
        async def later(self: Theirs, word: str, suffix: str = "") -> str:
            calls.append("own")
            return str(await original(self, word)) + suffix

        return later

    patches.wrap(Theirs, "later", make)
    own = Theirs.later
    Theirs.later = noting(calls, "another")(Theirs.later)  # type: ignore[method-assign]
    try:
        assert asyncio.run(Theirs().later("hello")) == "hello"
        patches.undo()
        assert inspect.iscoroutinefunction(own)
        assert asyncio.run(Theirs().later("hello")) == "hello"
        assert calls == ["another", "own", "another"]
    finally:
        Theirs.later = original  # type: ignore[method-assign]


def test_tracers_that_wrap_the_same_end_in_any_order(tmp_path: Path) -> None:
    calls: list[str] = []
    original = Theirs.plain
    first, second = (Patches(Records(str(tmp_path), 0)) for _ in range(2))
    first.wrap(Theirs, "plain", noting(calls, "first"))
    second.wrap(Theirs, "plain", noting(calls, "second"))
    first.undo()
    Theirs().plain("hello")
    assert calls == ["second"]
    second.undo()
    Theirs().plain("hello")
    assert calls == ["second"]
    Theirs.plain = original  # type: ignore[method-assign]


def test_a_function_of_c_becomes_no_method_of_a_class_that_has_it(patches: Patches) -> None:
    calls: list[str] = []
    module = ModuleType("theirs")
    module.getpid = os.getpid  # type: ignore[attr-defined]
    patches.wrap(module, "getpid", noting(calls, "getpid"))

    class Holder:
        ask = module.getpid

    assert Holder().ask() == os.getpid()
    assert module.getpid.__name__ == "getpid"
    patches.undo()
    assert module.getpid is os.getpid
    assert calls == ["getpid"]
