"""The pages that the template prints: no column is too narrow, and each says what it is."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pypdf
import pytest

from crossmargin import demo_workbook
from tests.host import office
from tests.host import wheel as wheels

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("Report", "Liquidation", "Correlation", "Accounts", "Recon", "Log", "Checks", "Glossary")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    reason = office.missing()
    if reason:
        pytest.skip(reason)
    workbook: Path = tmp_path_factory.mktemp("printed") / "crossmargin.xlsx"
    shutil.copyfile(wheels.ROOT / "workbook" / "crossmargin.xlsx", workbook)
    (drawn,) = demo_workbook.write_pdf(workbook)
    return [page.extract_text() for page in pypdf.PdfReader(drawn).pages]


def test_no_column_is_too_narrow_for_its_numbers(pages: list[str]) -> None:
    assert len(pages) > 50
    narrow = [number for number, text in enumerate(pages, start=1) if "###" in text]
    assert narrow == []


def test_every_page_has_its_sheet_its_number_and_the_disclaimer(pages: list[str]) -> None:
    for number, text in enumerate(pages, start=1):
        assert re.search(rf"page\s+{number}\s+of\s+{len(pages)}\b", text), (number, text[-300:])
        assert "an estimate, not the venue's calculation" in text, number
    for name in NAMES:
        assert any(re.search(rf"^\s*{name}", text, re.MULTILINE) for text in pages), name
