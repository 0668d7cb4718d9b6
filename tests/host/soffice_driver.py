"""Runs under the system's Python with `uno`: starts a headless LibreOffice and obeys JSON lines.

Each line in is `{"do": name, ...}`, each line out `{"ok": value}` or `{"failed": text}`.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import uno
from com.sun.star.beans import PropertyValue

_FILTERS = {".pdf": "calc_pdf_Export", ".xlsx": "Calc MS Excel 2007 XML", ".ods": "calc8"}
_START_SECONDS = 60.0


def _properties(**values: object) -> tuple[Any, ...]:
    made = []
    for name, value in values.items():
        entry = PropertyValue()
        entry.Name, entry.Value = name, value
        made.append(entry)
    return tuple(made)


class Driver:
    """One LibreOffice with at most one open document."""

    def __init__(self, options: list[str]) -> None:
        pipe = f"pipe,name=crossmargin{os.getpid()}"
        self.process = subprocess.Popen(
            ["soffice", "--headless", "--norestore", "--nologo", f"--accept={pipe};urp;", *options],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            stderr=sys.stderr,
        )
        local = uno.getComponentContext()
        resolver = local.ServiceManager.createInstanceWithContext(
            "com.sun.star.bridge.UnoUrlResolver", local
        )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                context = resolver.resolve(f"uno:{pipe};urp;StarOffice.ComponentContext")
                break
            except Exception:  # NoConnectException until it listens
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.desktop = context.ServiceManager.createInstanceWithContext(
            "com.sun.star.frame.Desktop", context
        )
        self.document: Any = None

    def open(self, path: str | None = None, *, macros: bool = False) -> None:
        """Open a file, or a new spreadsheet; the macros in it run only if asked for."""
        self.close()
        address = Path(path).resolve().as_uri() if path else "private:factory/scalc"
        self.document = self.desktop.loadComponentFromURL(
            address, "_blank", 0, _properties(Hidden=True, MacroExecutionMode=4 if macros else 0)
        )
        if self.document is None:
            raise ValueError(f"LibreOffice cannot open {path}")

    def close(self) -> None:
        """Close the document."""
        if self.document is not None:
            self.document.close(True)
            self.document = None

    def recalculate(self) -> None:
        """Calculate every formula again."""
        self.document.calculateAll()

    def write(self, sheet: str, address: str, value: object) -> None:
        """Put a number, a text, a formula (`=...`, semicolons) or nothing into a cell."""
        cell = self._range(sheet, address).getCellByPosition(0, 0)
        if value is None:
            cell.clearContents(1 | 2 | 4 | 16)
        elif isinstance(value, str) and value.startswith("="):
            cell.setFormula(value)
        elif isinstance(value, str):
            cell.setString(value)
        else:
            cell.setValue(value)

    def write_text(self, sheet: str, address: str, value: str) -> None:
        """Put a text into a cell, whatever it begins with."""
        self._range(sheet, address).getCellByPosition(0, 0).setString(value)

    def write_array(self, sheet: str, address: str, formula: str) -> None:
        """Put an array formula into a range."""
        self._range(sheet, address).setArrayFormula(formula)

    def name(self, name: str, sheet: str, address: str) -> None:
        """Give a range a name."""
        found = self._range(sheet, address)
        place = found.getCellByPosition(0, 0).getCellAddress()
        self.document.NamedRanges.addNewByName(name, found.AbsoluteName, place, 0)

    def read(self, sheet: str, address: str) -> list[list[dict[str, object]]]:
        """Return value, text, error code and formula of each cell of a range."""
        found = self._range(sheet, address)
        return [
            [self._content(found.getCellByPosition(column, row)) for column in range(width)]
            for width, height in [(found.Columns.Count, found.Rows.Count)]
            for row in range(height)
        ]

    def store(self, path: str) -> None:
        """Write the document; the ending of the name decides the format."""
        target = Path(path).resolve()
        self.document.storeToURL(target.as_uri(), _properties(FilterName=_FILTERS[target.suffix]))

    def functions(self) -> dict[str, list[str]]:
        """Return the add-in functions that help knows: name to names of the arguments."""
        listed = self.desktop.getCurrentComponent() or self.document
        catalogue = listed.createInstance("com.sun.star.sheet.FunctionDescriptions")
        found = {}
        for number in range(catalogue.Count):
            values = {entry.Name: entry.Value for entry in catalogue.getByIndex(number)}
            if values["Name"].startswith("CM_"):
                found[values["Name"]] = [argument.Name for argument in values["Arguments"] or ()]
        return found

    def quit(self) -> None:
        """End LibreOffice."""
        self.close()
        with contextlib.suppress(Exception):  # the bridge closes while it answers
            self.desktop.terminate()
        self.process.wait(timeout=30)

    def _range(self, sheet: str, address: str) -> Any:
        return self.document.Sheets.getByName(sheet).getCellRangeByName(address)

    @staticmethod
    def _content(cell: Any) -> dict[str, object]:
        is_text = cell.FormulaResultType2 == 2 if cell.Formula.startswith(("=", "{=")) else False
        return {
            "value": cell.String if is_text or cell.Type.value == "TEXT" else cell.Value,
            "text": cell.String,
            "error": cell.getError(),
            "formula": cell.Formula,
            "empty": cell.Type.value == "EMPTY",
        }


def main() -> None:
    driver = Driver(sys.argv[1:])
    try:
        for line in sys.stdin:
            order = json.loads(line)
            try:
                answer = {"ok": getattr(driver, order.pop("do"))(**order)}
            except Exception as problem:  # noqa: BLE001  # goes back to the test
                answer = {"failed": f"{type(problem).__name__}: {problem}"}
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    finally:
        if driver.process.poll() is None:
            driver.quit()


if __name__ == "__main__":
    main()
