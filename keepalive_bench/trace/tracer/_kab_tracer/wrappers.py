"""Wrappers that notice when a method is called, returns and raises; of coroutines, coroutines.

Each of the three is called with the object; then `before` has the method's arguments, and what it
returns goes to the others, before the result or the error. None of them may raise: `quietly`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from .lives import Tracer

    Function: TypeAlias = Callable[..., Any]


class Watcher:
    """Whatever notes things for a tracer."""

    tracer: Tracer


def quietly(do: Function) -> Function:
    """Keep errors of a method of a `Watcher`'s from the program."""

    def quiet(self: Watcher, *args: object, **kwargs: object) -> object:
        try:
            return do(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001  # it is the tracer's own
            self.tracer.records.trouble(error)
            return None

    return quiet


def _nothing(*_: object, **__: object) -> None:
    """Note nothing."""


def around(
    before: Function = _nothing, after: Function = _nothing, failed: Function = _nothing
) -> Function:
    """Make a maker of a wrapper for `Patches.wrap`, of a method."""
    if failed is _nothing and before is _nothing:
        return _only_after(after)
    if failed is _nothing and after is _nothing:
        return _only_before(before)

    def make(original: Function) -> Function:
        def wrapper(self: object, *args: object, **kwargs: object) -> object:
            state = before(self, *args, **kwargs)
            try:
                result = original(self, *args, **kwargs)
            except BaseException as error:
                failed(self, state, error)
                raise
            after(self, state, result)
            return result

        return wrapper

    return make


def _only_after(after: Function) -> Function:
    def make(original: Function) -> Function:
        def wrapper(self: object, *args: object, **kwargs: object) -> object:
            result = original(self, *args, **kwargs)
            after(self, None, result)
            return result

        return wrapper

    return make


def _only_before(before: Function) -> Function:
    def make(original: Function) -> Function:
        def wrapper(self: object, *args: object, **kwargs: object) -> object:
            before(self, *args, **kwargs)
            return original(self, *args, **kwargs)

        return wrapper

    return make


def around_async(
    before: Function = _nothing, after: Function = _nothing, failed: Function = _nothing
) -> Function:
    """Make one of a method that is a coroutine."""

    def make(original: Function) -> Function:
        async def wrapper(self: object, *args: object, **kwargs: object) -> object:
            state = before(self, *args, **kwargs)
            try:
                result = await original(self, *args, **kwargs)
            except BaseException as error:
                failed(self, state, error)
                raise
            after(self, state, result)
            return result

        return wrapper

    return make
