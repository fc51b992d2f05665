"""The results file, its schema and its documentation are held against each other."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from contextlib import closing
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from documents.generate import SCHEMAS
from jsonschema import Draft202012Validator
from support.runs import CUT_OFF, Script, paired_run

from keepalive_bench import (
    Arm,
    Experiment,
    Network,
    Plan,
    Request,
    Target,
    Tls,
    Variation,
    analyse,
    benchmark,
)
from keepalive_bench.report.document import derived_document
from keepalive_bench.report.schema import results_schema
from keepalive_bench.results.file import document_lines, stored_columns
from keepalive_bench.results.table import NONE
from keepalive_bench.server import Behaviour, ServerProcess, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.results.run import Run

ROOT = Path(__file__).parents[1]
SCHEMA = results_schema()
GUIDE = (ROOT / "docs/json-format.md").read_text("utf-8")
TWO = (Arm("pooled"), Arm("unpooled"))
VALIDATOR = Draft202012Validator(SCHEMA)


def written(run: Run) -> str:
    return "".join(document_lines(run, derived_document(analyse(run))))


def problems(text: str) -> list[str]:
    document = json.loads(text)
    return [
        f"{error.json_path}: {error.message[:300]}" for error in VALIDATOR.iter_errors(document)
    ]


def measured(url: str, **experiment: Any) -> Run:  # noqa: ANN401  # whatever an Experiment takes
    return benchmark(Plan(Target(url), experiment=Experiment(**experiment)))


@cache
def long_text() -> str:
    """A results file with packed columns."""
    script = Script("pooled", requests=10_001)
    row = script.open("pooled")
    for number in range(10_000):
        script.send("pooled", 1 / 1024 + number / 2**20, on=row)
    script.fail("pooled")
    return written(script.run())


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_the_schemas_are_schemas(path: Path) -> None:
    Draft202012Validator.check_schema(json.loads(path.read_text("utf-8")))


def test_the_guide_s_program_knows_which_columns_have_minus_1_for_nothing() -> None:
    (names,) = re.findall(r'NONE_BELOW_0 = \(?\s*"(.*)"', GUIDE)
    declared = [it for columns in stored_columns().values() for it in columns]
    assert set(names.split()) == {it.name for it in declared if it.missing == NONE}


def test_what_the_command_writes_is_valid(tmp_path: Path) -> None:
    target = tmp_path / "results.json"
    settings = ServerSettings(tls=True, behaviour=Behaviour(keep_alive_header="timeout=5"))
    with ServerProcess(settings) as server:
        command = [sys.executable, "-m", "keepalive_bench", "run", server.url, "-n", "12"]
        options = ["--cacert", str(server.certificate), "-f", "q=a", "-f", "token=b"]
        options += ["-H", "X-Secret: c", "--vary", "u", "--require", "pooled.reuse > 0.5"]
        subprocess.run([*command, *options, "--json", str(target)], check=True)
    text = target.read_text("utf-8")
    assert not problems(text)
    assert [arm["connections"] for arm in json.loads(text)["arms"].values()] == [1, 12]


@pytest.mark.parametrize(
    "experiment",
    [
        {"arms": TWO[:1], "requests": 3},
        {"arms": (*TWO, Arm("pooled", "x")), "requests": 1, "order": "sequential"},
        {"requests": 40, "concurrency": 2, "block": True},
    ],
    ids=["one arm", "three arms", "blocks"],
)
def test_every_kind_of_run_is_valid(experiment: dict[str, Any]) -> None:
    with ServerProcess() as server:
        assert not problems(written(measured(server.url, **experiment)))


def test_a_plan_with_everything_is_valid() -> None:
    with ServerProcess(ServerSettings(tls=True)) as server:
        plan = Plan(
            Target(f"{server.url}/a?token=x"),
            Request(
                method="POST",
                headers=(("Accept", "*/*"), ("X-Secret", "y")),
                body=b"a=1",
                credentials=("joe", "hunter2"),
                user_agent="me",
                variation=Variation(
                    fields=(("q", ("a", "b")),), rows=((("r", "1"),), ()), unique=("u",)
                ),
            ),
            Tls(verify=True, ca_file=server.certificate),
            Network(ip_version=4, timeout_s=5, connect_timeout_s=2.5),
            Experiment(requests=2, maxsize=3, order="paired", keep_going=True, seed=2**64),
        )
        text = written(benchmark(plan))
    assert not problems(text)
    assert "hunter2" not in text


def test_failures_are_valid() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    text = written(measured(f"http://127.0.0.1:{port}/", requests=7))
    assert not problems(text)
    arm = json.loads(text)["arms"]["pooled"]
    assert arm["failures"] == {"connect-refused": 5}
    assert (arm["not_sent"], arm["connections"]) == (2, 0)


def test_an_interrupted_run_is_valid_even_before_its_first_request() -> None:
    script = Script("pooled", "unpooled", requests=5)
    assert not problems(written(script.run(interrupted=True)))
    script.send("pooled", 0.01, on=script.open("pooled"))
    script.fail("unpooled", failure=CUT_OFF)
    text = written(script.run(interrupted=True))
    assert not problems(text)
    for arm in json.loads(text)["arms"].values():
        counts = (arm[name] for name in ("succeeded", "failed", "interrupted", "not_sent"))
        assert sum(counts) == arm["requests"]


def test_packed_columns_are_valid() -> None:
    assert json.loads(long_text())["exchanges"]["encoding"] == "base64"
    assert not problems(long_text())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("arms", "pooled", "latency_s", "p42"), 1.0),
        (("exchanges", "encoding"), "base64"),
        (("exchanges", "columns", "latency_s"), ["0.1"]),
    ],
)
def test_what_the_format_does_not_have_is_not_valid(path: tuple[str, ...], value: object) -> None:
    document = json.loads(written(paired_run([0.01] * 3, [0.02] * 3)))
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    assert problems(json.dumps(document))


PLACEHOLDERS = {
    "failures": "<kind>",
    "reasons": "<code>",
    "status_codes": "<status>",
    "withheld": "<option>",
}


def members(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """The names of all that has no members of its own, as the guide writes them."""
    if "properties" in schema:
        for name, part in schema["properties"].items():
            yield from members(part, f"{path}.{name}".lstrip("."))
    elif path.endswith(".evidence"):
        yield f"{path}.*"
    elif "additionalProperties" in schema:
        name = PLACEHOLDERS.get(path.rpartition(".")[2], "<label>")
        yield from members(schema["additionalProperties"], f"{path}.{name}")
    elif schema.get("type") == "array" and "prefixItems" not in schema:
        yield from members(schema["items"], f"{path}[]")
    else:
        yield path


def expanded(name: str) -> Iterator[str]:
    """`a.{b,c}` as `a.b` and `a.c`."""
    parts = re.split(r"\{(.*?)\}", name)
    yield from ("".join(choice) for choice in product(*(part.split(",") for part in parts)))


def documented() -> Iterator[str]:
    """The names that the guide's tables of members explain."""
    prefix, in_table = "", False
    for line in GUIDE.splitlines():
        if line.startswith("### "):
            named = re.match(r"### `(.*?)`", line)
            prefix = f"{named[1]}." if named else ""
        in_table = line.startswith("| member |") or (in_table and line.startswith("|"))
        if in_table:
            for name in re.findall(r"`(.*?)`", line.split(" | ")[0]):
                yield from (f"{prefix}{each}" for each in expanded(name))


