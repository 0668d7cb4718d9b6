"""The VBA module of macros: status, restart, formulas entered again, and help in the wizard.

Excel keeps the group of a function and the help of its arguments only as `MacroOptions` gives them,
which a cell may not call; it is therefore a macro, and its texts come from the registry.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from crossmargin.hosts.excel import CATEGORY, one_line

if TYPE_CHECKING:
    from crossmargin.hosts.excel import Registry

__all__ = ["MODULE", "vba_macros"]

MODULE: Final = "crossmargin_macros"
_PER_PROCEDURE: Final = 10  # a compiled procedure of VBA holds 64 kB


def vba_macros(registry: Registry) -> str:
    """Return the source of the VBA module with the macros.

    Parameters
    ----------
    registry
        The functions whose help is given.
    """
    fixed = Path(__file__).with_name("excel_macros.bas").read_text(encoding="utf-8")
    calls = [_described(record) for record in registry.records()]
    groups = [calls[at : at + _PER_PROCEDURE] for at in range(0, len(calls), _PER_PROCEDURE)]
    names = [f"CmDescribe{number}" for number in range(1, len(groups) + 1)]
    all_of_them = _procedure("CmDescribeAll", [f"    {name}\n" for name in names])
    parts = map(_procedure, names, groups)
    return "\n".join([fixed, all_of_them, *parts])


def _procedure(name: str, lines: list[str]) -> str:
    return f"Private Sub {name}()\n{''.join(lines)}End Sub\n"


def _described(record: Any) -> str:
    start = (
        f'    CmDescribe "{record.sheet_name}", "{CATEGORY}", _\n        {_quoted(record.summary)}'
    )
    helps = [_quoted(argument.doc) for argument in record.arguments]
    if not helps:
        return f"{start}\n"
    listed = ", _\n        ".join(helps)
    return f"{start}, _\n        Array({listed})\n"


def _quoted(text: str) -> str:
    return '"' + one_line(text).replace('"', '""') + '"'
