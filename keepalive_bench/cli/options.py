"""The options of commands: those that no plan has, how Click has each, and what they ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from keepalive_bench.cli import reading
from keepalive_bench.cli.formatter import Context
from keepalive_bench.errors import UsageError
from keepalive_bench.plan.fields import options_of
from keepalive_bench.plan.options import GROUPS, Asked, Example, Option
from keepalive_bench.plan.plan import Plan
from keepalive_bench.plan.values import parse_time
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from click.shell_completion import CompletionItem

    from keepalive_bench.cli.curl import TakenOver

VERBOSE = Option(
    form="switch",
    parse=bool,
    group="Output",
    spelling="-v, --verbose",
    help="Tell more, and of each response and connection.",
    example=Example("-v", "open to the end", "said"),
)
NO_PLOT = Option(
    form="switch",
    parse=bool,
    group="Output",
    spelling="--no-plot",
    help="No histograms below the table.",
    example=Example("--no-plot", "latency distribution", "unsaid"),
)
QUIET = Option(
    form="switch",
    parse=bool,
    group="Output",
    spelling="--quiet",
    help="Don't show progress.",
    example=Example("--quiet", " · ", "unremarked"),
)
NO_COLOR = Option(
    form="switch",
    parse=bool,
    group="Output",
    spelling="--no-color",
    help="No colours (as with NO_COLOR set).",
    example=Example("--no-color", "\x1b[1m", "unsaid"),
)
GITHUB = Option(
    form="switch",
    parse=bool,
    group="Output",
    spelling="--github",
    help="Annotate a GitHub job: what was missed, and warnings.",
    example=Example("--require 'run_info.wall_s>99' --github", "::error title=Missed", "said"),
)
STRICT = Option(
    form="switch",
    parse=bool,
    spelling="--strict",
    help="Count undecided requirements as missed.",
    group="Comparison",
    example=Example("--require 'run_info.gil_wait_s<=10' --strict", "4", "exit code"),
)
_OF_PLANS = {it.name: it for it in options_of(Plan)}
REQUIRE, CONFIDENCE, MARGIN, SERVER = (
    _OF_PLANS[name] for name in ("require", "confidence", "margin", "server")
)

CURL = Option(
    parse=str,
    spelling="--curl COMMAND|@FILE|@-",
    help="A curl command to take the request from.",
    more="As browsers copy it ('Copy as cURL'). What else is given wins.",
    group="Request",
    example=Example("--curl \"curl 'http://a.test/' -H 'X-From: curl'\"", "X-From: curl", "sent"),
)

PATH = click.Path(readable=False, allow_dash=True)
"""A file, or - for a standard stream; whether there is one, kab finds out when it opens it."""
_PATHS = {
    "file": click.Path(path_type=Path),
    "path": PATH,
    **dict.fromkeys(("readable", "checked", "content"), click.Path(path_type=Path)),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Immediate(Option[Any]):
    """An option that is acted upon before all others, and asks for nothing itself."""

    act: Callable[[click.Context, click.Parameter, Any], None]


def judging(default: str, what: str, verdict: str) -> tuple[Option[Any], Option[Any]]:
    """`--confidence` and `--margin` for stored runs.

    Args:
        default: in words.
        what: may be called no difference.
        verdict: the place of its code in the document.
    """
    told = f"  [default: {default}]"
    alike = Example("--margin 0.99", f"{verdict} == no-difference")
    return (
        replace(CONFIDENCE, help=f"Level of confidence intervals.{told}"),
        replace(MARGIN, help=f"Call a {what} within 1 ± N no difference.{told}", example=alike),
    )


class Declared(click.Option):
    """An option as Click has it."""

    def __init__(self, declared: Option[Any]) -> None:
        """Keep the declaration at hand."""
        *others, last = declared.flags
        both = f"{last}/{declared.off}" if declared.off else last
        is_switch = declared.form == "switch"
        act = declared.act if isinstance(declared, Immediate) else None
        super().__init__(
            [*others, both, declared.name.replace("-", "_")],
            type=None if is_switch else _type(declared),
            is_flag=is_switch or None,
            default=None,
            multiple=declared.form == "repeatable",
            metavar=declared.metavar or _metavar(declared),
            help=declared.help,
            callback=act,
            is_eager=act is not None,
            expose_value=act is None,
        )
        self.declared = declared

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Its spellings and its help, as `--help` has them: `--[no-]block`."""
        del ctx
        it = self.declared
        flags = (*it.flags[:-1], f"--[no-]{it.name}") if it.off else it.flags
        value = "" if it.form == "switch" else f" {self.metavar}"
        return f"{', '.join(flags)}{value}", it.help

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Words that aren't the only ones there may be; or what Click offers."""
        from keepalive_bench.cli.shells import offered  # noqa: PLC0415  # only a shell asks

        return offered(self.declared.name, incomplete) or super().shell_complete(ctx, incomplete)


