"""Makes the record of a sheet function from its signature and its docstring, or refuses."""

from __future__ import annotations

import inspect
import types
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Final, Union, get_args, get_origin, get_type_hints

from crossmargin import _docstrings
from crossmargin._names import argument_name_problem, function_name_problem
from crossmargin._types import ArgumentKind, ResultKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["MAXIMUM_ARGUMENTS", "Argument", "Record", "declare"]

MAXIMUM_ARGUMENTS: Final = 7
PYTHON_ONLY: Final = "python"
"""The kind of an argument that no sheet and no command line has, such as a callback."""


@dataclass(frozen=True)
class Argument:
    """One argument of a sheet function.

    Parameters
    ----------
    name
        Its name, the same in every host and in Python.
    kind
        `book`, `block`, `text`, `number`, `options`, `list` or `cell`.
    optional
        Whether it may be left out.
    default
        What stands for it then.
    doc
        Its description on one line.
    literal
        For a block: whether a text or a number may stand in its place.
    element
        For a list: `number`, `text` or `any`.
    """

    name: str
    kind: str
    optional: bool
    default: object
    doc: str
    literal: bool = False
    element: str = "any"


@dataclass(frozen=True)
class Record:
    """One sheet function.

    Parameters
    ----------
    sheet_name
        Its name in a formula, such as `CM_MM`.
    function
        The public Python function.
    arguments
        Its arguments in the order of the sheet.
    returns
        `number`, `text`, `table`, `key`, or `cell` for any of the first three.
    category
        The group in which help shows it.
    summary
        The first sentence of its docstring, at most 255 characters.
    doc
        The whole docstring.
    example
        A formula that uses it.
    """

    sheet_name: str
    function: Callable[..., object]
    arguments: tuple[Argument, ...]
    returns: str
    category: str
    summary: str
    doc: str
    example: str


def declare(
    sheet_name: str, function: Callable[..., object], *, category: str, example: str
) -> Record:
    """Return the record of a function.

    Raises
    ------
    TypeError
        If name, example, docstring, annotations or arguments break a rule.
    """
    where = f"{sheet_name} ({function.__module__}.{function.__qualname__})"
    problem = function_name_problem(sheet_name)
    if problem:
        raise TypeError(f"{where}: the name {problem}")
    if not example.startswith(f"={sheet_name}("):
        raise TypeError(f"{where}: the example must begin with ={sheet_name}(, was {example!r}")
    docstring = _docstrings.text(function)
    try:
        summary = _docstrings.summary(docstring)
    except ValueError as refusal:
        raise TypeError(f"{where}: {refusal}") from None
    hints = get_type_hints(function, include_extras=True)
    returns = next(
        (m.name for m in _markers(hints.get("return")) if isinstance(m, ResultKind)), None
    )
    if returns is None:
        raise TypeError(f"{where}: the return annotation must be one of crossmargin._types")
    return Record(
        sheet_name=sheet_name,
        function=function,
        arguments=_arguments(where, function, hints, _docstrings.parameters(docstring)),
        returns=returns,
        category=category,
        summary=summary,
        doc=docstring,
        example=example,
    )


def _arguments(
    where: str,
    function: Callable[..., object],
    hints: Mapping[str, object],
    documented: Mapping[str, str],
) -> tuple[Argument, ...]:
    signature = inspect.signature(function).parameters
    if list(documented) != list(signature):
        raise TypeError(
            f"{where}: the documented parameters must be those of the signature, in its order; "
            f"documented: {', '.join(documented) or 'none'}; "
            f"signature: {', '.join(signature) or 'none'}"
        )
    described = [
        _argument(where, parameter, hints.get(name), documented[name])
        for name, parameter in signature.items()
    ]
    made = [argument for argument in described if argument.kind != PYTHON_ONLY]
    if len(made) > MAXIMUM_ARGUMENTS:
        raise TypeError(
            f"{where}: at most {MAXIMUM_ARGUMENTS} arguments are allowed, was {len(made)}"
        )
    if not all(argument.optional for argument in described if argument.kind == PYTHON_ONLY):
        raise TypeError(f"{where}: an argument that no sheet has must be optional")
    for before, after in pairwise(made):
        if before.optional and not after.optional:
            raise TypeError(f"{where}: {after.name} is required and follows an optional argument")
    return tuple(made)


def _argument(where: str, parameter: inspect.Parameter, hint: object, doc: str) -> Argument:
    name = parameter.name
    problem = argument_name_problem(name)
    if problem:
        raise TypeError(f"{where}: the argument name {name!r} {problem}")
    if not doc:
        raise TypeError(f"{where}: the parameter {name} has no description")
    if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
        raise TypeError(f"{where}: {name} must be an ordinary or a keyword-only parameter")
    kind = next((m for m in _markers(hint) if isinstance(m, ArgumentKind)), None)
    if kind is None:
        raise TypeError(f"{where}: the annotation of {name} must be one of crossmargin._types")
    optional = parameter.default is not parameter.empty
    return Argument(
        name=name,
        kind=kind.name,
        optional=optional,
        default=parameter.default if optional else None,
        doc=doc,
        literal=kind.literal,
        element=_element(hint) if kind.name == "list" else "any",
    )


def _parts(hint: object) -> tuple[object, ...]:
    """Return the members of a union, or the annotation itself."""
    return get_args(hint) if get_origin(hint) in {Union, types.UnionType} else (hint,)


def _markers(hint: object) -> tuple[object, ...]:
    """Return what an annotation carries, also within `X | None`."""
    return tuple(
        marker
        for part in _parts(hint)
        if get_origin(part) is Annotated
        for marker in get_args(part)[1:]
    )


def _element(hint: object) -> str:
    """Return `number` for `ListOf[float]`, `text` for `ListOf[str]`, else `any`."""
    names = {float: "number", str: "text"}
    for part in _parts(hint):
        if get_origin(part) is Annotated:
            elements = get_args(get_args(part)[0])
            return names.get(elements[0], "any") if elements else "any"
    return "any"