def test_every_member_is_documented_once_and_every_documented_one_exists() -> None:
    assert sorted(documented()) == sorted(members(SCHEMA))


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_the_guide_s_program_reads_both_encodings(tmp_path: Path, *, packed: bool) -> None:
    text = long_text() if packed else written(paired_run([0.25] * 2, [0.5] * 2))
    file = tmp_path / "results.json"
    file.write_text(text, "utf-8")
    (program,) = snippets("python")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(file)],
        check=True,
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    if packed:
        assert lines == [f"pooled {1 / 1024 + number / 2**20}" for number in range(10_000)]
    else:
        assert lines == ["pooled 0.25", "unpooled 0.5"] * 2


ANSWERS = [
    "pooled\t1\t0.25\nunpooled\t6\t0.5\n",
    "2\n",
    "true\n",
    "[1,0,0.5]\n[1,1,0.5]\n[1,2,0.5]\n[1,3,0.5]\n[1,4,0.5]\n",
    '[0,"127.0.0.1:8000"]\n[0.25,"127.0.0.1:8000"]\n',
]


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
@pytest.mark.parametrize(("command", "answer"), list(zip(snippets("sh"), ANSWERS, strict=True)))
def test_the_guide_s_questions_to_jq_are_answered(
    tmp_path: Path, command: str, answer: str
) -> None:
    file = tmp_path / "results.json"
    file.write_text(written(paired_run([0.25] * 6, [0.5] * 6)), "utf-8")
    done = subprocess.run(
        ["sh", "-c", command.replace("FILE", str(file))],
        check=False,
        capture_output=True,
        text=True,
    )
    assert not done.stderr
    assert done.stdout.startswith(answer)
