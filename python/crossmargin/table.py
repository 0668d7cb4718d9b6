"""A result with a header row, of the standard library alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    import polars as pl

__all__ = ["Table", "Value"]

Value = float | str | None


@dataclass(frozen=True)
class Table:
    """Rows under a header.

    Parameters
    ----------
    header
        The names of the columns; they are part of the contract.
    rows
        One sequence per row, each as long as the header. None says that a value does not exist; a
        `status` or `note` column says why.

    Examples
    --------
    >>> table = Table(("symbol", "mm"), [("BTC", 120.5), ("ETH", None)])
    >>> print(table)
    symbol     mm
    BTC     120.5
    ETH
    >>> table.column("mm")
    [120.5, None]
    """

    header: tuple[str, ...]
    rows: Sequence[Sequence[Value]] = field(default_factory=list)

    def __post_init__(self) -> None:
        object.__setattr__(self, "header", tuple(self.header))
        object.__setattr__(self, "rows", [tuple(row) for row in self.rows])
        if len(set(self.header)) != len(self.header):
            raise ValueError(f"header must name each column once, was {', '.join(self.header)}")
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.header):
                raise ValueError(
                    f"row {number} must have {len(self.header)} values, one per column, "
                    f"was {len(row)}"
                )

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Value]]:
        return iter(self.records())

    def __str__(self) -> str:
        columns = [[name, *map(_text, self.column(name))] for name in self.header]
        right = [
            any(isinstance(value, float | int) for value in self.column(n)) for n in self.header
        ]
        widths = [max(map(len, column)) for column in columns]
        lines = (
            "  ".join(
                cell.rjust(width) if is_number else cell.ljust(width)
                for cell, width, is_number in zip(line, widths, right, strict=True)
            ).rstrip()
            for line in zip(*columns, strict=True)
        )
        return "\n".join(lines)

    def records(self) -> list[dict[str, Value]]:
        """Return one dictionary per row, column name to value."""
        return [dict(zip(self.header, row, strict=True)) for row in self.rows]

    def column(self, name: str) -> list[Value]:
        """Return the values of one column.

        Parameters
        ----------
        name
            A name of the header.

        Returns
        -------
        list
            The values, top to bottom.

        Raises
        ------
        KeyError
            If the table has no such column.
        """
        if name not in self.header:
            raise KeyError(f"no column {name!r}; the table has {', '.join(self.header)}")
        position = self.header.index(name)
        return [row[position] for row in self.rows]

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas data frame; pandas is imported here and not before."""
        import pandas as pd  # noqa: PLC0415  # the sheet hosts have no pandas

        return pd.DataFrame({name: self.column(name) for name in self.header})

    def to_polars(self) -> pl.DataFrame:
        """Return a polars data frame; polars is imported here and not before.

        A column that holds numbers and texts becomes a column of texts.
        """
        import polars as pl  # noqa: PLC0415  # the sheet hosts have no polars

        return pl.DataFrame({name: _one_type(self.column(name)) for name in self.header})


def _one_type(values: Sequence[Value]) -> list[Value]:
    if any(isinstance(value, str) for value in values):
        return [None if value is None else _text(value) for value in values]
    return [None if value is None else float(value) for value in values]


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:  # noqa: PLR2004  # exact integers
        return str(int(value))
    return repr(float(value))
