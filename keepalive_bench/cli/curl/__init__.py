"""`--curl`: a command as browsers copy it, and as people keep it in their notes, taken over.

`words.py` undoes the shell's quotes, `command_line.py` reads curl's options by the one table of
them (`options.py`), and what they say together is put together in the other files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keepalive_bench.cli.curl.address import proxy_of, url_of
from keepalive_bench.cli.curl.body import body_of, query_of
from keepalive_bench.cli.curl.command_line import given_options
from keepalive_bench.cli.curl.header_fields import header_fields
from keepalive_bench.cli.curl.options import OF_PLANS
from keepalive_bench.cli.reading import STDIN, read_file, standard_input, value_of
from keepalive_bench.errors import UsageError
from keepalive_bench.plan.request import UPLOAD
from keepalive_bench.units import filename, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keepalive_bench.cli.curl.command_line import Given
    from keepalive_bench.cli.curl.options import Part
    from keepalive_bench.plan.options import Option
    from keepalive_bench.plan.request import Header

_READING: set[Part | None] = {
    *("data", "data-binary", "data-urlencode", "json", "url-query", "header"),
}
"""What reads standard input where `@-` is said."""
_FILES = {"file", "readable", "checked", "content"}
_FIELDS_OF = {
    **dict.fromkeys(("user", "bearer", "netrc"), ("authorization",)),
    "cookie": ("cookie",),
    "user_agent": ("user-agent",),
    "json_body": ("content-type", "accept"),
}
"""Header fields that options of kab's send, unless they are given themselves."""


@dataclass(frozen=True, kw_only=True)
class TakenOver:
    """What a command of curl's asks for."""

    url: str | None
    header: tuple[Header, ...]
    values: dict[str, Any]
    """All else, parsed, by the names of the command's parameters."""
    remark: str
    """What isn't taken over, in a sentence; empty: all is."""

    def beside(self, nearer: Mapping[str, Any], rivals: Mapping[str, set[str]]) -> dict[str, Any]:
        """What of it counts beside options that go before it; header fields are theirs and its own.

        Args:
            nearer: those options' values, by the names of parameters.
            rivals: which options can't go together.
        """
        said: tuple[Header, ...] = nearer.get("header", ())
        overruled = {name.lower() for name, _ in said}
        overruled.update(*(fields for name, fields in _FIELDS_OF.items() if name in nearer))
        own = tuple(it for it in self.header if it[0].lower() not in overruled)
        kept = {
            name: value
            for name, value in self.values.items()
            if name not in nearer and not rivals.get(name, set()) & nearer.keys()
        }
        return kept | ({"header": (*own, *said)} if own else {})


def taken_over(said: str) -> TakenOver:
    """What is said with `--curl`: a command, or the file that has it.

    Raises:
        UsageError: it can't be understood, or asks for what kab can't do.
    """
    given = given_options(_text(said))
    _check_standard_input(said, given)
    data, in_url = body_of(given), "get" in _parts(given)
    body = None if in_url else data
    if body is not None and "head" in _parts(given):
        raise UsageError("curl's -I and -d contradict each other: add -G, or leave one out.")
    fields = header_fields(given, has_body=body is not None)
    values = dict(_values(given))
    if body is not None:
        values["data"] = (body,)
    if "head" in _parts(given):
        values.setdefault("method", "HEAD")
    query = [*query_of(given), *([data] if in_url and data is not None else [])]
    url, remark = _url(given, query), _remark(given, fields.unwanted)
    return TakenOver(url=url, header=fields.sent, values=values, remark=remark)


def _text(said: str) -> str:
    if not said.startswith("@"):
        if _names_a_file(said):
            raise UsageError(
                f"--curl reads a file where @ precedes its name: --curl @{filename(said)}."
            )
        return said
    name = said[1:]
    content = standard_input("--curl") if name == STDIN else read_file(Path(name), "--curl").content
    return content.decode("utf-8-sig", "surrogateescape")


def _names_a_file(said: str) -> bool:
    try:
        return Path(said).is_file()
    except (OSError, ValueError):  # too long a name, or a NUL: it is a command
        return False


def _check_standard_input(said: str, given: Sequence[Given]) -> None:
    for it in given:
        if said == f"@{STDIN}" and it.option.part in _READING and it.value.endswith(said):
            raise UsageError(
                f"Standard input has the command already, and can't have what its {it.flag} reads: "
                "give the command in a file (--curl @FILE)."
            )


def _parts(given: Iterable[Given]) -> dict[Part | None, str]:
    """The last value of each."""
    return {it.option.part: it.value for it in given}


def _values(given: Sequence[Given]) -> Iterator[tuple[str, Any]]:
    """What options say that kab has, too, as if it were said to kab."""
    said: dict[str, list[str]] = {}
    for it in given:
        option, text = it.option.to, it.option.said(it.value)
        if option is not None and (text or option.form == "switch"):
            said.setdefault(option.name, []).append(text)
    parts = _parts(given)
    if proxy := parts.get("proxy"):
        if "noproxy" in parts:
            raise UsageError(
                "curl's -x and --noproxy contradict each other: leave one out (--curl)."
            )
        said["proxy"] = [proxy_of(proxy, parts.get("proxy-user", ""))]
    for name, texts in said.items():
        yield name.replace("-", "_"), _parsed(OF_PLANS[name], texts)


def _parsed(option: Option[Any], texts: list[str]) -> object:
    if option.form == "switch":
        return value_of(option, said=True)
    for text in texts:
        if option.choices and text not in option.choices:
            raise UsageError(f"--{option.name} can't be {quoted(text)} (--curl).")
        if option.source == "readable" and not Path(text).is_file():
            raise UsageError(f"{filename(text)} is no file that can be read (--curl).")
    several = [Path(text) if option.source in _FILES else text for text in texts]
    return value_of(option, tuple(several) if option.form == "repeatable" else several[-1])


def _url(given: Sequence[Given], query: Sequence[bytes]) -> str | None:
    urls = [it.value for it in given if it.option.part == "url"]
    if len(urls) > 1:
        raise UsageError(
            "The command of --curl has several URLs, or a word that belongs to no option: kab "
            "measures one."
        )
    if not urls:
        return None
    parts = _parts(given)
    uploaded = next((it.value for it in given if it.option.to is OF_PLANS[UPLOAD.name]), "")
    return url_of(
        urls[0],
        scheme=parts.get("proto-default", "http"),
        query=query,
        uploaded=Path(uploaded).name,
        is_literal="globoff" in parts,
        as_is="path-as-is" in parts,
    )


def _remark(given: Iterable[Given], unwanted: Iterable[tuple[str, str]]) -> str:
    """Which options aren't taken over, and why, those together that have a reason in common."""
    flags: dict[str, dict[str, None]] = {}
    for it in given:
        if it.option.why_not:
            flags.setdefault(it.option.why_not, {})[it.flag] = None
    for flag, name in unwanted:
        flags.setdefault("kab sends one all the same", {})[f"{flag} {name}:"] = None
    parts = [f"{', '.join(several)} ({why_not})" for why_not, several in flags.items()]
    return f"Not taken over from curl: {'; '.join(parts)}." if parts else ""
