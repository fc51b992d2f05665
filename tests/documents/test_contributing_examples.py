"""What CONTRIBUTING.md adds as an example of each change works in a copy of the package."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

from keepalive_bench.server import Behaviour, Fault, ServerProcess, ServerSettings

ROOT = Path(__file__).parents[2]
PLACES = (
    ("plan/request.py", "    max_body: "),
    ("plan/request.py", "        fields = [*self.headers"),
    ("plan/arms.py", '    ArmKind(\n        name="naive"'),
    ("net/arms.py", "_OPENERS: "),
    ("connections/reason_kinds.py", "REASON_KINDS = "),
    ("connections/rules.py", "    return kinds.UNSOLICITED_DATA"),
    ("findings/answers.py", "REDIRECTS_MEASURED = "),
    ("findings/answers.py", "    most, sizes = run.plan"),
    ("analysis/metrics/arm.py", "    *TIME_METRICS,"),
    ("cli/renderers.py", "def json_of_run"),
    ("cli/exports.py", '    Exporter(\n        spelling="--html FILE"'),
)
"""Before what each piece of the page's code goes."""
OPENER = '    "prudent": _prudent,\n'
"""The line that the page only mentions."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a copy that has all examples."""
    folder = tmp_path_factory.mktemp("examples")
    package = shutil.copytree(ROOT / "keepalive_bench", folder / "keepalive_bench")
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    code = "".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    pieces = re.split(r"^# .*\n", code, flags=re.MULTILINE)[1:]
    for piece, (name, where) in zip(pieces, PLACES, strict=True):
        is_row = piece.startswith("(")
        put(package / name, f"*{piece.rstrip()},\n" if is_row else piece, where)
    put(package / "net" / "arms.py", OPENER.lstrip(), '    "naive": ')
    return folder


def put(path: Path, piece: str, where: str) -> None:
    before, found, after = path.read_text("utf-8").partition(where)
    assert found, f"{path.name} has no {where!r}"
    margin = " " * (len(where) - len(where.lstrip()))
    path.write_text(before + indent(piece, margin) + found + after, "utf-8")


def python(place: Path, *arguments: str) -> str:
    """What a module says that is called in the copy, without an error."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout


def test_mypy_accepts_the_examples(place: Path) -> None:
    configuration = ROOT / "pyproject.toml"
    python(place, "mypy", "--config-file", str(configuration), "--package", "keepalive_bench")


def test_the_examples_do_what_the_page_says(place: Path) -> None:
    server = ServerSettings(
        behaviour=Behaviour(body_size=2_000_000),
        fault=Fault("idle-408", 0.2),
        record=place / "record.jsonl",
    )
    with ServerProcess(server) as process:
        words = "-n 4 --think-time 0.5 --arm prudent --referer http://a.test/ --verdict verdict"
        names = ["--require", "reasons.request-timeout==3", "--require", "bytes_per_connection>1"]
        python(place, "keepalive_bench", "run", process.url, *words.split(), *names, "--json=json")
    assert '"http://a.test/"' in (place / "record.jsonl").read_text("utf-8")
    document = json.loads((place / "json").read_text("utf-8"))
    assert "a.test" not in json.dumps(document)
    arm = document["arms"]["prudent"]
    assert (arm["reasons"]["request-timeout"], arm["bytes_per_connection"]) == (3, 2_000_000)
    assert "large-answers" in {it["code"] for it in document["findings"]}
    assert (place / "verdict").read_text("utf-8") == f"{document['verdict']['text']}\n"
