"""Writes the template workbook filled with given tables, and its PDF where LibreOffice is there."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crossmargin.hosts import libreoffice
from crossmargin.table import Table
from crossmargin.template import workbook
from crossmargin.template.values import COLUMNS, Inputs, Rows, rows_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NAME", "write", "write_pdf"]

NAME: Final = "crossmargin.xlsx"
_DEFAULT_RULEBOOK: Final = "hyperliquid"
_OPTION_RULEBOOK: Final = "deribit-spm"
_SECONDS: Final = 180.0


def write(output_dir: Path, tables: Mapping[str, object]) -> list[Path]:
    """Write `crossmargin.xlsx`, and `crossmargin.pdf` if LibreOffice can draw it.

    The workbook shows what its formulas answer; LibreOffice is not needed for that.

    Parameters
    ----------
    output_dir
        The folder, made if it is not there.
    tables
        `positions`, `collateral`, `market`, `orders`, `brackets`, `history`, `limits`: rows with
        the header first, or one mapping per row, or a :class:`~crossmargin.table.Table`; all but
        positions may be left out. Also `rulebook` (its name), `as_of` and `options` (texts). A
        second book for the sheet Options: `option_positions`, `option_collateral`,
        `option_market`, `option_rulebook` and `option_as_of`. Many accounts for the sheet
        Accounts: `account_positions`, `account_collateral`, `account_market`, `account_rules`
        (account and rulebook) and `account_as_of`. Tables of other names, such as results, are
        left out: the workbook calculates its own.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ValueError
        If there are no positions, or a table has no header of its own for each column.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> rows = [{"symbol": "BTC", "contracts": 1, "markPrice": 100, "entryPrice": 90}]
    >>> balances = [["currency", "cash"], ["USDC", 9]]
    >>> write(folder, {"positions": rows, "collateral": balances})[0].name
    'crossmargin.xlsx'
    """
    if not tables.get("positions"):
        raise ValueError("the workbook needs positions: rows with their header first")
    found: dict[str, Rows] = {
        name: rows_of(tables[name]) if tables.get(name) else [list(columns)]
        for name, columns in COLUMNS.items()
    }
    given = Inputs(
        positions=found["positions"],
        collateral=found["collateral"],
        orders=found["orders"],
        market=found["market"],
        brackets=found["brackets"],
        rulebook=_text(tables.get("rulebook")) or _DEFAULT_RULEBOOK,
        as_of=_text(tables.get("as_of")),
        options=_text(tables.get("options")),
        option_positions=found["option_positions"],
        option_collateral=found["option_collateral"],
        option_market=found["option_market"],
        option_rulebook=_text(tables.get("option_rulebook")) or _OPTION_RULEBOOK,
        option_as_of=_text(tables.get("option_as_of")),
        account_positions=found["account_positions"],
        account_collateral=found["account_collateral"],
        account_market=found["account_market"],
        account_rules=found["account_rules"],
        account_as_of=_text(tables.get("account_as_of")),
        history=found["history"],
        limits=found["limits"],
    )
    output_dir.mkdir(parents=True, exist_ok=True)
    made = [workbook.write(output_dir / NAME, given)]
    if shutil.which("soffice") and shutil.which("unopkg"):
        made += write_pdf(made[0])
    return made


def write_pdf(path: Path) -> list[Path]:
    """Draw a workbook with LibreOffice and our add-in, in a profile of its own.

    Parameters
    ----------
    path
        The workbook; the PDF gets its name.

    Returns
    -------
    list of Path
        The PDF; empty if LibreOffice refused.
    """
    target = path.with_suffix(".pdf")
    target.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        addin = libreoffice.build(folder / "crossmargin.oxt")
        profile = [
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            f"-env:UNO_SHARED_PACKAGES_CACHE={(folder / 'shared').as_uri()}",
        ]
        out = ["--convert-to", "pdf", "--outdir", str(path.parent), str(path)]
        commands = (
            ["unopkg", "add", "--shared", "--force", *profile, str(addin)],
            ["soffice", "--headless", "--norestore", *profile, *out],
        )
        for command in commands:
            try:
                subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)  # noqa: S603
            except (OSError, subprocess.SubprocessError):
                return []
    return [target] if target.is_file() else []


def _text(given: object) -> str | None:
    """Return a word that stands alone or as the only cell of a table."""
    if isinstance(given, Table):
        given = given.rows
    while isinstance(given, list | tuple):
        given = given[-1] if given else None
    return text_of(str(given).strip() or None) if given is not None else None
