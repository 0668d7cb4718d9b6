"""Hostile texts in a real LibreOffice: on the sheets, in our answers, and in files of text."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import openpyxl
import pytest

from crossmargin import _cli_show, demo_workbook
from crossmargin._texts import for_a_cell
from crossmargin.hosts import libreoffice
from crossmargin.table import Table
from tests.fuzz.blocks import HOSTILE
from tests.host import office
from tests.host.office import Office

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = [
    pytest.mark.skipif(office.missing() is not None, reason=office.missing() or ""),
    pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning"),
]

NAMES = [text for text in HOSTILE if text.strip() and len(text) < 1_000]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Office]:
    folder = tmp_path_factory.mktemp("office")
    with Office(folder, libreoffice.build(folder / "crossmargin.oxt")) as started:
        yield started


def test_an_answer_that_begins_like_a_formula_is_a_text(running: Office) -> None:
    """Alone, and in every cell of a table."""
    running.open()
    for row, name in enumerate(NAMES, start=2):
        running.do("write_text", sheet="Sheet1", address=f"A{row}", value=for_a_cell(name))
        running.write(f"B{row}", 1.0)
    running.write("A1", "symbol")
    running.write("B1", "contracts")
    last = len(NAMES) + 1
    formula = f'=CM_CHECK(A1:B{last};"units";"positions")'
    running.do("write_array", sheet="Sheet1", address=f"D1:H{last + 20}", formula=formula)
    shown = [row[0] for row in running.cells(f"D1:D{last + 20}")]
    risky = [cell for cell in shown if cell.text[:1] in {"=", "+", "-", "@"}]
    assert len(risky) > 5
    assert all(cell.value == cell.text and cell.error == 0 for cell in risky)
    (own,) = {cell.formula for cell in shown}  # every cell belongs to the one array
    assert own.upper().endswith(f'CHECK(A1:B{last};"UNITS";"POSITIONS")}}')


def test_the_template_of_hostile_texts_opens_with_no_formula_but_ours(
    running: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_workbook, "write_pdf", lambda _: [])
    rows = [
        ["symbol", "contracts", "entryPrice", "markPrice", "leverage", "=1+1"],
        ["BTC", 1.0, 100.0, 101.0, 10.0, "plain"],
        *[[name, 1.0, 100.0, 101.0, 10.0, name] for name in NAMES],
    ]
    balances = [["currency", "cash"], ["USDC", 9e5]]
    tables = {"positions": rows, "collateral": balances, "options": "partial=1"}
    path = demo_workbook.write(tmp_path, tables)[0]
    running.open(path)
    running.do("recalculate")
    stored = tmp_path / "stored.xlsx"
    running.do("store", path=str(stored))
    sheet = openpyxl.load_workbook(stored)["Positions"]
    cells = [cell for row in sheet.iter_rows(min_row=8) for cell in row if cell.value is not None]
    assert len(cells) > 5 * len(NAMES)
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    assert not [cell for cell in cells if cell.hyperlink]


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
def test_a_file_of_text_opens_as_texts_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    names = [name for name in NAMES if "\x00" not in name]
    _cli_show.write_csv(Table(("symbol", "pnl"), [(name, -1.5) for name in names]), path)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    subprocess.run(
        ["soffice", "--headless", profile, "--convert-to", "xlsx", "--outdir", str(tmp_path), path],
        check=True,
        capture_output=True,
        timeout=180,
    )
    sheet = openpyxl.load_workbook(tmp_path / "table.xlsx").worksheets[0]
    rows = list(sheet.iter_rows())
    kinds = {row[0].data_type for row in rows}
    assert "f" not in kinds
    assert {row[1].value for row in rows[1:] if row[1].value is not None} == {-1.5}
