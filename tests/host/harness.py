"""Calculates the CM_ formulas of a workbook file through the real xlwings pipeline.

A cell whose formula is one CM_ call is resolved with openpyxl, and the call goes through
xlwings' own ``XLPython().CallUDF``, in the order of dependencies. Two things that only Excel
runs are modelled here in Python: the VBA functions ``CmArg``, ``CmCell`` and ``CmResult`` of
`crossmargin.hosts.excel`, and spilling. Ordinary formulas keep their cached values, but a cell
that chooses one of two others (`=IF(Word="main",Book,OptionBook)`), or repeats another
(`=Reported`, or `=IFERROR(Reported,"")`), stands for that one.

Run it as ``python -m tests.host.harness FILE --json``, since the stand-in for pywin32 stays in
the process.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import re
import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

from openpyxl.utils import get_column_letter

from crossmargin.hosts import excel
from tests.host import pywin32_stub
from tests.host.sheet_model import (
    Area,
    Cell,
    ErrorValue,
    SheetModel,
    UnsupportedFormulaError,
    Value,
)

__all__ = ["calculate", "calculate_in_subprocess", "connect", "vba_of_xlwings"]

ROOT = Path(__file__).parents[2]
_CODE_BY_ERROR = {sign: code for code, sign in excel.ERROR_BY_CODE.items()}
_LARGE_HEIGHT, _LARGE_WIDTH = 50_000, 500  # as in CmArg
_LINK = re.compile(r'=(?:IFERROR\()?([A-Za-z]\w+)(?:,""\))?')
_CHOICE = re.compile(r'=IF\((\w+)="(\w+)",(\w+),(\w+)\)')


def connect(registry: str | None = None) -> tuple[Any, str]:
    """Start xlwings' Windows side; return its COM object and the name of the module of UDFs.

    Parameters
    ----------
    registry
        A module with functions of a test; left out, the module of UDFs of the package.
    """
    xlwings = pywin32_stub.install()
    name = excel.UDF_MODULE
    if registry is not None:
        name = "udfs"
        module = types.ModuleType(name)
        module.__file__ = "udfs.py"
        excel.define(module.__dict__, xlwings, importlib.import_module(registry))
        sys.modules[name] = module
    return importlib.import_module("xlwings.com_server").XLPython(), name


def calculate(
    path: Path, registry: str | None = None, *, ranges: bool = False
) -> dict[tuple[str, str], Value]:
    """Return what every CM_ formula of a workbook shows, the cells of its spill included.

    Parameters
    ----------
    path
        The workbook.
    registry
        A module with functions of a test; left out, those of the product.
    ranges
        Hand over Range objects, as wrappers that xlwings generates itself would do; False:
        the values that ours hand over.
    """
    python, module = connect(registry)
    functions = {one.sheet_name: one for one in _registry(registry).records()}
    model = SheetModel(path)
    calls = {
        cell: _through_choices(model.resolve(text, cell), model)
        for cell, text in model.formulas.items()
        if "CM_" in text.upper()
    }
    shown: dict[tuple[str, str], Value] = {}
    for cell in _in_order(calls, model):
        # once more: A1# means what has been spilled by now
        name, arguments = _through_choices(model.resolve(model.formulas[cell], cell), model)
        if name not in functions:
            answer: object = excel.MARKER + "#NAME?"
        else:
            kinds = [argument.kind for argument in functions[name].arguments]
            left_out = [excel.MISSING] * (len(kinds) - len(arguments))
            handed_over = [
                _hand_over(argument, kind, model, ranges=ranges)
                for argument, kind in zip(arguments, kinds, strict=False)
            ]
            caller = pywin32_stub.FakeRange(sheet=cell[0], row=cell[1], column=cell[2])
            answer = python.CallUDF(module, name, (*handed_over, *left_out), None, caller)
        _spill(cell, _vba_result(answer), model)
        area = model.arrays.get(cell, _single(cell))
        for i, row in enumerate(model.read(area)):
            for j, value in enumerate(row):
                shown[area.sheet, f"{get_column_letter(area.left + j)}{area.top + i}"] = value
    return shown


def calculate_in_subprocess(
    path: Path, registry: str | None = None, *options: str
) -> dict[str, Any]:
    """Return what `calculate` finds, by ``Sheet!A1``, from a process of its own.

    Errors are ``{"error": sign}``, so that a text ``#N/A`` is not taken for one.
    """
    chosen = ["--registry", registry] if registry else []
    command = [sys.executable, "-m", "tests.host.harness", str(path), "--json", *chosen, *options]
    paths = [str(ROOT), str(ROOT / "python"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def vba_of_xlwings(registry: str | None, book: str) -> str:
    """Return the module that xlwings' own "Import Functions" would write into a book."""
    _, module = connect(registry)
    text = io.StringIO()
    udfs = importlib.import_module("xlwings.udfs")
    book_object = types.SimpleNamespace(Name=book)
    udfs.generate_vba_wrapper(module, importlib.import_module(module), text, book_object)
    return text.getvalue()


