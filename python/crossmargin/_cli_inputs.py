"""From files and options of the command line to a book."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.text import Text

from crossmargin import functions, registry
from crossmargin.errors import CrossmarginError, UnknownWordError
from crossmargin.frames import read_file
from crossmargin.table import Table, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from crossmargin._core import Book, History

__all__ = [
    "BOOK_OPTIONS",
    "FILES",
    "Inputs",
    "another_book",
    "another_book_parameters",
    "book_parameters",
    "file_parameters",
    "history_parameter",
    "of_account",
    "pairs",
    "progress",
]

FILES: Final = ("positions", "collateral", "market", "orders", "brackets")
HISTORY_OPTIONS: Final = ("history.coin", "history.step", "history.partial", "history.clash")
BOOK_OPTIONS: Final = ("partial", "correlations", *HISTORY_OPTIONS)
_BRACKETS: Final = "Maintenance brackets, where the rulebook leaves them to the data."
_HISTORY: Final = (
    "Prices by date, CSV or Parquet; repeatable, joined by date. Two levels of one series and date "
    "that differ are refused; with --option history.clash=first the file named first counts. "
    "--option history.coin=BTC names the coin of files that do not, history.step=1 keeps the last "
    "bar of each day."
)
_ACCOUNT: Final = "Only the rows of this account."
_OF_ANOTHER: Final = ("collateral", "market", "orders")


@dataclass
class Inputs:
    """What the user named.

    Parameters
    ----------
    files
        Sheet -> file, for the sheets that were given.
    rulebook
        Name or file.
    account
        The account whose rows are wanted.
    as_of
        Moment of the data.
    options
        Options of the book itself.
    histories
        Files of the history, joined by date.
    """

    files: dict[str, Path]
    rulebook: str | None = None
    account: str | None = None
    as_of: str | None = None
    options: dict[str, object] = field(default_factory=dict)
    histories: list[Path] = field(default_factory=list)

    @classmethod
    def of(cls, given: Mapping[str, object]) -> Inputs:
        """Take the inputs out of the values of a command."""
        files = {name: Path(str(given[name])) for name in FILES if given.get(name) is not None}

        def word(name: str) -> str | None:
            return None if given.get(name) is None else str(given[name])

        paths = given.get("history") or ()
        histories = [Path(str(path)) for path in paths] if isinstance(paths, tuple) else []
        found = cls(files, word("rulebook"), word("account"), word("as_of"))
        found.histories = histories
        return found

    def frames(self, say: Callable[[str], None]) -> dict[str, object]:
        """Read the files."""
        frames: dict[str, object] = {}
        for name, path in self.files.items():
            say(f"Reading {path.name} ({_size(path)})")
            frames[name] = read_file(path)
        return frames

    def history(self, say: Callable[[str], None]) -> History | None:
        """Read the files of the history; None where there are none."""
        given = {key: self.options.pop(key) for key in HISTORY_OPTIONS if key in self.options}
        if not self.histories:
            if given:
                raise UnknownWordError(
                    f"{next(iter(given))} is about --history, which is not given"
                )
            return None
        say(f"Reading {', '.join(path.name for path in self.histories)}")
        return functions.history(
            [str(path) for path in self.histories],
            options={key.removeprefix("history."): str(value) for key, value in given.items()},
        )

    def book(self, say: Callable[[str], None]) -> Book:
        """Read the files and build the book."""
        history = self.history(say)
        if history is not None:
            self.options["history"] = history
        frames = self.frames(say)
        rows = getattr(frames["positions"], "height", 0)
        say(f"Checking {rows:,} positions")
        return functions.book(
            frames["positions"],
            self._rulebook(frames.get("brackets")),
            collateral=frames.get("collateral"),
            market=frames.get("market"),
            orders=frames.get("orders"),
            as_of=self.as_of,
            options=_book_options(self.options),
        )

    def _rulebook(self, brackets: object) -> object:
        given = self.rulebook or ""
        is_list = Path(given).suffix.lower() in {".csv", ".tsv", ".txt"}
        if is_list and brackets is not None:
            raise UnknownWordError(
                "--brackets completes one rulebook and cannot go with a list account -> rulebook"
            )
        if is_list:
            return _rows(read_file(Path(given)))
        if brackets is None:
            return given
        header, *rows = _rows(brackets)
        if "rulebook" in (str(name).strip().lower() for name in header):
            raise UnknownWordError(
                "the bracket file names a rulebook itself; leave that column out"
            )
        return [[*header, "rulebook"], *([*row, given] for row in rows)]


def file_parameters(*, positions_required: bool = True) -> list[click.Parameter]:
    """Return the options that name the tables, with the words of `CM_BOOK`."""
    return [
        click.Option(
            [f"--{name}"],
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            required=positions_required and name == "positions",
            metavar="FILE",
            help=_words(name) if name != "brackets" else _BRACKETS,
        )
        for name in FILES
    ]


def book_parameters(*, required: bool = True) -> list[click.Parameter]:
    """Return the options of every command that takes a book."""
    return [
        *file_parameters(positions_required=required),
        click.Option(
            ["--rulebook"],
            required=required,
            metavar="NAME|FILE",
            help=_words("rulebook"),
        ),
        history_parameter(),
        click.Option(["--account"], metavar="NAME", help=_ACCOUNT),
        click.Option(["--as-of"], metavar="TEXT", help=_words("as_of")),
    ]


def another_book_parameters(name: str, what: str, *, required: bool) -> list[click.Parameter]:
    """Return the options of a second book, which differs from the first in what they name.

    Parameters
    ----------
    name
        The option of its positions, without dashes; those of its other tables begin with it.
    what
        What its positions are.
    required
        Whether there must be one.
    """
    path = click.Path(exists=True, dir_okay=False, path_type=Path)
    return [
        click.Option([f"--{name}"], type=path, required=required, metavar="FILE", help=what),
        *(
            click.Option(
                [f"--{name}-{table}"],
                type=path,
                metavar="FILE",
                help=f"The table {table} of that book; left out: that of the first.",
            )
            for table in _OF_ANOTHER
        ),
        click.Option([f"--{name}-as-of"], metavar="TEXT", help="Its moment, if not in its data."),
    ]


def another_book(
    given: Mapping[str, object], name: str, options: Mapping[str, object], called: str
) -> Book | None:
    """Return a second book: its own tables, and those of the first where none was given.

    Parameters
    ----------
    given
        The values of a command.
    name
        That of :func:`another_book_parameters`.
    options
        Options of the book.
    called
        How a refusal calls the book.

    Raises
    ------
    click.UsageError
        If there is a table of it and no positions.
    CrossmarginError
        If it is refused; the sentence says which book.
    """
    held = name.replace("-", "_")
    if given[held] is None:
        for table in (*_OF_ANOTHER, "as_of"):
            if given[f"{held}_{table}"] is not None:
                word = table.replace("_", "-")
                raise click.UsageError(f"--{name}-{word} is about --{name}, which is not given")
        return None
    own = {table: given[f"{held}_{table}"] for table in _OF_ANOTHER}
    inputs = Inputs.of({
        **given,
        **{table: path for table, path in own.items() if path is not None},
        "positions": given[held],
        "as_of": given[f"{held}_as_of"],
    })  # fmt: skip
    inputs.options.update(options)
    try:
        return inputs.book(lambda _text: None)
    except CrossmarginError as refusal:
        raise type(refusal)(f"{called}: {refusal}") from refusal


def history_parameter(*, required: bool = False) -> click.Parameter:
    """Return the option that names the files of a history."""
    return click.Option(
        ["--history"],
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        multiple=True,
        required=required,
        metavar="FILE",
        help=_HISTORY,
    )


def pairs(texts: Sequence[str]) -> dict[str, str]:
    """Return `key=value` texts as a mapping.

    Raises
    ------
    UnknownWordError
        If one has no equals sign, or a key comes twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        key = key.strip().lower()
        if not sign or not key:
            raise UnknownWordError(f"--option must be written key=value, was '{text}'")
        if key in found:
            raise UnknownWordError(f"--option names {key} twice")
        found[key] = value.strip()
    return found


