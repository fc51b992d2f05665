"""However long the input, a sentence about it repeats no more than 80 characters of it."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from support.command import called

from keepalive_bench.cli import kab

_LONG = "x" * 10_000
_REST = {
    "run": ["http://127.0.0.1:9/", "-n", "1", "--warmup", "0", "--require", "no such thing"],
    "sweep": ["http://127.0.0.1:9/", "-n", "1", "--warmup", "0", "--require", "no such thing"],
    "probe": ["http://127.0.0.1:9/", "--require", "no such thing"],
    "trace": ["--require", "no such thing"],
    "report": ["nowhere.json"],
    "places": ["nowhere.json", "--require", "no such thing"],
    "compare": ["nowhere.json", "nor.json"],
    "demo": ["--status"],
    "serve": ["--status", "999"],
    "explain": ["nothing"],
    "completion": ["sh"],
}
"""Arguments with which a command is refused, whatever else it is given."""

_STARTED = "program"
"""Another program's words, of which kab speaks of the first only; its code is 127 then."""


def treated(parameter: click.Parameter) -> object:
    """What reads its value, and so speaks of it."""
    declared = getattr(parameter, "declared", None)
    if not isinstance(parameter.type, click.types.StringParamType):
        return type(parameter.type)  # Click itself does
    if declared is None:
        return type(parameter)
    return (declared.parse.__qualname__, declared.source)


def values() -> list[object]:
    """An option that takes a value, or an argument, for each way to treat one."""
    context = click.Context(kab)
    commands = [(name, kab.get_command(context, name)) for name in kab.list_commands(context)]
    found = {
        treated(it): (name, it)
        for name, command in commands
        for it in (command.params if command else [])
        if not getattr(it, "is_flag", False) and it.name != _STARTED
    }
    return [pytest.param(*it, id=f"{it[0]} {it[1].name}") for it in found.values()]


def given(parameter: click.Parameter, value: str) -> list[str]:
    return [value] if isinstance(parameter, click.Argument) else [parameter.opts[-1], value]


@pytest.fixture(autouse=True)
def _empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("name", "parameter"), values())
@pytest.mark.parametrize(
    "text",
    [
        _LONG,
        *(
            pytest.param(text, marks=pytest.mark.slow)
            for text in (f"@{_LONG}={_LONG}", "\n" * 10_000 + "9" * 4_000)
        ),
    ],
)
def test_whatever_value_is_long(
    name: str, parameter: click.Parameter, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = _REST[name][isinstance(parameter, click.Argument) :]
    refused(name, *given(parameter, text), *rest)
    monkeypatch.setenv(str(parameter.envvar), text)
    refused(name, *rest)


@pytest.mark.parametrize(
    "arguments",
    [
        [_LONG],
        [f"--{_LONG}"],
        [f"-{_LONG}"],
        ["run", f"--{_LONG}"],
        ["run", f"--{_LONG}={_LONG}"],
        ["run", f"-n{_LONG}"],
        ["run", f"--requests={_LONG}"],
        ["run", "http://127.0.0.1:9/", "-n", "it's " * 2_000],
        ["run", "http://127.0.0.1:9/", "--order", '"' * 10_000],
        ["run", "http://127.0.0.1:9/", "-f", _LONG],
        ["run", "http://127.0.0.1:9/", "-H", f"a{_LONG} b: c"],
        ["run", "http://127.0.0.1:9/", "-H", f"a{_LONG}: b\nc"],
        ["run", f"http://127.0.0.1:9/{_LONG} "],
        ["run", f"http://{_LONG}|/"],
        ["run", f"{_LONG}://127.0.0.1/"],
        ["run", "http://127.0.0.1:9/", "--require", f"pooled.p95<=5{_LONG}"],
        ["run", "http://127.0.0.1:9/", "--json-body", f'{{"{_LONG}": {_LONG}'],
        ["serve", "--fault", f"drip={_LONG}"],
        ["serve", "--fault", "drip", "--fault-requests", _LONG],
        ["serve", "--fault", "drip", "--fault-requests", f"3-{'9' * 5_000}"],
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_whatever_else_is_long(arguments: list[str]) -> None:
    refused(*arguments)


@pytest.mark.parametrize(
    "text",
    [
        f"{_LONG} = 1",
        f"header = [{_LONG}]",
        f"order = '{_LONG}'",
        f"requests = '{_LONG}'",
        f"[runs.{_LONG}]\n{_LONG} = 1",
        f"[{_LONG}]\n[{_LONG}]",
        f"a.{_LONG} = 1\na.{_LONG} = 2",
        f"requests = {'9' * 4_000}",
    ],
    ids=lambda text: text[:24],
)
def test_whatever_is_long_in_a_file(text: str) -> None:
    Path("kab.toml").write_text(text, "utf-8")
    refused("run", "http://127.0.0.1:9/", *(["--run", _LONG] if "runs" in text else []))


def test_fields_of_a_file_may_be_long() -> None:
    for text in (f'{{"{_LONG}": {_LONG}', f'"{_LONG}', f"a\n{_LONG},{_LONG}"):
        Path("fields").write_text(text, "utf-8")
        refused("run", "http://127.0.0.1:9/", "--fields-file", "fields")


def refused(*arguments: str) -> None:
    done = called(*arguments)
    assert (done.code, done.out) == (2, ""), done.err[:2_000]
    sentence = done.err.removeprefix("Options are taken from kab.toml.\n")
    assert sentence.count("\n") == 1
    for part in ("x", "9", r"\n", "it's", '"'):
        assert part * (80 // len(part) + 1) not in sentence
    assert len(sentence) <= 500


def test_a_long_url_is_cut_where_nothing_can_be_measured() -> None:
    done = called("run", f"http://127.0.0.1:9/{_LONG}", "-n", "1", "--warmup", "0")
    assert done.code == 1
    assert "Nothing could be measured of http://127.0.0.1:9/xx" in done.err
    assert "x" * 81 not in done.text


def test_of_a_long_name_of_a_file_there_are_the_beginning_and_the_end() -> None:
    done = called("report", "begins" + "x" * 200 + "ends.json")
    (said,) = done.err.splitlines()
    assert said.startswith("Error: beginsx")
    assert said.endswith("ends.json can't be read: No such file or directory.")
    assert len(said) < 150
