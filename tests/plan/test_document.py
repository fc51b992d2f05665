"""Plan ⇄ document: every option that is no secret comes back, and is in the schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from support.plans import plan
from support.runs import paired_run

from keepalive_bench import (
    Experiment,
    Load,
    ProbeTimes,
    Resolution,
    Route,
    Target,
    Variation,
    analyse,
)
from keepalive_bench.compare import compare_runs
from keepalive_bench.compare.change import Source
from keepalive_bench.plan.document import plan_document, plan_from, plan_schema
from keepalive_bench.plan.fields import PlanField, assembled, plan_fields
from keepalive_bench.plan.plan import Plan
from keepalive_bench.report.page.command import command, left_out
from keepalive_bench.typed_json import FaultError

SECRET = "s3kr1t"  # noqa: S105  # nobody's
WAYS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a proxy": {
        "proxy": Target("https://proxy.test:3128"),
        "tcp_nodelay": True,
        "tcp_keepalive_time": ProbeTimes(60),
    },
    "routes": {
        "connect_to": (Route("a.test", 80, "::1", 8080), Route("", 0, "", 81)),
        "resolve": (Resolution("*", 443, ("127.0.0.1", "fe80::1%lo")),),
        "source_addresses": ("127.0.0.2", "::1"),
        "tcp_nodelay": False,
        "tcp_keepalive": True,
        "tcp_keepalive_time": ProbeTimes(60, 10),
        "ip_version": 6,
        "connect_timeout_s": 0.5,
    },
    "a socket": {"unix_socket": Path("/run/app.sock")},
    "TLS": {
        "ca_file": Path("/ca.pem"),
        "cert_file": Path("/me.pem"),
        "key_file": Path("/me.key"),
        "ciphers": "HIGH",
        "minimum": "1.2",
        "maximum": "1.3",
        "verify": False,
    },
    "an upload": {"method": "PUT", "upload": Path("/a/file"), "max_body": 0},
    "answers": {"expect_status": ("2xx", "404"), "max_body": 10, "user_agent": "me"},
    "a rate": {"load": Load(rate=200.5, traffic="bursts"), "concurrency": 4},
    "pauses": {"load": Load(think_s=(1.0, 2.5))},
    "JSON": {"method": "POST", "content_type": "application/json"},
    "parameters": {
        "variation": Variation(fields=(("a", ("1", "2")),), unique=("u",), counter=False)
    },
}


@pytest.mark.parametrize("options", WAYS.values(), ids=WAYS)
def test_a_plan_without_secrets_comes_back_as_it_was_and_is_in_the_schema(
    options: dict[str, Any],
) -> None:
    wanted = plan("https://there.test:8443/a?b=c", maxsize=1, **options)
    document = json.loads(json.dumps(plan_document(wanted)))
    assert plan_from(document) == wanted
    Draft202012Validator(plan_schema()).validate(document)


def test_what_no_field_says_may_be_shown_is_nowhere_in_the_document() -> None:
    asked = plan(
        f"https://me:{SECRET}@there.test/?token={SECRET}",
        headers=(("X-Key", SECRET), ("Accept", "a/b")),
        body=SECRET.encode(),
        credentials=("me", SECRET),
        cookies=(f"a={SECRET}",),
        key_password=SECRET,
        proxy=Target(f"http://me:{SECRET}@proxy.test"),
        variation=Variation(fields=(("token", (SECRET,)),), rows=((("pin", SECRET),),)),
    )
    document = plan_document(asked)
    assert SECRET not in json.dumps(document)
    assert document["headers"] == [["X-Key", None], ["Accept", "a/b"]]
    assert document["proxy"] == "http://proxy.test"
    assert SECRET not in repr(asked)
    assert document["withheld"] == {
        "header": 1,
        "data": 6,
        "user": 1,
        "cookie": 1,
        "field": 1,
        "fields-file": 1,
        "key-password-file": 1,
        "proxy": 1,
    }


SECRETS: dict[str, Any] = {
    "header": (("X-Key", SECRET),),
    "data": SECRET.encode(),
    "user": ("me", SECRET),
    "field": (("token", (SECRET,)),),
    "fields-file": ((("token", SECRET),),),
    "proxy": Target(f"http://me:{SECRET}@proxy.test"),
}
"""For fields of another type than text, or of which a part is shown; by what sets them."""
NOT_ALL_SHOWN = [place for place in plan_fields(Plan) if place.setting.shown is not True]


@pytest.mark.parametrize("place", NOT_ALL_SHOWN, ids=lambda it: it.name)
def test_whatever_may_not_be_shown_leaves_its_options_name_and_nothing_else(
    place: PlanField,
) -> None:
    name, repeatable = place.setting.options[0].name, place.setting.options[0].form == "repeatable"
    value = SECRETS.get(name, (f"a={SECRET}",) if repeatable else SECRET)
    seeded = {(Experiment, "seed"): 7}
    without, asked = (
        assembled(Plan, given, target=Target("http://there.test/"))
        for given in (seeded, seeded | {(place.owner, place.name): value})
    )
    document = plan_document(asked)
    assert (list(document["withheld"]), plan_document(without)["withheld"]) == ([name], {})
    assert SECRET not in json.dumps(document)
    read = plan_from(document)
    assert plan_document(read) == document
    for stored in (asked, read):
        assert re.search(f"--{name}|header|body|credentials|cookie|[*]{{3}}", left_out(stored))
        assert SECRET not in command(stored)
    measured = paired_run([0.1], [0.2])
    base, new = (
        Source("", run, analyse(run), plan_document(run.plan))
        for run in (measured._replace(plan=it) for it in (without, read))
    )
    differing = compare_runs([base], new)
    found = {it.name: it.matters for it in differing.differences}
    assert found[f"withheld.{name}"] is place.setting.matters


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ([], "plan can't be []"),
        ({"parameters": 5}, "plan.parameters can't be 5"),
        ({"parameters": {"fields": 5}}, "plan.parameters.fields can't be 5"),
        ({"parameters": {}}, "plan.parameters.fields is missing"),
        ({"requests": 0}, "plan.requests can't be 0"),
        ({"tls_min": "1.1"}, "plan.tls_min can't be '1.1'"),
        ({"arms": []}, "plan.arms can't be []"),
    ],
)
def test_what_is_no_plan_is_refused_with_its_place(damage: Any, said: str) -> None:  # noqa: ANN401  # any JSON
    document = plan_document(plan("http://there.test/"))
    with pytest.raises(FaultError, match=re.escape(said)):
        plan_from(document | damage if isinstance(damage, dict) else damage)


def test_a_member_that_is_missing_is_named() -> None:
    document = plan_document(plan("http://there.test/"))
    del document["timeout_s"]
    with pytest.raises(FaultError, match=r"plan\.timeout_s is missing"):
        plan_from(document)
