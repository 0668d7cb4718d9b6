"""The page about the published cases: its counts are those of a run."""

from __future__ import annotations

import importlib.util
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def page() -> Any:
    path = ROOT / "docs" / "make_published_cases.py"
    specification = importlib.util.spec_from_file_location("make_published_cases", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


def test_the_tables_of_the_page_are_those_of_a_run(page: Any, shared: Path) -> None:
    assert page.written(shared / "vectors") in page.PAGE.read_text(encoding="utf-8")


def test_the_counts_of_the_page_add_up(page: Any) -> None:
    row = re.compile(r"\| (\S+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|")
    found = list(row.finditer(page.PAGE.read_text(encoding="utf-8")))
    numbers = [[int(text) for text in match.groups()[1:]] for match in found]
    assert [match[1] for match in found].index("all") == len(found) - 1
    assert numbers[-1] == [sum(column) for column in zip(*numbers[:-1], strict=True)]
    assert all(ran == passed + failed for ran, passed, failed, _ in numbers)


def test_every_case_of_a_reason_is_counted_once(page: Any, shared: Path) -> None:
    found = page.reports(shared / "vectors")
    cases = [case for listed in page.reasons(found).values() for case in listed]
    assert (
        len(cases) == len(set(cases)) == sum(numbers[3] for numbers in page.counts(found).values())
    )
