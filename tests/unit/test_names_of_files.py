"""Names of files that no system takes, in every argument of every function: a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import crossmargin
from crossmargin import registry
from crossmargin.cells import SheetError
from crossmargin.errors import CrossmarginError

if TYPE_CHECKING:
    from pathlib import Path

POSITIONS = [["symbol", "contracts", "entryPrice", "markPrice"], ["BTC", 1, 60000, 60000]]
NAMES = [
    "x" * 5_000 + ".toml",
    "x" * 5_000 + ".csv",
    "=" * 300 + ".toml",
    "a\0b.toml",
    "a\0b.csv",
    "y" * 200 + "/" + "z" * 300 + ".parquet",
    "./" * 3_000 + "a.csv",
    "\ud800.toml",
    "missing.csv",
    "missing.toml",
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:12]))
def test_a_name_that_no_system_takes_is_answered_with_a_sentence(name: str) -> None:
    asked = 0
    for record in registry.records():
        for place in range(len(record.arguments)):
            cells: list[object] = [POSITIONS if not place else ""] * len(record.arguments)
            cells[place] = name
            if record.sheet_name in {"CM_BOOK", "CM_CHECK"} and place != 1:
                cells[1] = "custom"
            answer = registry.call(record.sheet_name, cells)
            asked += 1
            if isinstance(answer, SheetError):
                assert "defect" not in answer.reason, (
                    record.sheet_name,
                    place,
                    answer.reason[:200],
                )
                assert 0 < len(answer.reason) <= 1_000, (record.sheet_name, place)
    assert asked > 150


def test_a_rulebook_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_bytes(b"\xff\xfe id = 1")
    with pytest.raises(CrossmarginError, match="cannot be read"):
        crossmargin.book(POSITIONS, str(file))
    with pytest.raises(CrossmarginError, match="there is no rulebook file"):
        crossmargin.book(POSITIONS, str(tmp_path / ("x" * 400 + ".toml")))