class Url(click.Argument):
    """A URL, which may stand in a file of options, too, or in a command of curl's."""

    def wanted(self, context: click.Context, taken: TakenOver | None) -> str:
        """The nearest one; beside `--curl`, the argument.

        Raises:
            UsageError: it is nowhere.
        """
        name = f"{self.name}"
        value: str | None = context.params[name]
        if taken is not None and taken.url is not None:
            own, curls = (context.get_parameter_source(it) for it in (name, CURL.name))
            nearest = next(it for it in ParameterSource if it in {own, curls})
            if value is None or own is not nearest:
                return taken.url
        if value is None:
            shown, command = self.human_readable_name, context.info_name
            raise UsageError(
                f"There is no {shown}: kab {command} {shown}, or {name} in a file of options "
                "(--config)."
            )
        return value


class Command(click.Command):
    """A command that is called with what its options ask for, and with its arguments by name."""

    context_class = Context

    def __init__(self, name: str | None, *, options: Iterable[Option[Any]], **more: Any) -> None:  # noqa: ANN401  # Click's own
        """Add the options to the arguments."""
        super().__init__(name, **more)
        self.params += map(Declared, options)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # the same
        """Call it; what it returns."""
        asked, given = self.called_with(ctx)
        return self.callback and ctx.invoke(self.callback, asked, **given)

    def called_with(self, ctx: click.Context) -> tuple[Asked, dict[str, Any]]:
        """What options ask for, and the arguments by name."""
        taken = _taken_over(ctx)
        arguments = [it for it in self.params if isinstance(it, click.Argument)]
        given = {f"{it.name}": ctx.params[f"{it.name}"] for it in arguments}
        for it in arguments:
            if isinstance(it, Url):  # before standard input is read
                given[f"{it.name}"] = it.wanted(ctx, taken)
        asked = asked_for(ctx, taken)
        if taken is not None and taken.remark:
            click.echo(printable(taken.remark), err=True)
        return asked, given

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, each below its heading; Click's own below the last one."""
        groups: dict[str, list[tuple[str, str]]] = {}
        own = []
        for it in self.get_params(ctx):
            record = it.get_help_record(ctx)
            if isinstance(it, Declared) and record:
                groups.setdefault(it.declared.group or GROUPS[-1], []).append(record)
            elif record and isinstance(it, click.Option):
                own.append(record)
        last = max(groups, key=GROUPS.index, default=GROUPS[-1])
        groups.setdefault(last, []).extend(own)
        for name in sorted(groups, key=GROUPS.index):
            with formatter.section(name):
                formatter.write_dl(groups[name])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write which options may be repeated, and what else there is to say."""
        several = [it.opts[0] for it in self.params if isinstance(it, Declared) and it.multiple]
        if several:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(f"May be repeated: {', '.join(several)}.")
        super().format_epilog(ctx, formatter)


def asked_for(context: click.Context, taken: TakenOver | None = None) -> Asked:
    """What a command's options ask for: the one place that sees Click's own values.

    Of options that exclude each other, only those of the nearest source do. So `--insecure` on the
    command line overrules a file's `cacert`, and doesn't contradict it. What is `taken` over from
    curl comes from where `--curl` does, behind the options from there.

    Raises:
        UsageError: a value makes no sense, or can't be read.
    """
    said = {
        f"{it.name}": it.declared
        for it in context.command.params
        if isinstance(it, Declared) and _is_said(it.declared, context.params.get(f"{it.name}"))
    }
    source_of, excluded = context.get_parameter_source, rivals(context.command)
    values: dict[str, object] = {}
    for source in ParameterSource:  # from the nearest on; a default asks for nothing
        overruled = {rival for name in values for rival in excluded.get(name, ())} | values.keys()
        for name, declared in said.items():
            if source_of(name) is source and name not in overruled:
                values[name] = reading.value_of(declared, context.params[name])
        if taken is not None and source_of(CURL.name) is source:
            values |= taken.beside(values, excluded)
    return Asked({name.replace("_", "-"): value for name, value in values.items()})


def _taken_over(context: click.Context) -> TakenOver | None:
    """What `--curl` asks for."""
    said = context.params.get(CURL.name)
    if said is None:
        return None
    from keepalive_bench.cli.curl import taken_over  # noqa: PLC0415  # most runs do without

    return taken_over(said)


def _is_said(option: Option[Any], value: object) -> bool:
    return value not in (None, ()) and (value is not False or bool(option.off))


def rivals(command: click.Command) -> dict[str, set[str]]:
    """What can't be asked for together with an option, by the names of parameters."""
    declared = {it.declared.name: it for it in command.params if isinstance(it, Declared)}
    found: dict[str, set[str]] = {}
    for it in declared.values():
        for rival in it.declared.rivals:
            if rival in declared:
                found.setdefault(f"{it.name}", set()).add(f"{declared[rival].name}")
                found.setdefault(f"{declared[rival].name}", set()).add(f"{it.name}")
    return found


def _metavar(option: Option[Any]) -> str:
    """What stands for a value that nothing else is said of."""
    if option.parse in {int, float}:
        return "N"
    usual = "TIME" if option.parse is parse_time else "FILE" if option.source in _PATHS else "TEXT"
    return "|".join(option.choices) or usual


def _type(option: Option[Any]) -> Any:  # noqa: ANN401  # whatever Click takes for one
    if option.choices:
        return click.Choice(option.choices)
    if option.parse is parse_time:
        return TIME
    return _PATHS.get(option.source) or (option.parse if option.parse in {int, float} else str)


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
