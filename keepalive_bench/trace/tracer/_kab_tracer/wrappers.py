"""Wrappers that note when a method is called, returns and raises; those of coroutines are such.

Each of the three notes is a method of a `Watcher`, and is called with the object; `before` has the
method's arguments, too, and what it returns goes to the others, before the result or the error:
`None`, where it failed. What they raise is the tracer's trouble, and nobody else's.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from .lives import Tracer

    Function: TypeAlias = Callable[..., Any]
    Maker: TypeAlias = Callable[[Function], Function]


class Watcher:
    """Whatever notes things for a tracer."""

    tracer: Tracer


def quietly(do: Function) -> Function:
    """Keep errors of a method of a `Watcher`'s from whoever calls it, as no wrapper does."""

    def quiet(self: Watcher, *args: object, **kwargs: object) -> object:
        try:
            return do(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001  # it is the tracer's own
            self.tracer.records.trouble(error)
            return None

    return quiet


def before(note: Function) -> Maker:
    """What makes a wrapper for `Patches.wrap`, of a method; only its call is noted, as it comes."""
    trouble = _trouble(note)

    def make(original: Function) -> Function:
        def wrapper(self: object, *args: object, **kwargs: object) -> object:  # mostly, none
            try:
                note(self)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            return original(self, *args, **kwargs) if args or kwargs else original(self)

        return wrapper

    return make


def after(note: Function) -> Maker:
    """The same, where only its result is noted."""
    trouble = _trouble(note)

    def make(original: Function) -> Function:
        def wrapper(self: object, *args: object, **kwargs: object) -> object:
            result = original(self, *args, **kwargs) if args or kwargs else original(self)
            try:
                note(self, result)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            return result

        return wrapper

    return make


def _nothing(*_: object, **__: object) -> None:
    """Note nothing."""


def around(
    before: Function = _nothing, after: Function = _nothing, failed: Function = _nothing
) -> Maker:
    """What makes a wrapper for `Patches.wrap`, of a method."""
    trouble, is_awaited = _trouble(before, after, failed), after is not _nothing

    def make(original: Function) -> Function:
        def wrapper(self: object, *args: object, **kwargs: object) -> object:
            try:
                state = before(self, *args, **kwargs)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                state = None
                trouble(error)
            try:
                result = original(self, *args, **kwargs)
            except BaseException as error:
                try:
                    failed(self, state, error)
                except Exception as own:  # noqa: BLE001  # the program never sees it
                    trouble(own)
                raise
            if is_awaited:
                try:
                    after(self, state, result)
                except Exception as error:  # noqa: BLE001  # the program never sees it
                    trouble(error)
            return result

        return wrapper

    return make


def around_async(
    before: Function = _nothing, after: Function = _nothing, failed: Function = _nothing
) -> Maker:
    """What makes one of a method that is a coroutine."""
    trouble, is_awaited = _trouble(before, after, failed), after is not _nothing

    def make(original: Function) -> Function:
        async def wrapper(self: object, *args: object, **kwargs: object) -> object:
            try:
                state = before(self, *args, **kwargs)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                state = None
                trouble(error)
            try:
                result = await original(self, *args, **kwargs)
            except BaseException as error:
                try:
                    failed(self, state, error)
                except Exception as own:  # noqa: BLE001  # the program never sees it
                    trouble(own)
                raise
            if is_awaited:
                try:
                    after(self, state, result)
                except Exception as error:  # noqa: BLE001  # the program never sees it
                    trouble(error)
            return result

        return wrapper

    return make


def _trouble(*notes: Function) -> Callable[[BaseException], None]:
    """Where their errors go."""
    watchers: list[Watcher | None] = [getattr(it, "__self__", None) for it in notes]
    return next(it.tracer.records.trouble for it in watchers if it is not None)
