"""Holds adapters to renaming, reshaping and scaling units, by a walk over their syntax trees.

The rule, for every file under ``adapters/``:

* Multiplication by, and division by, a name that ends in ``_UNIT`` is allowed. Such names are
  literal numbers in ``units.py``, imported from there under their own name. ``|`` merges mappings.
  No other binary operation, no augmented assignment, no sign or inversion before anything but a
  literal number.
* `per` and `quantity` of ``view.py`` make the price or the size of a position from inputs,
  `haircut_of` and `factor_of` say a weight as its haircut and an addition as its factor. They
  have no part in an answer. `is_whole` and `exceeds` tell that a case needs more than the model
  has words for.
* Comparisons are by equality, identity and membership; numbers are not ordered. (`sorted` is
  allowed: results carry ranks of their own.)
* No built-in function that calculates, reads files or runs text, no attribute with double
  underscores.
* Imports come from typing modules, from the adapters themselves, and from the view they get.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ADAPTERS_FOLDER: Final = Path(__file__).with_name("adapters")
UNITS_FILE: Final = "units.py"
UNIT_SUFFIX: Final = "_UNIT"
PACKAGE: Final = "tests.vectors.adapters"
ALLOWED_MODULES: Final = frozenset(
    {"__future__", "collections.abc", "typing", "tests.vectors.facade", "tests.vectors.view"}
)
FORBIDDEN_NAMES: Final = frozenset(
    {
        *("abs", "complex", "divmod", "int", "max", "min", "pow", "round", "sum"),
        *("compile", "eval", "exec", "getattr", "globals", "locals", "open", "setattr", "vars"),
        *("__builtins__", "__import__"),
    }
)
ALLOWED_COMPARISONS: Final = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)


@dataclass(frozen=True)
class Violation:
    """A place where an adapter does more than translate."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        """Return file, line and what was found."""
        return f"{self.file}:{self.line}: {self.what}"


def check_folder(folder: Path = ADAPTERS_FOLDER, *, at_least: int) -> list[Violation]:
    """Return the violations of all Python files under `folder`.

    Raises
    ------
    ValueError
        If there are fewer than `at_least` files: a guard must have looked at something.
    """
    files = sorted(folder.rglob("*.py"))
    if len(files) < at_least:
        message = (
            f"`folder` must hold {at_least} adapter files or more, held {len(files)}: {folder}"
        )
        raise ValueError(message)
    return [
        violation
        for file in files
        for violation in check_source(file.read_text(encoding="utf-8"), file.name)
    ]


def check_source(source: str, file: str) -> list[Violation]:
    """Return the violations in one file with the text `source`."""
    found: list[Violation] = []
    for node in ast.walk(ast.parse(source, filename=file)):
        what = _fault(node, file)
        if what is not None:
            found.append(Violation(file, getattr(node, "lineno", 0), what))
    return found


def _fault(node: ast.AST, file: str) -> str | None:
    """Return what is wrong with one node, ``None`` if nothing is."""
    text = f"`{ast.unparse(node)}`: " if isinstance(node, ast.expr | ast.stmt) else ""
    what: str | None = None
    match node:
        case ast.BinOp():
            what = None if _is_scaling(node) else "arithmetic other than scaling by a unit"
        case ast.AugAssign():
            what = "augmented assignment"
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Invert()) if not _is_number(node):
            what = "a sign before something that is not a literal number"
        case ast.Compare(ops=operators):
            ordered = not all(isinstance(operator, ALLOWED_COMPARISONS) for operator in operators)
            what = "numbers are not ordered here" if ordered else None
        case ast.Attribute(attr=name) if name.startswith("__"):
            what = "attribute with double underscores"
        case ast.Import() | ast.ImportFrom():
            what = _import_fault(node)
        case ast.Name():
            what = _name_fault(node, file)
        case ast.arg(arg=name) if name.endswith(UNIT_SUFFIX):
            what = f"`{name}` is a unit: a literal number in {UNITS_FILE}"
        case ast.Assign() | ast.AnnAssign() if file == UNITS_FILE:
            literal = node.value is not None and _is_number(node.value)
            what = None if literal else "a unit is a literal number"
    return None if what is None else f"{text}{what}"


def _is_number(node: ast.AST) -> bool:
    """Return whether `node` is a literal number, with or without a sign."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        node = node.operand
    return isinstance(node, ast.Constant) and type(node.value) in {int, float}


def _is_unit(node: ast.expr) -> bool:
    """Return whether `node` is the name of a unit."""
    return isinstance(node, ast.Name) and node.id.endswith(UNIT_SUFFIX)


def _is_scaling(node: ast.BinOp) -> bool:
    """Return whether a binary operation scales by a unit, or merges mappings."""
    return (
        isinstance(node.op, ast.BitOr)
        or (isinstance(node.op, ast.Mult) and (_is_unit(node.left) or _is_unit(node.right)))
        or (isinstance(node.op, ast.Div) and _is_unit(node.right))
    )


def _import_fault(node: ast.Import | ast.ImportFrom) -> str | None:
    """Return what is wrong with an import, ``None`` if nothing is."""
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    else:
        modules = [f"{'.' * node.level}{node.module or ''}"]
    if not all(map(_may_be_imported, modules)):
        return "only typing modules, adapters and the view may be imported"
    for alias in node.names:
        bound = alias.asname or alias.name
        from_units = modules == [f"{PACKAGE}.units"] and alias.asname is None
        if bound.endswith(UNIT_SUFFIX) and not from_units:
            return f"a unit is imported from {UNITS_FILE} under its own name"
    return None


def _may_be_imported(module: str) -> bool:
    """Return whether adapters may import from `module`."""
    return module in ALLOWED_MODULES or f"{module}.".startswith(f"{PACKAGE}.")


def _name_fault(node: ast.Name, file: str) -> str | None:
    """Return what is wrong with the use of a name, ``None`` if nothing is."""
    if node.id in FORBIDDEN_NAMES:
        return "a built-in function that calculates, reads or runs"
    bound = not isinstance(node.ctx, ast.Load)
    if bound and node.id.endswith(UNIT_SUFFIX) and file != UNITS_FILE:
        return f"a unit is a literal number in {UNITS_FILE}"
    return None
