"""The user's words: commands, options, exit codes. Commands are imported when they are called."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import click

from keepalive_bench import __version__
from keepalive_bench.cli.formatter import Context
from keepalive_bench.cli.screen import give_up
from keepalive_bench.cli.variables import nearest, origin, warn_of_strays, with_variables
from keepalive_bench.errors import ExitCode, KabError, UsageError, limit_reached
from keepalive_bench.units import filename, printable, quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMANDS = (
    *("run", "sweep", "probe", "trace", "report", "compare", "places"),
    *("explain", "demo", "serve", "completion"),
)
_SHORT_OPTION = 2
_ALIKE = 0.7


class _LazyGroup(click.Group):
    """A group whose commands' modules, with all that they need, are imported on demand."""

    context_class = Context

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        return with_variables(import_module(f"{__name__}.{name}").command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name == "help":  # as many tools have it
            if len(args) > 1:
                return self.resolve_command(ctx, [args[1], "--help"])
            click.echo(ctx.get_help())
            ctx.exit()
        if "://" in name:
            raise UsageError(f"A URL needs a command: did you mean kab run {quoted(name)}?")
        if name not in _COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            meant = nearest(name, _COMMANDS)
            end = f"Did you mean {meant}?" if meant else "kab --help lists the commands."
            raise UsageError(f"kab has no command {quoted(name)}. {end}")
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, which are asked for more, and then the options."""
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    epilog="""
    kab run https://api.example.com/ is where to begin; kab COMMAND --help tells of each.

    Exit codes, the first that applies: 130 interrupted, 2 usage, 1 nothing
    could be measured, 4 a requirement was missed, 3 some requests failed or
    weren't sent, 0 measured. That of kab trace is its program's.

    Every option has an environment variable: KAB_RUN_REQUESTS is kab run
    --requests; repeatable ones take a value per line. kab.toml, or [tool.kab]
    in pyproject.toml, keeps options, too. The command line wins.
    """,
)
@click.version_option(__version__, "-V", "--version", prog_name="kab")
@click.pass_context
def kab(context: click.Context) -> ExitCode:
    """What does reusing the HTTP connection buy here, and why does it (or doesn't it) work?"""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
    warn_of_strays(context)
    return ExitCode.USAGE


def main() -> NoReturn:
    """Run `kab`; the only place that maps an error to an exit code."""
    _prepare_streams()
    if "_KAB_COMPLETE" in os.environ:  # a shell asks, and kab.main() will answer
        from keepalive_bench.cli.shells import answer

        answer()
    try:
        code = kab.main(prog_name="kab", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        _end(f"Error: {_sentence(error)}", ExitCode.USAGE)
    except KabError as error:
        _end(f"Error: {error}", error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _end("Interrupted.", ExitCode.INTERRUPTED)
    except MemoryError as error:
        advice = "send fewer --requests, or raise the limit"
        said = f"kab can't go on, because {limit_reached(error)}: {advice}"
        _end(f"Error: {said}.", ExitCode.NOTHING_MEASURED)
    except OSError as error:
        # Standard output may be what can't be written; Python would complain when it flushes.
        with suppress(OSError):
            sys.stdout.flush()
        give_up(sys.stdout)
        if isinstance(error, BrokenPipeError):  # whoever read the output has gone
            sys.exit(ExitCode.NOTHING_MEASURED)
        what = "Standard output" if error.filename is None else filename(str(error.filename))
        _end(f"Error: {what} can't be written: {error.strerror}.", ExitCode.NOTHING_MEASURED)
    gc.freeze()  # what is left goes with the process: Python needn't look through it
    sys.exit(code if isinstance(code, int) else ExitCode.MEASURED)


def _prepare_streams() -> None:
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # whoever started kab has closed it
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        reconfigure = getattr(getattr(sys, name), "reconfigure", None)
        if reconfigure is not None:  # a character the terminal lacks is no reason to fail
            reconfigure(errors="replace")


def _sentence(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    if "unexpected extra argument" in error.format_message():  # which may be half a header
        if sum("://" in it for it in sys.argv[2:] if it[:1] != "-") > 1:
            is_probe = context is not None and context.info_name == "probe"
            return (
                "kab probe takes one URL: probe each by itself."
                if is_probe
                else "kab run and kab sweep take one URL: measure each in a run of its own."
            )
        pasted = any(it.startswith("--curl") for it in sys.argv)
        hint = " A command for --curl is best kept in a file: --curl @FILE." if pasted else ""
        said = "There are too many arguments: quote what has blanks or &, as in -H 'Name: value'."
        return f"{said}{hint}"
    if isinstance(error, click.NoSuchOption) and (why := _without_command(error, context)):
        return why
    if isinstance(error, click.NoSuchOption) and (why := _unlike_a_run(error, context)):
        return why
    if isinstance(error, click.NoSuchOption) and (why := _unlike_curl(error, context)):
        return why
    hint = f" ({origin(error)}{context.command_path} --help lists the options.)" if context else ""
    return f"{_complaint(error)}{hint}"


def _without_command(error: click.NoSuchOption, context: click.Context | None) -> str:
    """What to say to who gives options and a URL, but no command."""
    is_url = any("://" in it for it in sys.argv[1:])
    if context is None or context.parent is not None or not is_url:
        return ""
    return f"kab itself has no {error.option_name}: did you mean kab run {error.option_name} …?"


def _unlike_a_run(error: click.NoSuchOption, context: click.Context | None) -> str:
    """Why a probe lacks an option that a run has; empty: it isn't one."""
    if context is None or context.info_name != "probe":
        return ""
    from keepalive_bench.plan.fields import options_of  # where all is well
    from keepalive_bench.plan.plan import Plan

    if error.option_name not in {flag for it in options_of(Plan) for flag in (*it.flags, it.off)}:
        return ""
    return (
        f"kab probe doesn't have kab run's {error.option_name}: it sends GET of one URL, without "
        "load, and watches its connections."
    )


def _unlike_curl(error: click.NoSuchOption, context: click.Context | None) -> str:
    """Why a command that sends requests lacks an option of curl's; empty: it isn't one."""
    if context is None or context.info_name not in {"run", "sweep", "probe"}:
        return ""
    from keepalive_bench.cli.curl.options import why_not  # where all is well

    name = error.option_name
    why = why_not(name)
    if context.info_name == "probe" and name in {"-I", "--head"}:
        why = "--behaviours head tries HEAD"
    return f"kab {context.info_name} doesn't have curl's {name}: {why}." if why else ""


def _complaint(error: click.ClickException) -> str:
    """What Click complains about, with the user's own input as kab's sentences have it."""
    message = error.format_message()
    if isinstance(error, click.MissingParameter):  # Click lists choices, one a line
        message = f"{' '.join(message.split()).rstrip('.')}."
    if isinstance(error, click.NoSuchOption):  # dashes, which all have, make any two alike
        names = [option.lstrip("-") for option in error.possibilities or ()]
        meant = nearest(error.option_name.lstrip("-"), names, _ALIKE)
        message = f"{error.message} Did you mean --{meant}?" if meant else error.message
    for text in sorted(set(_given(error)), key=len, reverse=True):
        shown = shortened(text)
        if shown != text:
            for written in (text, repr(text)[1:-1]):
                message = message.replace(written, shown)
    return printable(message)


def _given(error: click.ClickException) -> Iterator[str]:
    """All that the user has said: on the command line, in the environment and in a file."""
    for word in sys.argv[1:]:
        option, _, value = word.partition("=")
        yield from (word, option, value, word[_SHORT_OPTION:])
    for name, value in os.environ.items():
        if name.startswith("KAB_"):
            yield from (value, *value.splitlines())
    context = getattr(error, "ctx", None)
    for value in ((context and context.default_map) or {}).values():
        yield from [value] if isinstance(value, str) else value if isinstance(value, list) else ()


def _end(message: str, code: ExitCode) -> NoReturn:
    with suppress(OSError):  # whoever would have read it may have gone
        click.echo(printable(message), err=True)
    sys.exit(code)
