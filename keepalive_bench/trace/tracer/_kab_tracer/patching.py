"""Puts wrappers around functions of other people's classes and modules, and takes them out again.

A wrapper calls the original exactly once, whatever the tracer does in it; errors of the tracer's
own go to `Records.trouble`, and no further:

    def patch_connection(tracer, patches, module):
        def make(original):
            def close(self):
                try:
                    ...  # the tracer's part
                except Exception as error:
                    tracer.records.trouble(error)
                return original(self)
            return close
        patches.wrap(module.HTTPConnection, "close", make)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any, TypeAlias, Union

    from .records import Records

    Function: TypeAlias = Callable[..., Any]
    Owner: TypeAlias = Union[type, ModuleType]

_passing: dict[int, tuple[object, object]] = {}
"""Wrappers that only call their originals, each with what it stands on; by its identity."""
_COROUTINE = 0x80
_COPIED = ("__module__", "__name__", "__qualname__", "__doc__")


class Patches:
    """The wrappers of one tracer."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self._made: list[tuple[Owner, str, object, object, Function, Function]] = []
        self._own: set[int] = set()
        """What each of them is known by."""

    def wrap(self, owner: Owner, name: str, make: Callable[[Function], Function]) -> bool:
        """Put a wrapper around a function, where its owner itself defines it.

        Args:
            owner: a class or a module.
            name: the function's name there. Is there none, that is noted as trouble; where some
                versions of a library don't have it, ask before.
            make: makes the wrapper from the original; its name, its docstring and the like are
                taken over. The wrapper keeps the original in a variable of its closure.

        Returns:
            whether the wrapper is in, or was already.
        """
        found = vars(owner).get(name)
        if id(found) in self._own:
            return True
        kind = type(found) if isinstance(found, (staticmethod, classmethod)) else None
        original = found.__func__ if kind else found  # type: ignore[union-attr]
        if not callable(original):
            self.records.note(f"no function {owner.__name__}.{name}")
            return False
        try:
            wrapper = make(original)
            wrapper.__code__ = wrapper.__code__.replace()  # Python's caches in it are its own
            _dress(wrapper, original)
            put = kind(wrapper) if kind else wrapper
            if isinstance(found, type(len)):
                put = _Unbound(wrapper, found, owner.__name__)
            self._made.append((owner, name, found, put, original, wrapper))
            self._own.add(id(put))
            setattr(owner, name, put)
        except Exception as error:  # noqa: BLE001  # it stays as it is
            self.records.trouble(error)
            return False
        return True

    def undo(self) -> None:
        """Take the wrappers out; one that another tracer has wrapped only calls the original."""
        while self._made:
            owner, name, found, put, original, wrapper = self._made.pop()
            try:
                if vars(owner).get(name) is put:
                    setattr(owner, name, _beneath(found))
                else:
                    _pass_through(wrapper, original)
                    _passing[id(put)] = put, found
            except Exception as error:  # noqa: BLE001  # it stays as it is
                self.records.trouble(error)
        self._own.clear()


def _beneath(found: object) -> object:
    """What stands there, without wrappers that only pass calls through."""
    while id(found) in _passing:
        _, found = _passing.pop(id(found))
    return found


class _Unbound:
    """Stands for a function written in C, which doesn't become a method where a class has it."""

    def __init__(self, wrapper: Function, original: Any, owner: str) -> None:  # noqa: ANN401  # it has more than a function
        self.__dict__.update(wrapper.__dict__)
        for name in _COPIED:
            setattr(self, name, getattr(wrapper, name))
        self._wrapper, self._original = wrapper, original
        self.__module__ = owner  # where pickle finds it

    def __call__(self, *args: object, **kwargs: object) -> object:
        return self._wrapper(*args, **kwargs)

    @property  # type: ignore[misc]  # a class may have it otherwise than `object`
    def __class__(self) -> Any:  # noqa: ANN401  # what `isinstance` sees
        return type(self._original)

    def __getattr__(self, name: str) -> object:
        return getattr(self._original, name)

    def __reduce__(self) -> str:
        return str(self._original.__name__)

    def __repr__(self) -> str:
        return repr(self._original)


def _dress(wrapper: Function, original: Function) -> None:
    """Have a wrapper look like its original, as functools does, which may not be imported yet."""
    wrapper.__dict__.update(getattr(original, "__dict__", {}))
    for name in _COPIED:
        if hasattr(original, name):
            setattr(wrapper, name, getattr(original, name))
    wrapper.__wrapped__ = original  # type: ignore[attr-defined]


def _pass_through(wrapper: Function, original: Function) -> None:
    """Have a wrapper do nothing but call its original, wherever it is kept."""
    free = wrapper.__code__.co_freevars
    cells = dict(zip(free, wrapper.__closure__ or ()))  # Python 3.9 has no strict
    names = [name for name, cell in cells.items() if cell.cell_contents is original]
    # Python 3.13 warns where a coroutine gets the code of another kind of function.
    is_coroutine = wrapper.__code__.co_flags & _COROUTINE
    makes, waits = ("async def", "await ") if is_coroutine else ("def", "")
    text = (
        f"def outer({', '.join(free)}):\n"
        f" {makes} inner(*args, **kwargs):\n"
        f"  if 0: {', '.join(free)}\n"
        f"  return {waits}{names[0]}(*args, **kwargs)\n"
        f" return inner\n"
    )
    made: dict[str, Any] = {}
    exec(text, made)  # noqa: S102  # its names are those of variables of the tracer's
    inner = made["outer"](*free)
    wrapper.__code__ = inner.__code__
    wrapper.__defaults__ = wrapper.__kwdefaults__ = None
