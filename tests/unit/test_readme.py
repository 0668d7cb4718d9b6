"""The README and the page on Python say what is true: examples run, commands and files exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from crossmargin import functions, registry

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


IN_PYTHON = (ROOT / "python" / "docs" / "in-python.md").read_text(encoding="utf-8")
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)
EXAMPLES = [*CODE.findall(README), *CODE.findall(IN_PYTHON)]
COUNTS = (3, 2, 3, 1)
PROMISE = re.compile(r"^print\(.*\)  # (-?[0-9.]+[0-9]|BTC [^#\n]+|At BTC [^#\n]+)", re.MULTILINE)


@pytest.mark.parametrize(("example", "count"), list(zip(EXAMPLES, COUNTS, strict=True)))
def test_a_python_example_runs_and_prints_what_its_comments_say(example: str, count: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, check=True
    )
    printed = done.stdout.splitlines()
    promised = PROMISE.findall(example)
    assert len(promised) == count
    for line, start in zip(printed, promised, strict=False):
        assert line.startswith(start)


def test_the_readme_has_ten_lines_of_python() -> None:
    (example,) = CODE.findall(README)
    assert len([line for line in example.splitlines() if line]) == 10


def test_every_rulebook_is_named() -> None:
    _, _, named = README.partition("Rulebooks: ")
    listed = {str(row["id"]) for row in functions.rulebooks().records()}
    assert set(re.findall(r"`([a-z0-9-]+)`", named.partition("; how to write one")[0])) == listed


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_every_link_of_the_readme_leads_to_a_file(target: str) -> None:
    assert (ROOT / target).is_file()


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
