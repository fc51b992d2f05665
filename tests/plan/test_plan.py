from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from math import inf, nan
from typing import TYPE_CHECKING, Any

import pytest

from keepalive_bench.errors import ExitCode, UsageError
from keepalive_bench.plan.fields import in_groups
from keepalive_bench.plan.plan import Arm, Experiment, Network, Plan, Request, Target, Tls
from keepalive_bench.plan.request import METHOD

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.plan.experiment import Order

TARGET = Target("http://h/")

REFUSED: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (Request, {"method": ""}, "'' can't be the method"),
    (Request, {"method": "X" * 81}, "can't be the method"),
    (Request, {"method": "GET\r\nX: y"}, "can't be the method"),
    (Request, {"headers": (("", "v"),)}, "header field can't be called ''"),
    (Request, {"headers": (("ä", "v"),)}, "header field can't be called 'ä'"),
    (
        Request,
        {"headers": (("X", "a\r\nY: b"),)},
        "The value of the header field 'X' has a control",
    ),
    (Request, {"headers": (("X", "\udcff"),)}, "'X'"),
    (Request, {"user_agent": "a\nb"}, "The value of the header field 'User-Agent' has a control"),
    (Request, {"credentials": ("a:b", "c")}, "can't have a colon"),
    (Request, {"credentials": ("a", "\udcff")}, "user name"),
    (Network, {"timeout_s": 0}, "timeout must be above 0 s and at most 1,000,000 s, not 0 s."),
    (Network, {"timeout_s": nan}, "not nan s"),
    (Network, {"timeout_s": inf}, "at most 1,000,000 s, not inf s"),
    (Network, {"connect_timeout_s": 0}, "connect timeout must be above 0 s"),
    (Request, {"max_body": -1}, "max-body must be from 0 to 1,152,921,504,606,846,976, not -1"),
    (Request, {"max_body": 10**4000}, "not 1"),
    (Experiment, {"seed": 10**4000}, "seed must be from 0 to 18,446,744,073,709,551,616"),
    (Arm, {"kind": "pool"}, "There is no arm of kind 'pool': kinds are pooled, unpooled"),
    (Arm, {"kind": "pooled", "label": "a b"}, "An arm can't be called 'a b'"),
    (Arm, {"kind": "pooled", "label": "x" * 33}, "32 of them at most"),
    (Experiment, {"requests": 0}, "requests must be from 1 to 1,000,000,000, not 0"),
    (Experiment, {"requests": 10**10}, "not 10,000,000,000"),
    (Experiment, {"concurrency": 0}, "concurrency must be from 1 to 10,000, not 0"),
    (Experiment, {"maxsize": 0}, "maxsize must be from 1"),
    (Experiment, {"warmup": -1}, "warmup must be from 0"),
    (Experiment, {"seed": -1}, "seed must be from 0"),
    (Experiment, {"arms": ()}, "number of arms must be from 1 to 255, not 0"),
    (Experiment, {"arms": (Arm("pooled"),) * 2}, "--arm a=pooled --arm b=pooled"),
    (Experiment, {"order": "random"}, "There is no order 'random': it is paired or sequential"),
]


@pytest.mark.parametrize(("make", "options", "sentence"), REFUSED)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    make: Callable[..., Any], options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        make(**options)
    said = str(caught.value)
    assert said.isprintable()
    assert said.endswith(".")
    assert caught.value.exit_code == ExitCode.USAGE


def test_a_refused_header_does_not_tell_its_value() -> None:
    with pytest.raises(UsageError) as caught:
        Request(headers=(("Authorization", "Bearer hunter2\x00"),))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("end", ["\r\nX: y", "\n", "\0", "\udcff"])
@pytest.mark.parametrize("name", ["user_agent", "bearer", "cookies", "content_type"])
def test_no_text_that_becomes_a_header_field_ends_it_and_none_is_told(name: str, end: str) -> None:
    text = f"hunter=2{end}"
    options: dict[str, Any] = {name: (text,) if name == "cookies" else text}
    with pytest.raises(UsageError, match=r"^The value of the header field '[A-Z]") as caught:
        Request(body=b"", **options)
    assert "hunter" not in str(caught.value)


def test_an_option_cannot_exclude_one_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="no option is called usr"):
        in_groups([replace(METHOD, group="Request", rivals=("usr",))])


def test_the_defaults_are_those_of_the_command() -> None:
    plan = Plan(TARGET, experiment=Experiment(seed=1))
    assert plan == Plan(
        TARGET,
        Request(method="GET", headers=(), body=None, credentials=None, user_agent=None),
        Tls(verify=True, ca_file=None),
        Network(ip_version=None, timeout_s=30.0, connect_timeout_s=None),
        Experiment(
            requests=50,
            concurrency=1,
            maxsize=None,
            block=False,
            arms=(Arm("pooled", "pooled"), Arm("unpooled", "unpooled")),
            order=None,
            seed=1,
            warmup=1,
            keep_going=False,
        ),
    )