def _through_choices(call: tuple[str, list[Any]], model: SheetModel) -> tuple[str, list[Any]]:
    """Replace a cell whose formula chooses one of two cells by the one it chooses."""
    name, arguments = call
    return name, [_chosen(argument, model) for argument in arguments]


def _chosen(argument: Any, model: SheetModel) -> Any:
    if not isinstance(argument, Area):
        return argument
    at = argument.sheet, argument.top, argument.left
    formula = model.formulas.get(at, "")
    choice, link = _CHOICE.fullmatch(formula), _LINK.fullmatch(formula)
    if argument != _single(at) or (choice is None and link is None):
        return argument
    if choice is None:
        repeated = model.resolve(f"=CM_CHOICE({link[1]})", at)[1][0] if link else None
        is_error = isinstance(repeated, Area) and isinstance(model.read(repeated)[0][0], ErrorValue)
        return argument if is_error else _chosen(repeated, model)
    cell, word, one, other = choice.groups()
    _, (asked, first, second) = model.resolve(f"=CM_CHOICE({cell},{one},{other})", at)
    if not isinstance(asked, Area):
        raise UnsupportedFormulaError(f"{cell} is no cell of the workbook")
    return _chosen(first if model.read(asked)[0][0] == word else second, model)


def _registry(name: str | None) -> Any:
    return importlib.import_module(name or "crossmargin.registry")


def _single(cell: Cell) -> Area:
    return Area(cell[0], cell[1], cell[2], cell[1], cell[2])


def _in_order(calls: dict[Cell, tuple[str, list[Any]]], model: SheetModel) -> list[Cell]:
    """Return the cells so that each comes after those whose results it reads."""
    made = {cell: model.arrays.get(cell, _single(cell)) for cell in calls}
    order: list[Cell] = []
    open_cells: list[Cell] = []

    def visit(cell: Cell) -> None:
        if cell in order:
            return
        if cell in open_cells:
            raise UnsupportedFormulaError(f"a circle of references through {cell}")
        open_cells.append(cell)
        inputs = [argument for argument in calls[cell][1] if isinstance(argument, Area)]
        for other, area in made.items():
            if any(area.overlaps(argument) for argument in inputs):
                visit(other)
        open_cells.remove(cell)
        order.append(cell)

    for cell in calls:
        visit(cell)
    return order


def _hand_over(argument: Any, kind: str, model: SheetModel, *, ranges: bool) -> object:
    """Model of CmArg and CmCell, and of COM's way with what they return."""
    if argument is None:
        return excel.MISSING
    if isinstance(argument, tuple):
        rows = tuple(tuple(map(_to_com, row)) for row in argument)
        return rows if len(rows) > 1 else rows[0]
    if not isinstance(argument, Area):
        return _to_com(argument)
    area = argument if ranges else _cut(argument, model.used(argument.sheet))
    fake = _fake(area, model) if area is not None else None
    if area is None or fake is None or ranges:
        return fake
    if kind == "cell" and fake.HasFormula:
        return (
            f"{excel.MARKER}formula",
            fake.Formula,
            fake.Value2,
            _formula_arguments(fake.Formula, (area.sheet, area.top, area.left), model),
        )
    return fake.Value2


