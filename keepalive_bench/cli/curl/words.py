"""The words of a command as a shell makes them: bash's, or those of Windows' cmd.exe.

Nothing is run or looked up. What a shell would expand or carry out (a variable, a pipe) is refused
rather than sent as it stands. No sentence repeats what was said: it may be a secret.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from keepalive_bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST_QUOTE = r"\s(?:-\w)?(\$?'|\^?\")"
_CARETS = r"[ \t]\^[ \t]*\r?\n\s*-|\^\\\^\"|\^%\^"
"""What browsers write for cmd.exe, and nobody for bash."""
_BASH = r"""(?xs)
      (?P<blank>[ \t\r\n]+)
    | (?P<continued>\\\r?\n)
    | '(?P<single>[^']*)'
    | \$'(?P<ansi>[^'\\]*(?:\\.[^'\\]*)*)'
    | \$?"(?P<double>[^"\\]*(?:\\.[^"\\]*)*)"
    | \\(?P<escaped>.)
    | (?P<plain>\$(?!['"])|[^\s'"\\$`|&;<>()]+)
"""
_EXPANDED = r"\$[\w{(\[*@#?!$-]|`"
"""A variable, or the output of a command."""
_ESCAPED_IN_DOUBLE = r"(?s)\\(?:([$`\"\\])|\r?\n)"
_ANSI_ESCAPE = r"""(?xs)
    \\(?: (?P<octal>[0-7]{1,3}) | x(?P<byte>[0-9A-Fa-f]{1,2})
        | u(?P<high>[Dd][89ABab][0-9A-Fa-f]{2})\\u(?P<low>[Dd][C-Fc-f][0-9A-Fa-f]{2})
        | u(?P<short>[0-9A-Fa-f]{1,4}) | U(?P<long>[0-9A-Fa-f]{1,8})
        | c(?P<control>.) | (?P<letter>.) )
"""
_LETTERS = dict(zip("abeEfnrtv", "\a\b\x1b\x1b\f\n\r\t\v", strict=True))
_QUOTES = "\\'\"?"
_ASCII_END, _RAW_BYTES = 0x80, 0xDC00
"""From there on Python keeps bytes that are no UTF-8 (PEP 383)."""
_CMD = r"""(?xs)
      \^\r?\n(?P<first>\r\n|.|\Z)
    | \^(?P<escaped>.)
    | (?P<quote>")
    | (?P<end>[\r\n]+)
    | (?P<plain>[^^"\r\n]+)
"""
"""Behind a line's end that a caret makes plain, the next line's first character is plain, too."""
_C_RUNTIME = r'(?P<slashes>\\*)"|(?P<blank>[ \t]+)|(?P<plain>[^ \t"\\]+|\\+)'


def words_of(text: str) -> list[str]:
    """The words of a command, without the quotes of whichever shell it is written for.

    Raises:
        UsageError: a quote isn't closed, or only a shell can know what is meant.
    """
    words: list[list[str]] = [[]]
    for part in _of_cmd(text) if _is_for_cmd(text) else _of_bash(text):
        if part is None:
            words.append([])
        else:
            words[-1].append(part)
    return [_checked("".join(parts)) for parts in words if parts]


def _is_for_cmd(text: str) -> bool:
    first = re.search(_FIRST_QUOTE, text)
    if first is not None and first[1] != '"':
        return first[1].startswith("^")
    return re.search(_CARETS, text) is not None


def _checked(word: str) -> str:
    try:
        whole = word.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        _refuse("has half a surrogate pair, which is no character")
    if "\0" in whole:
        _refuse("has a NUL character, which no command line can have: put the data into a file")
    return whole


def _of_bash(text: str) -> Iterator[str | None]:
    """Parts of words, quotes and escapes undone; `None`: a blank between words."""
    is_first = True
    for found in _bash_tokens(text):
        kind = found.lastgroup
        if kind == "blank":
            yield None
        elif kind == "plain" and is_first:
            if found[0].startswith("#"):
                _refuse_at("#")
            yield f"{Path.home()}{found[0][1:]}" if found[0].startswith("~/") else found[0]
        elif kind != "continued":
            yield _unquoted(f"{kind}", found[f"{kind}"])
        is_first = kind == "blank" or (is_first and kind == "continued")


def _bash_tokens(text: str) -> Iterator[re.Match[str]]:
    token, expanded, place = re.compile(_BASH), re.compile(_EXPANDED), 0
    while place < len(text):
        if expanded.match(text, place):
            _refuse_at("$")
        found = token.match(text, place)
        if found is None:
            _refuse_at(text[place : place + 2].lstrip("$")[0])
        yield found
        place = found.end()


def _unquoted(kind: str, part: str) -> str:
    if kind == "ansi":
        return re.sub(_ANSI_ESCAPE, _ansi_character, part)
    if kind == "double":
        if re.search(_EXPANDED, re.sub(r"(?s)\\.", "", part)):
            _refuse_at("$")
        return re.sub(_ESCAPED_IN_DOUBLE, lambda it: it[1] or "", part)
    return part


def _ansi_character(found: re.Match[str]) -> str:
    """What an escape in bash's `$'…'` stands for; two halves of a pair, as browsers write them."""
    kind = f"{found.lastgroup}"
    if found["low"]:
        pair = bytes.fromhex(found["high"] + found["low"])
        return pair.decode("utf-16-be")
    value = found[kind]
    if kind == "letter":
        return _LETTERS.get(value) or (value if value in _QUOTES else found[0])
    if kind == "control":
        return chr(ord(value.upper()) & 0x1F)
    if kind in {"octal", "byte"}:
        byte = int(value, 8 if kind == "octal" else 16) & 0xFF
        return chr(byte if byte < _ASCII_END else _RAW_BYTES + byte)
    try:
        return chr(int(value, 16))
    except (ValueError, OverflowError):
        _refuse("has an escape for a character that there isn't")


def _of_cmd(text: str) -> Iterator[str | None]:
    """The same of cmd.exe, whose carets go first, and of the C runtime of what it starts."""
    line = "".join(_without_carets(text.strip()))
    is_quoted, place = False, 0
    for found in re.finditer(_C_RUNTIME, line):
        slashes = found["slashes"]
        if slashes is None:
            blank = found["blank"] if not is_quoted else None
            yield None if blank else found[0]
        elif place > found.start():
            continue  # the second of two quotes, which are one
        elif len(slashes) % 2:
            yield slashes[: len(slashes) // 2] + '"'
        elif is_quoted and line.startswith('"', found.end()):
            yield slashes[: len(slashes) // 2] + '"'
            place = found.end() + 1
        else:
            yield slashes[: len(slashes) // 2]
            is_quoted = not is_quoted
    if is_quoted:
        _refuse_at('"')


def _without_carets(text: str) -> Iterator[str]:
    """A line as its program gets it; browsers mean a caret as one in quotes, too."""
    is_quoted = False
    for found in re.finditer(_CMD, text):
        kind = found.lastgroup
        if kind == "first":
            yield found["first"].replace("\r\n", "\n")
        elif kind == "escaped":
            yield found["escaped"]
        elif kind == "end":
            _refuse("goes on in a line that no caret continues: give one command")
        else:
            if kind == "plain" and not is_quoted and (other := re.search(r"[&|<>]", found[0])):
                _refuse_at(other[0])
            is_quoted ^= kind == "quote"
            yield found[0]


def _refuse_at(sign: str) -> NoReturn:
    """Say what to do about a sign that isn't in quotes as it should be."""
    if sign in "'\"":
        _refuse(f"has a quote that isn't closed ({sign}): it is best pasted into a file (@FILE)")
    if sign in "$`":
        _refuse("has a variable or a command for the shell ($, `): write out what it stands for")
    if sign == "\\":
        _refuse("ends in the middle, with a backslash: paste the whole of it")
    _refuse(f"has a {sign} outside of quotes: quote the URL, and leave out what isn't curl's")


def _refuse(what: str) -> NoReturn:
    raise UsageError(f"The command of --curl {what}.")
