"""The options of a command of curl's, in their order, read as curl reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, NoReturn

from keepalive_bench.cli.curl.options import BY_FLAG, CurlOption
from keepalive_bench.cli.curl.words import words_of
from keepalive_bench.cli.variables import nearest
from keepalive_bench.errors import UsageError
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAM = ("curl", "curl.exe")
_ALIKE = 0.7


class Given(NamedTuple):
    """An option that a command gives."""

    option: CurlOption
    flag: str
    """As it is spelled there."""
    value: str = ""


def given_options(text: str) -> list[Given]:
    """What a command gives, URLs as the values of `--url`; what it takes back is left out.

    Raises:
        UsageError: it isn't curl's, has an option that curl doesn't have, or one without which kab
            would measure another request. Nothing but options' names is told: the rest is secret.
    """
    program, *words = words_of(text) or [""]
    if program.replace("\\", "/").rpartition("/")[2].lower() not in _PROGRAM:
        raise UsageError("--curl takes a whole command, from the word curl on.")
    if not words:
        raise UsageError(
            "--curl takes a whole command as one word: quote it, or give it in a file (@FILE)."
        )
    found: list[Given] = []
    left = iter(words)
    options_end = False
    for word in left:
        if word == "--" and not options_end:
            options_end = True
        elif options_end or not word.startswith("-") or word == "-":
            found.append(Given(BY_FLAG["--url"], "--url", word))
        elif word.startswith("--"):
            option = BY_FLAG.get(word)
            if option is None:
                found = _without_what(word, found)
            else:
                value = _needed(word, next(left, None)) if option.has_value else ""
                found.append(Given(option, word, value))
        else:
            found += _bundled(word, left)
    for it in found:
        if it.option.refused:
            raise UsageError(f"curl's {it.flag} can't be taken over: {it.option.why_not} (--curl).")
    return found


def _bundled(word: str, left: Iterator[str]) -> Iterator[Given]:
    """The options of `-sSLk`, `-XPOST` or `-sd a`: a value ends the bundle, or is the next word."""
    for place, letter in enumerate(word[1:], start=2):
        flag = f"-{letter}"
        option = BY_FLAG.get(flag)
        if option is None:
            _refuse_unknown(flag)
        if option.has_value:
            yield Given(option, flag, _needed(flag, word[place:] or next(left, None)))
            return
        yield Given(option, flag)


def _without_what(word: str, found: list[Given]) -> list[Given]:
    """What is given without that which `--no-location` takes back, or `--buffer`."""
    opposite = f"--{word[5:]}" if word.startswith("--no-") else f"--no-{word[2:]}"
    option = BY_FLAG.get(opposite)
    if option is None or option.has_value:
        _refuse_unknown(word)
    return [it for it in found if it.option is not option]


def _needed(flag: str, value: str | None) -> str:
    if value is None:
        raise UsageError(f"curl's {flag} needs a value, and the command ends there (--curl).")
    return value


def _refuse_unknown(flag: str) -> NoReturn:
    name, mark, _ = flag.partition("=")  # what follows may be a secret
    if mark and name in BY_FLAG:
        raise UsageError(f"curl takes the value of {name} without a = (--curl).")
    meant = nearest(name, BY_FLAG, _ALIKE) if name.startswith("--") else None
    end = f"; did you mean {meant}?" if meant else " that kab knows."
    raise UsageError(f"curl has no option {quoted(name)} (--curl){end}")