def test_a_seed_is_drawn_where_none_is_given() -> None:
    assert len({Experiment().seed for _ in range(20)}) > 1


def wire(request: Request, url: str = "http://h/") -> list[tuple[str, str]]:
    return list(request.wire_headers(Target(url), "kab/1"))


def test_kab_says_who_it_is_unless_told_otherwise() -> None:
    assert wire(Request()) == [("User-Agent", "kab/1")]
    assert wire(Request(user_agent="me")) == [("User-Agent", "me")]
    assert wire(Request(headers=(("user-agent", "other"),))) == [("user-agent", "other")]


def test_header_fields_go_out_in_their_order_repeated_ones_too() -> None:
    given = (("X-B", "1"), ("X-A", "2"), ("x-b", "3"))
    assert wire(Request(headers=given)) == [*given, ("User-Agent", "kab/1")]


def test_text_beyond_ascii_goes_out_as_utf_8() -> None:
    ((_, sent), _) = wire(Request(headers=(("X", "ü – 日"),)))
    assert sent.encode("latin-1") == "ü – 日".encode()


@pytest.mark.parametrize(
    ("given", "url", "pair"),
    [
        (("joe", "p"), "http://h/", "joe:p"),
        (None, "http://jane:q@h/", "jane:q"),
        (("joe", "p"), "http://jane:q@h/", "joe:p"),
        (("Aladdin", "open sesame"), "http://h/", "Aladdin:open sesame"),
        (("ü", "a:b"), "http://h/", "ü:a:b"),
        (("joe", ""), "http://h/", "joe:"),
    ],
)
def test_credentials_go_out_as_basic_authentication(
    given: tuple[str, str] | None, url: str, pair: str
) -> None:
    sent = dict(wire(Request(credentials=given), url))["Authorization"]
    assert b64decode(sent.removeprefix("Basic ")).decode() == pair


def test_the_example_of_rfc_7617_comes_out_as_printed_there() -> None:
    sent = dict(wire(Request(credentials=("Aladdin", "open sesame"))))
    assert sent["Authorization"] == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="  # section 2


def test_an_authorization_header_goes_before_credentials() -> None:
    request = Request(headers=(("AUTHORIZATION", "Bearer x"),), credentials=("a", "b"))
    assert wire(request) == [("AUTHORIZATION", "Bearer x"), ("User-Agent", "kab/1")]


def test_a_body_is_a_form_unless_told_otherwise() -> None:
    form = ("Content-Type", "application/x-www-form-urlencoded")
    assert form in wire(Request(body=b"a=1"))
    assert form in wire(Request(body=b""))
    assert form not in wire(Request())
    json = (("content-type", "application/json"),)
    assert form not in wire(Request(body=b"{}", headers=json))


def test_only_get_and_head_are_safe() -> None:
    assert [name for name in ("GET", "HEAD", "POST", "get") if Request(method=name).is_safe] == [
        "GET",
        "HEAD",
    ]


def test_secrets_are_not_in_what_a_plan_looks_like() -> None:
    request = Request(
        headers=(("X-Token", "hunter2"),), body=b"hunter2", credentials=("joe", "hunter2")
    )
    plan = Plan(Target("http://jane:hunter2@h/?token=hunter2"), request)
    assert "hunter2" not in repr(plan) + str(plan) + plan.target.shown


@pytest.mark.parametrize(
    ("concurrency", "maxsize", "order", "is_paired"),
    [
        (1, None, None, True),
        (4, None, None, True),
        (4, 8, None, True),
        (4, 3, None, False),
        (4, 3, "paired", True),
        (1, None, "sequential", False),
    ],
)
def test_arms_take_turns_where_the_pool_holds_every_thread(
    concurrency: int, maxsize: int | None, order: Order | None, *, is_paired: bool
) -> None:
    experiment = Experiment(concurrency=concurrency, maxsize=maxsize, order=order)
    assert experiment.is_paired is is_paired


@pytest.mark.parametrize(
    ("requests", "concurrency", "rounds"),
    [(50, 1, 50), (1, 1, 1), (50, 4, 1), (79, 4, 1), (80, 4, 2), (800, 8, 10)],
)
def test_a_block_has_ten_requests_a_thread(requests: int, concurrency: int, rounds: int) -> None:
    assert Experiment(requests=requests, concurrency=concurrency).rounds == rounds
    assert Experiment(requests=requests, concurrency=concurrency, order="sequential").rounds == 1


def test_all_requests_are_counted_beforehand_warm_ups_included() -> None:
    assert Experiment(requests=50, warmup=2).total_requests == 104
    assert Experiment(requests=50, warmup=0, arms=(Arm("pooled"),)).total_requests == 50
