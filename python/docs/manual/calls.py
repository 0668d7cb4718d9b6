"""The same call in a sheet, in Python and on the command line."""

from __future__ import annotations

import inspect
import re
from itertools import chain
from typing import TYPE_CHECKING, Final

import click

from crossmargin import _cli_commands
from crossmargin._coerce import argument as coerced
from docs.manual.worked import BOOKS, Call, Name, named, read

if TYPE_CHECKING:
    from crossmargin.registry import Argument, Record

__all__ = [
    "command_call",
    "file_of",
    "in_a_sheet",
    "in_python",
    "on_the_command_line",
    "python_call",
]

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


def on_the_command_line(record: Record) -> str:
    """Return the command with its own options."""
    command = _command(record)
    words = [
        _option(parameter)
        for parameter in command.params
        if parameter.name not in _OF_EVERY_COMMAND
        and (parameter.name != "history" or parameter.required)
    ]
    return " ".join([f"crossmargin {command.name}", *words])


def command_call(record: Record, called: Call) -> list[str]:
    """Return the words of the command that answers a formula; tables are files of their name.

    Parameters
    ----------
    record
        The function.
    called
        The formula that was read.
    """
    command = _command(record)
    known = {parameter.name: parameter for parameter in command.params}
    words: list[str] = []
    if record.sheet_name == "CM_BOOK":
        words += _book_words(called)
        called = Call(called.function, ())
    for argument, part in zip(record.arguments, called.parts, strict=False):
        if part is None:
            continue
        if isinstance(part, Name) and part.table is None:
            another = argument.name.replace("_", "-") if argument.name in known else ""
            words += _book_words(read(BOOKS[named(part.word, record.sheet_name)]), another)
        elif isinstance(part, Name) and part.table is not None:
            option = argument.name if argument.name in known else part.table.lower()
            words += [f"--{option}", file_of(part.table)]
        elif argument.kind == "options":
            pairs = [["--option", pair.strip()] for pair in str(part).split(";")]
            words += chain.from_iterable(pairs)
        else:
            text = f"{part:g}" if isinstance(part, float) else str(part)
            parameter = known[argument.name]
            is_word = isinstance(parameter, click.Argument)
            words += [text] if is_word else [f"{parameter.opts[0]}={text}"]
    return ["crossmargin", command.name or "", *words]


def file_of(table: str) -> str:
    """Return the name of the file that holds a worked table."""
    return f"{re.sub(r'(?<=[a-z])(?=[A-Z])', '-', table).lower()}.csv"


def _command(record: Record) -> click.Command:
    name = _cli_commands.command_name(record)
    return next(made for made in _cli_commands.commands() if made.name == name)


def _book_words(called: Call, another: str = "") -> list[str]:
    """Return the options of a command that stand for the arguments of CM_BOOK.

    Parameters
    ----------
    called
        The formula that makes the book.
    another
        What the options of a second book begin with; it has the rulebook of the first.
    """
    names = ("positions", "rulebook", "collateral", "market", "orders", "as-of")
    words: list[str] = []
    for bare, part in zip(names, called.parts, strict=False):
        if another and bare == "rulebook":
            continue
        name = bare if not another else another if bare == "positions" else f"{another}-{bare}"
        if isinstance(part, Name) and part.table is not None:
            words += [f"--{name}", file_of(part.table)]
        elif isinstance(part, str):
            words += [f"--{name}", part]
    if Name("HistoryKey") in called.parts:
        words += ["--history", file_of("History")]
    return words


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


def _option(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Argument):
        word = parameter.name or ""
        return word.upper() if parameter.required else f"[{word.upper()}]"
    metavar = getattr(parameter, "metavar", None) or parameter.type.name.upper()
    words = f"{parameter.opts[0]} {'NUMBER' if metavar == 'FLOAT' else metavar}"
    return words if parameter.required else f"[{words}]"
