"""The README says what is true: its example runs, its commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from crossmargin import functions, registry

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
PROMISE = re.compile(r"^print\(.*\)  # (-?[0-9.]+[0-9]|BTC [^#\n]+)", re.MULTILINE)


@pytest.mark.parametrize(("example", "count"), list(zip(EXAMPLES, (2, 3, 1), strict=True)))
def test_a_python_example_runs_and_prints_what_its_comments_say(example: str, count: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, check=True
    )
    printed = done.stdout.splitlines()
    promised = PROMISE.findall(example)
    assert len(promised) == count
    for line, start in zip(printed, promised, strict=False):
        assert line.startswith(start)


def test_the_table_of_rulebooks_is_that_of_the_registry() -> None:
    listed: dict[tuple[str, ...], list[str]] = {}
    for row in functions.rulebooks().records():
        key = tuple(str(row[word]) for word in ("id", "venue", "mode"))
        listed.setdefault(key, []).append(f"{row['version']} {row['status']}")
    wanted = [
        f"| `{name}` | {venue} | {mode} | {', '.join(versions)} |"
        for (name, venue, mode), versions in listed.items()
    ]
    _, _, table = README.partition("| rulebook | venue | what it covers | versions and status |\n")
    shown = table.partition("\n\n")[0].splitlines()[1:]
    assert shown == wanted, "\n".join(["the README must say:", *wanted])


@pytest.mark.parametrize("target", sorted(set(re.findall(r"make ([a-z]+)", README))))
def test_every_make_target_of_the_readme_exists(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_sheet_function_of_the_readme_exists() -> None:
    named = set(re.findall(r"\bCM_[A-Z0-9]+\b", README))
    assert len(named) >= 5
    assert named <= {record.sheet_name for record in registry.records()}


@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"^crossmargin ([a-z-]+)", README, re.MULTILINE)))
)
def test_every_command_of_the_readme_has_help(command: str) -> None:
    crossmargin = Path(sys.executable).with_name("crossmargin")
    done = subprocess.run([crossmargin, command, "--help"], capture_output=True, check=False)
    assert done.returncode == 0