def of_account(table: Table, account: str | None, book: Book) -> Table:
    """Return the rows of one account.

    Raises
    ------
    UnknownWordError
        If the book has no such account, or the rows do not say whose they are.
    """
    if account is None:
        return table
    known = {name.lower(): name for name in book.accounts}
    name = known.get(account.strip().lower())
    if name is None:
        listed = ", ".join(book.accounts[:10]) + (" ..." if len(book.accounts) > 10 else "")  # noqa: PLR2004
        raise UnknownWordError(f"unknown account '{account}'; known: {listed}")
    if len(book.accounts) == 1:
        return table
    column = next((word for word in ("account", "scope") if word in table.header), None)
    place = table.header.index(column) if column else 0
    owners = [_owner(row[place], known) for row in table.rows]
    if column is None or (table.rows and not any(owners)):
        raise UnknownWordError(
            "these rows do not say whose account they are; leave --account out, "
            "or give files with this account alone"
        )
    kept = [row for row, owner in zip(table.rows, owners, strict=True) if owner == name]
    return Table(table.header, kept)


def _owner(cell: Value, known: Mapping[str, str]) -> str | None:
    """Return the account of `main`, `main/USDT` or `main/BTC isolated`."""
    text = str(cell or "").lower()
    while text:
        if text in known:
            return known[text]
        text = text.rpartition("/")[0]
    return None


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show what is being done on the terminal, and nothing where there is none."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("") as status:
        yield lambda text: status.update(Text(text))


def _words(argument: str) -> str:
    record = registry.record("CM_BOOK")
    return next(held.doc for held in record.arguments if held.name == argument)


def _size(path: Path) -> str:
    size = float(path.stat().st_size)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000.0:  # noqa: PLR2004
            return f"{size:,.0f} {unit}"
        size /= 1000.0
    return f"{size:,.1f} GB"


def _rows(frame: object) -> list[list[object]]:
    header = list(getattr(frame, "columns"))  # noqa: B009  # polars is not imported here
    return [header, *map(list, getattr(frame, "rows")())]  # noqa: B009


def _book_options(options: Mapping[str, object]) -> dict[str, object]:
    held = dict(options)
    file = held.get("correlations")
    if isinstance(file, str):
        held["correlations"] = _matrix(Path(file))
    return held


def _matrix(path: Path) -> list[list[float]]:
    """Return the numbers of a file of correlations, one row per line."""
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    try:
        return [[float(cell) for cell in line.split(",")] for line in lines if line.strip()]
    except ValueError:
        raise UnknownWordError(f"{path}: correlations are rows of numbers with commas") from None
