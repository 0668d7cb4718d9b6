"""Workbooks as archives of parts: read whatever is given, write the same bytes every time."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["UNREADABLE", "save"]

#: What reading a damaged, encrypted or oddly packed archive may raise.
UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    UnicodeDecodeError,
)
_FIRST_DATE: Final = (1980, 1, 1, 0, 0, 0)


def save(path: Path, parts: Mapping[str, bytes]) -> None:
    """Write the parts of a workbook into a file.

    Parameters
    ----------
    path
        The file; what was there stays until the new one is complete.
    parts
        Names and contents.
    """
    unfinished = path.with_name(f"{path.name}.part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as written:
        for name, data in parts.items():
            # a fixed date and system: the same bytes everywhere
            entry = zipfile.ZipInfo(name, _FIRST_DATE)
            entry.create_system = 3
            written.writestr(entry, data, zipfile.ZIP_DEFLATED)
    unfinished.replace(path)