def _formula_arguments(formula: str, at: Cell, model: SheetModel) -> object:
    """Model of CmArguments: what the arguments of a call stand for, nothing if it is none."""
    if not formula.upper().startswith("=CM_") or "@" in formula or "#This Row" in formula:
        return None
    arguments = model.resolve(formula, at)[1]
    found = (_hand_over(argument, "text", model, ranges=False) for argument in arguments)
    return tuple(None if value == excel.MISSING else value for value in found) or None


def _cut(area: Area, used: Area) -> Area | None:
    """Return a large area up to the last used cell, None if there is none inside."""
    height, width = area.bottom - area.top + 1, area.right - area.left + 1
    if height <= _LARGE_HEIGHT and width <= _LARGE_WIDTH:
        return area
    cut = replace(area, bottom=min(area.bottom, used.bottom), right=min(area.right, used.right))
    return None if cut.bottom < cut.top or cut.right < cut.left else cut


def _fake(area: Area, model: SheetModel) -> pywin32_stub.FakeRange:
    values = tuple(tuple(map(_to_com, row)) for row in model.read(area))
    cell = area.sheet, area.top, area.left
    alone = area == _single(cell)
    return pywin32_stub.FakeRange(
        values[0][0] if alone else values,
        sheet=area.sheet,
        row=area.top,
        column=area.left,
        formula=model.formulas.get(cell, "") if alone else "",
    )


def _to_com(value: Value) -> object:
    return _CODE_BY_ERROR[value] if isinstance(value, ErrorValue) else value


def _vba_result(answer: Any) -> list[list[Value]]:
    """Model of CmResult: rows of what Excel would show; a flat list is one row."""
    if not isinstance(answer, (list, tuple)):
        return [[_vba_value(answer)]]
    rows = answer if isinstance(answer[0], (list, tuple)) else [answer]
    return [[_vba_value(value) for value in row] for row in rows]


def _vba_value(value: Any) -> Value:
    if isinstance(value, str) and value.startswith(excel.MARKER):
        sign = value[1:]
        return ErrorValue(sign if sign in _CODE_BY_ERROR else "#VALUE!")
    if not isinstance(value, (float, str, bool)) or value != value:  # noqa: PLR0124 - NaN
        raise TypeError(f"{value!r} must not reach a cell")
    return value


def _spill(cell: Cell, rows: list[list[Value]], model: SheetModel) -> None:
    """Write a result: all of it from a dynamic array formula, else its first cell."""
    sheet, top, left = cell
    reserved = model.arrays.get(cell)
    if reserved is None:
        model.values[cell] = rows[0][0]
        return
    for other in [other for other in model.values if reserved.contains(other)]:
        del model.values[other]
    area = Area(sheet, top, left, top + len(rows) - 1, left + len(rows[0]) - 1)
    taken = [
        other
        for other in {*model.values, *model.formulas}
        if other != cell and area.contains(other)
    ]
    if taken:
        model.values[cell] = ErrorValue("#SPILL!")
        return
    model.arrays[cell] = area
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            model.values[sheet, top + i, left + j] = value


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", help="a workbook; with --vba only its name matters")
    parser.add_argument("--json", action="store_true", help="print JSON in place of lines")
    parser.add_argument("--registry", help="a module with the functions of a test")
    parser.add_argument("--ranges", action="store_true", help="hand over Range objects")
    parser.add_argument(
        "--vba", action="store_true", help="print the two VBA modules: xlwings' own and ours"
    )
    options = parser.parse_args()
    if options.vba:
        answer: dict[str, Any] = {
            "theirs": vba_of_xlwings(options.registry, options.file),
            "ours": excel.vba_module(
                _registry(options.registry),
                module=connect(options.registry)[1],
                addin=options.file.endswith(".xlam"),
            ),
            "pro": sys.modules["xlwings"].__pro__,
            "version": sys.modules["xlwings"].__version__,
        }
    else:
        shown = calculate(Path(options.file), options.registry, ranges=options.ranges)
        answer = {
            f"{sheet}!{cell}": {"error": value} if isinstance(value, ErrorValue) else value
            for (sheet, cell), value in shown.items()
        }
    if options.json:
        json.dump(answer, sys.stdout)
    else:
        sys.stdout.writelines(f"{key}\t{value}\n" for key, value in answer.items())


if __name__ == "__main__":
    main()
