"""The README says what is true: its example runs, its commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from crossmargin import registry

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_runs_and_prints_what_its_comments_say() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, check=True
    )
    printed = done.stdout.splitlines()
    promised = re.findall(r"# ([0-9.]+[0-9])", example)
    assert len(promised) == 2
    for line, start in zip(printed, promised, strict=False):
        assert line.startswith(start)


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
