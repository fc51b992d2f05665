"""Click's options, made of what the plan declares; and `--help`, with a heading for each group."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from keepalive_bench.cli import completion
from keepalive_bench.errors import UsageError
from keepalive_bench.plan.options import GROUPS, options_of
from keepalive_bench.plan.plan import Plan
from keepalive_bench.plan.values import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from keepalive_bench.plan.options import Option

_Command = TypeVar("_Command", bound="Callable[..., Any]")
_OTHERS = "Other options"
_PATHS = {
    "file": click.Path(path_type=Path),
    **dict.fromkeys(
        ("readable", "checked", "content"),
        click.Path(path_type=Path, exists=True, dir_okay=False, readable=True),
    ),
}


class Headed(click.Option):
    """An option below a heading of its own."""

    def __init__(self, spellings: Sequence[str], *, heading: str, **more: Any) -> None:  # noqa: ANN401  # Click's own
        """Keep the heading at hand."""
        super().__init__(spellings, **more)
        self.heading = heading


class Declared(Headed):
    """An option of a plan."""

    def __init__(self, spellings: Sequence[str], *, declared: Option[Any], **more: Any) -> None:  # noqa: ANN401  # the same
        """Keep the declaration at hand."""
        super().__init__(spellings, heading=declared.group, **more)
        self.declared = declared


class Grouped(click.Command):
    """A command whose help has a heading for each group of options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, each below its heading; those of Click itself come last."""
        groups: dict[str, list[tuple[str, str]]] = {name: [] for name in (*GROUPS, _OTHERS)}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                groups[getattr(parameter, "heading", _OTHERS)].append(record)
        for name, records in groups.items():
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)


def plan_options(several: Iterable[Option[Any]]) -> Callable[[_Command], _Command]:
    """Add options of a plan, whose values `cli/planning.py` takes."""

    def add(command: _Command) -> _Command:
        for each in reversed(tuple(several)):
            command = _added(command, each, each.name.replace("-", "_"))
        return command

    return add


def requirement_options(command: _Command) -> _Command:
    """Add `--require` (`requirements`, a tuple of texts) and `--strict`."""
    require = next(it for it in options_of(Plan) if it.name == "require")
    return _added(strict_option(command), require, "requirements")


def judging_options(default: str, what: str) -> Callable[[_Command], _Command]:
    """Add `--confidence` and `--margin` (of `what`) for stored runs; `default` in words."""

    def add(command: _Command) -> _Command:
        for name, words in (
            ("margin", f"A {what} wholly within 1 ± this is called no difference."),
            ("confidence", "Confidence level of all intervals."),
        ):
            told = f"{words}  [default: {default}]"
            command = click.option(f"--{name}", type=float, help=told)(command)
        return command

    return add


def strict_option(command: _Command) -> _Command:
    """Add `--strict`."""
    return click.option(
        "--strict",
        is_flag=True,
        cls=Headed,
        heading=GROUPS[-1],
        help="Count undecided requirements as missed.",
    )(command)


def _added(command: _Command, option: Option[Any], name: str) -> _Command:
    *others, last = option.flags
    is_switch = option.form == "switch"
    return click.option(
        *others,
        f"{last}/{option.off}" if option.off else last,
        name,
        cls=Declared,
        declared=option,
        type=None if is_switch else _type(option),
        is_flag=is_switch or None,
        default=None,
        multiple=option.form == "repeatable",
        metavar=option.metavar or None,
        shell_complete=completion.arms if name == "arm" else None,
        help=option.help,
    )(command)


def _type(option: Option[Any]) -> click.ParamType[Any]:
    if option.choices:
        return click.Choice(option.choices)
    if option.source in _PATHS:
        return _PATHS[option.source]
    known: dict[object, click.ParamType[Any]] = {
        int: click.INT,
        float: click.FLOAT,
        parse_time: TIME,
    }
    return known.get(option.parse, click.STRING)


class _Time(click.types.StringParamType):
    """Seconds: a number, however it is written, or a duration with a unit."""

    name = "time"

    def convert(
        self,
        value: Any,  # noqa: ANN401  # Click's own
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401  # a float, where its parent has text
        """The seconds; an error of Click's own kind, which knows where the value comes from."""
        try:
            return parse_time(value)
        except UsageError as error:
            self.fail(f"{error}", param, ctx)


TIME = _Time()
