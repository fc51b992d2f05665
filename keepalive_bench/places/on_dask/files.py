"""The files that a plan names: read here, and laid down where it is carried out."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any, TypeVar

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.fields import plan_fields
from keepalive_bench.plan.plan import Plan
from keepalive_bench.units import filename

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.plan.fields import PlanField

T = TypeVar("T")
LARGEST = 2**25
"""What a plan may have of files and body: each worker gets them all, by way of the scheduler."""
_OF_THE_WORKER = {"unix_socket"}
"""A path that is meant as it is where the plan is carried out."""
_PUBLIC = {"ca_file"}
"""A file that may be seen by everybody."""
Files = dict[str, bytes]
"""The contents, by the names of the plan's fields."""


def contents(plan: Plan) -> Files:
    """What is in the files that a plan names.

    Raises:
        UsageError: one can't be read, or all that is to be sent is too large.
    """
    found = {it.name: _content(it.of(plan)) for it in _named(plan)}
    size = sum(map(len, found.values())) + len(plan.request.body or b"")
    if size > LARGEST:
        raise UsageError(
            f"With --dask, a body and files may have {LARGEST // 2**20} MiB together: each worker "
            f"gets them all. These have {size / 2**20:,.0f}."
        )
    return found


def secret_files(plan: Plan) -> Iterator[str]:
    """The options that name files which not everybody may see."""
    yield from (it.setting.options[0].name for it in _named(plan) if it.name not in _PUBLIC)


def _named(plan: Plan) -> Iterator[PlanField]:
    """The fields that name a file."""
    for it in plan_fields(Plan):
        if isinstance(it.of(plan), Path) and it.name not in _OF_THE_WORKER:
            yield it


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{filename(path)} can't be read: {error.strerror}.") from None


@contextmanager
def laid_down(plan: Plan, files: Files, folder: Path) -> Iterator[Plan]:
    """The plan with files of its own in a folder that is nobody else's; they go with the block."""
    try:
        for it in (*_named(plan),):
            path = folder / it.name
            path.touch(0o600)
            path.write_bytes(files[it.name])
            plan = _with(plan, it.path, it.name, path)
        yield plan
    finally:
        rmtree(folder, ignore_errors=True)


def _with(whole: T, path: Sequence[str], name: str, value: object) -> T:
    """The same with another value of a field, of it or of a part that a path leads to."""
    changed: Any = whole
    if path:
        name, value = path[0], _with(getattr(whole, path[0]), path[1:], name, value)
    result: T = replace(changed, **{name: value})
    return result
