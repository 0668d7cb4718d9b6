"""The same call in a sheet, in Python and on the command line."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Final

import click

from crossmargin import _cli_commands
from crossmargin._coerce import argument as coerced
from docs.manual.worked import Name

if TYPE_CHECKING:
    from crossmargin.registry import Argument, Record
    from docs.manual.worked import Call

__all__ = ["in_a_sheet", "in_python", "on_the_command_line", "python_call"]

_OF_EVERY_COMMAND: Final = frozenset({"csv", "rows", "as_json", "account", "brackets"})


def in_a_sheet(record: Record) -> str:
    """Return the signature as a person types it; what may be left out stands in brackets."""
    words = [f"[{a.name}]" if a.optional else a.name for a in record.arguments]
    return f"={record.sheet_name}({', '.join(words)})"


def in_python(record: Record) -> str:
    """Return the signature of the Python function, without types."""
    words: list[str] = []
    star = False
    for parameter in inspect.signature(record.function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            words.append("*")
            star = True
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        words.append(f"{parameter.name}{default}")
    return f"crossmargin.{record.function.__name__}({', '.join(words)})".replace("'", '"')


def on_the_command_line(record: Record) -> str | None:
    """Return the command with its own options; None where it needs a key that only a sheet has."""
    command = next(
        made for made in _cli_commands.commands() if made.name == _cli_commands.command_name(record)
    )
    if any(_is_key(argument) for argument in record.arguments[1:]):
        return None
    names = {parameter.name for parameter in command.params}
    if record.arguments and _is_key(record.arguments[0]) and "positions" not in names:
        return None
    words = [f"crossmargin {command.name}"]
    for parameter in command.params:
        if parameter.name in _OF_EVERY_COMMAND:
            continue
        if parameter.name == "history" and not parameter.required:
            continue
        words.append(_option(parameter))
    return " ".join(words)


def python_call(record: Record, called: Call) -> str:
    """Return the Python call of a formula; tables and books are variables of their name.

    Parameters
    ----------
    record
        The function.
    called
        The formula that was read.
    """
    parameters = inspect.signature(record.function).parameters
    words: list[str] = []
    left_out = False
    for argument, part in zip(record.arguments, called.parts, strict=False):
        if part is None:
            left_out = True
            continue
        value = _variable(part) if isinstance(part, Name) else _literal(argument, part)
        by_name = parameters[argument.name].kind is inspect.Parameter.KEYWORD_ONLY
        words.append(f"{argument.name}={value}" if by_name or left_out else value)
    return f"crossmargin.{record.function.__name__}({', '.join(words)})"


def _variable(part: Name) -> str:
    word = part.table or part.word
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).lower()


def _literal(argument: Argument, part: str | float) -> str:
    value = coerced(argument, part) if argument.kind in {"options", "list"} else part
    if isinstance(value, float):
        return f"{value:g}"
    return repr(value).replace("'", '"')


def _is_key(argument: Argument) -> bool:
    return argument.kind == "book" or argument.name == "books"


def _option(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Argument):
        word = parameter.name or ""
        return word.upper() if parameter.required else f"[{word.upper()}]"
    metavar = getattr(parameter, "metavar", None) or parameter.type.name.upper()
    words = f"{parameter.opts[0]} {'NUMBER' if metavar == 'FLOAT' else metavar}"
    return words if parameter.required else f"[{words}]"
