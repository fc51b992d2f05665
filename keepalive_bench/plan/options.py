"""What an option is, and how one is declared: beside the field of the Plan that it sets.

A field that one option sets is made by `option`, `options`, `choice` or `switch`; one that several
set together by `ruled`, with those options and the rule that combines them. Nothing lists options a
second time: `fields.py` finds them. What the command line, its help, the environment, a file of
options, JSON, the page and the documentation say of one is derived.

A value is written nowhere unless its field says that it may be shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from operator import ne
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Literal,
    NamedTuple,
    TypeVar,
    cast,
    get_args,
    overload,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypedDict

    from typing_extensions import Required, Unpack

    class OfField(TypedDict, total=False):
        """What there is to say of a field; `Setting` says what each means."""

        shown: bool | Callable[[Any], Any]
        json: str
        json_form: JsonForm
        usual: Callable[[Any], object]
        matters: bool

    class More(OfField, total=False):
        """And of the one option that sets it; `Option` says what each means."""

        spelling: Required[str]
        help: Required[str]
        more: str
        example: Required[Example]
        choices: tuple[str, ...]
        group: Group
        rivals: tuple[str, ...]


T = TypeVar("T")
B = TypeVar("B", bound="bool | None")
GROUP_KEY, SETTING_KEY = "group", "setting"
"""What the metadata of a plan's fields call them."""

Group = Literal[
    "Program",
    "Server",
    "Probe",
    "Load",
    "Request",
    "Response",
    "Connection",
    "TLS",
    "Comparison",
    "Places",
    "Faults",
    "Output",
    "Options",
]
GROUPS: tuple[Group, ...] = get_args(Group)
"""The headings of `--help` of all commands, in their order."""
Form = Literal["value", "repeatable", "switch"]
Source = Literal["text", "path", "file", "readable", "checked", "content", "body", "asked"]
"""What cli hands to the parser.

The `text` of the command line, which may be a `path` or `-`; or the Path of a `file`, which may
have to be `readable`, or to have an end (`checked`). Of `content`, a File; of a `body`, the bytes:
text, `@FILE`, or `-`. What is `asked` for elsewhere (~/.netrc), cli finds out by itself.
"""
OfText = Literal["text", "path", "file", "readable", "checked"]
"""Sources whose parser takes text, or a Path, which `Path` takes as well."""
Where = Literal[
    "sent",
    "document",
    "said",
    "unsaid",
    "unremarked",
    "written",
    "served",
    "exit code",
    "reached",
    "client",
    "socket option",
    "offered",
    "shown of itself",
]


class Example(NamedTuple):
    """An option at work, and how it shows; `tests/plan/test_option_effects.py` looks."""

    words: str
    """On a command line, after the URL; in braces, what the test has at hand."""
    effect: str
    """Text that is sent or said; of a document, what holds of it, as jq's users write it."""
    where: Where = "document"


class File(NamedTuple):
    """A file that was read."""

    name: str
    content: bytes


@dataclass(frozen=True, kw_only=True, eq=False)
class Option(Generic[T]):
    """What the user can say on a command line, in the environment or in a file of options."""

    spelling: str
    """As `--help` has it: `-n, --requests N`, `--block / --no-block`."""
    help: str
    """What `--help` says of it, in one line or two."""
    example: Example
    parse: Callable[[Any], T]
    """What is said, as a value; of a repeatable option, one of its values."""
    more: str = ""
    """What else there is to know, for the manual."""
    form: Form = "value"
    source: Source = "text"
    choices: tuple[str, ...] = ()
    group: Group | None = None
    """Its heading in `--help`, where it isn't that of the part."""
    rivals: tuple[str, ...] = ()
    """Options, by their names, that can't be given together with it."""
    words: Callable[[Any], Iterable[str]] = lambda _: ()
    """What a command has to say for a field's value, the inverse of `parse`; nothing, unless told.

    A switch says one word or none; which, doesn't matter.
    """

    @property
    def flags(self) -> tuple[str, ...]:
        """Its spellings, without the one that says the opposite."""
        words = self.spelling.partition(" / ")[0].replace(", ", " ").split(" ")
        return tuple(word for word in words if word.startswith("-"))

    @property
    def off(self) -> str:
        """The spelling that says the opposite, of a switch that has one: `--no-block`."""
        return self.spelling.partition(" / ")[2]

    @property
    def metavar(self) -> str:
        """What stands for its value; empty: the name of its type."""
        return self.spelling.partition(" / ")[0].partition(f"{self.flag} ")[2]

    @property
    def flag(self) -> str:
        """Its longest spelling, which is the last."""
        return self.flags[-1]

    @cached_property
    def name(self) -> str:
        """What it is called in variables and in files of options."""
        return self.flag.lstrip("-")

    def command(self, value: object) -> list[str]:
        """The words of a command that ask for a field's value."""
        if self.off:
            return [] if value is None else [self.flag if value else self.off]
        said = list(self.words(value))
        if self.form == "switch":
            return [self.flag] if said else []
        return [word for text in said for word in (self.flag, text)]


class JsonForm(NamedTuple):
    """How a field's value is written to JSON in another form than its type's own."""

    type: Any
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


