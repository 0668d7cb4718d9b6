"""What the package promises about imports and examples."""

from __future__ import annotations

import doctest
import importlib
import subprocess
from pathlib import Path

import pytest

import crossmargin

PACKAGE = Path(next(iter(crossmargin.__path__)))
NEEDS_LIBREOFFICE = {
    "crossmargin.hosts.libreoffice_runtime",  # runs inside LibreOffice only
}
PLAIN_PYTHON = "/usr/bin/python3"
HEAVY = ("numpy", "narwhals", "polars", "pandas", "click", "rich", "xlsxwriter", "xlwings")


def module_names() -> list[str]:
    paths = (path.relative_to(PACKAGE.parent).with_suffix("") for path in PACKAGE.rglob("*.py"))
    names = {".".join(path.parts).removesuffix(".__init__") for path in paths}
    return sorted(names - NEEDS_LIBREOFFICE)


def imported_alone(module: str) -> subprocess.CompletedProcess[str]:
    """Import a module where only the standard library and this package are to be found."""
    code = (
        f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); import {module}; "
        f"loaded = sorted(set({HEAVY!r}) & set(sys.modules)); "
        "sys.exit(f'loaded {loaded}' if loaded else 0)"
    )
    return subprocess.run(
        [PLAIN_PYTHON, "-I", "-S", "-c", code], check=False, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    "module",
    ["crossmargin", "crossmargin.registry", "crossmargin.table", "crossmargin.functions"],
)
def test_sheet_hosts_need_the_standard_library_and_the_core_alone(module: str) -> None:
    done = imported_alone(module)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", module_names())
def test_every_example_in_a_docstring_runs(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_modules_were_looked_at() -> None:
    assert "crossmargin.registry" in module_names()