class Setting(NamedTuple):
    """What is known of a field of a plan."""

    rule: Callable[[Asked], Any]
    """What the field is to be, given all that is asked for; `None`: as it is by default."""
    options: tuple[Option[Any], ...] = ()
    shown: bool | Callable[[Any], Any] = False
    """Whether its value may be written; or what of it may be."""
    json: str = ""
    """Its name in the plan's JSON, where that isn't the field's; `a.b` is in the object `a`."""
    json_form: JsonForm | None = None
    usual: Callable[[Any], object] | None = None
    """Given the plan, the value that needs no option; otherwise it is the default."""
    matters: bool = True
    """Whether runs can't be compared that differ in it: it changes what is sent, or how.

    How often, for how long, how it is judged, and where this machine keeps its files doesn't.
    """

    def visible(self, value: object) -> object:
        """What may be written of a value, where something may."""
        return self.shown(value) if callable(self.shown) else value

    def withheld(self, value: Any, default: object) -> int | None:  # noqa: ANN401  # of any field
        """How much of a value may not be written; `None`: it may all be, or there is nothing.

        Of what can be said several times, so many values, or of a body so many bytes; 1 otherwise.
        """
        is_hidden, visible = self.shown is False, self.visible(value)
        if value == (default if is_hidden else visible):
            return None
        if "repeatable" not in (it.form for it in self.options[:1]):
            return 1
        return len(value) if is_hidden else sum(map(ne, value, cast("Any", visible)))


class Asked:
    """What is asked for, by option: parsed, with what was read of files and typed at prompts."""

    def __init__(self, values: Mapping[str, object]) -> None:
        """Take the values by the options' names."""
        self._values = dict(values)

    def __getitem__(self, option: Option[T]) -> T | None:
        """The value of an option; `None`: it isn't given."""
        return cast("T | None", self._values.get(option.name))

    def each(self, option: Option[T]) -> tuple[T, ...]:
        """The values of a repeatable option; none: it isn't given."""
        return cast("tuple[T, ...]", self._values.get(option.name, ()))

    def __contains__(self, option: Option[Any]) -> bool:
        """Whether an option is given."""
        return option.name in self._values

    def put(self, option: Option[T], value: T) -> None:
        """Give an option a value that was found elsewhere."""
        self._values[option.name] = value


def nothing_asked(_: Asked) -> None:
    """The rule of a field that no option sets."""


@overload
def option(
    default: T,
    parse: Callable[[File], T],
    *,
    source: Literal["content"],
    spell: Callable[[T], str] = str,
    **more: Unpack[More],
) -> T: ...
@overload
def option(
    default: T,
    parse: Callable[[str], T],
    *,
    source: OfText = "text",
    spell: Callable[[T], str] = str,
    **more: Unpack[More],
) -> T: ...
def option(
    default: T,
    parse: Callable[[Any], T],
    *,
    source: Source = "text",
    spell: Callable[[T], str] = str,
    **more: Unpack[More],
) -> T:
    """A field that an option with a value sets. `spell` is the inverse of `parse`."""
    return cast("T", _field(default, more, source=source, parse=parse, words=spelled(spell)))


def spelled(spell: Callable[[Any], str] = str) -> Callable[[Any], tuple[str, ...]]:
    """The words of an option with a value: one, or none where there is nothing to say."""

    def words(value: object) -> tuple[str, ...]:
        return () if value is None or value == () else (spell(value),)

    return words


def set_by(default: T, made: Option[Any], **more: Unpack[OfField]) -> T:
    """A field that an option sets which stands apart, as rules ask for it."""
    return ruled(default, lambda asked: asked[made], made, **more)


def options(
    default: tuple[T, ...],
    parse: Callable[[str], T],
    *,
    spell: Callable[[T], str] = str,
    **more: Unpack[More],
) -> tuple[T, ...]:
    """A field that a repeatable option sets."""

    def words(several: tuple[T, ...]) -> Iterable[str]:
        return map(spell, several)

    made = _field(default, more, form="repeatable", parse=parse, words=words)
    return cast("tuple[T, ...]", made)


def choice(default: T, words: tuple[T, ...], **more: Unpack[More]) -> T:
    """A field that an option with one of a few words sets."""
    by_word = {str(it): it for it in words}
    more["choices"] = tuple(by_word)
    return option(default, by_word.__getitem__, **more)


def switch(default: B, **more: Unpack[More]) -> B:
    """A field whose option says the opposite of its default, or a pair of options either."""

    def parse(given: bool) -> bool:  # noqa: FBT001  # it is what is parsed
        return given is not (default is True)

    made = _field(default, more, form="switch", parse=parse, words=lambda _: ("given",))
    return cast("B", made)


def ruled(
    default: T,
    rule: Callable[[Asked], T | None],
    *several: Option[Any],
    compare: bool = True,
    **more: Unpack[OfField],
) -> T:
    """A field that several options set together, by a rule; or one that is set with another."""
    made_of = {SETTING_KEY: Setting(rule, several, **more)}
    shown = more.get("shown") is True
    return field(default=default, repr=shown, compare=compare, metadata=made_of)


def part(kind: type[T], group: Group | None = None) -> T:
    """A field that has fields of its own; `group`: the heading of their options in `--help`."""
    return field(default_factory=kind, metadata={GROUP_KEY: group})


def _field(default: object, more: More, **told: Any) -> Any:  # noqa: ANN401  # a field stands for its value
    of_field: dict[str, Any] = {it: more.pop(it) for it in Setting._fields if it in more}  # type: ignore[misc]  # its members
    made_of: Option[Any] = Option(**cast("Any", more), **told)
    return set_by(default, made_of, **of_field)
