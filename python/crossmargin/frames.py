"""Tables as the core takes them: rows of cells, or a mapping of columns.

Data frames of any kind go through narwhals, files through polars; both are imported only when a
frame or a file arrives, since spreadsheets hand over plain rows.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossmargin._texts import unguarded
from crossmargin.errors import TableError, UnknownWordError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["as_table", "check_is_here", "read_file"]

TableLike = object


def as_table(table: object) -> object:
    """Return a table as rows of cells or as a mapping of columns.

    Parameters
    ----------
    table
        Rows of cells with the header first, a list of mappings, a mapping of columns, the path of a
        CSV or Parquet file, or a pandas, polars or Arrow frame.

    Returns
    -------
    list, dict or None
        What the core reads; None stays None.

    Raises
    ------
    TableError
        If it is none of these.
    """
    if table is None:
        return None
    if isinstance(table, str | Path):
        return _of_frame(read_file(Path(table)))
    if isinstance(table, Mapping):
        return {str(name): _column(values) for name, values in table.items()}
    if isinstance(table, Sequence):
        if table and isinstance(table[0], Mapping):
            return _of_records(table)
        if all(isinstance(row, Sequence) and not isinstance(row, str) for row in table[:2]):
            return table
    elif hasattr(table, "__dataframe__") or hasattr(table, "__arrow_c_stream__"):
        return _of_frame(table)
    raise TableError(
        "a table is rows of cells with a header, a list of mappings, a mapping of columns, a data "
        f"frame or the path of a CSV or Parquet file, was {table!r:.80}"
    )


def check_is_here(name: str, what: str) -> None:
    """Refuse the name of a file on another machine: to look for it already says who is asking.

    For names that a cell may hold, which may have come with a pasted book.

    Raises
    ------
    UnknownWordError
        If the name begins with two slashes of either kind.
    """
    if name.strip().replace("\\", "/").startswith("//"):
        raise UnknownWordError(f"{what} file must be on this machine, was {name.strip()!r:.80}")


def is_file(path: Path) -> bool:
    """Return whether there is a file; a name that no system takes, as one too long, is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def read_file(path: Path) -> pl.DataFrame:
    """Return a CSV or Parquet file as a frame; CSV cells stay text, so that the core reads numbers.

    Parameters
    ----------
    path
        A file ending in `.csv`, `.tsv`, `.txt`, `.parquet` or `.pq`. Of a text that looks like a
        formula behind an apostrophe, as crossmargin writes it, the apostrophe is taken away.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty or of another kind.
    """
    import polars as pl  # noqa: PLC0415  # spreadsheets need no polars

    if not is_file(path):
        raise FileNotFoundError(f"there is no file {path}")
    match path.suffix.lower():
        case ".parquet" | ".pq":
            return pl.read_parquet(path)
        case ".csv" | ".tsv" | ".txt":
            text = path.read_text(encoding="utf-8-sig", errors="replace")
            first = text.partition("\n")[0]
            separator = max(",;\t|", key=first.count)
            if not text.strip():
                raise ValueError(f"{path} is empty")
            try:
                read = pl.read_csv(text.encode(), separator=separator, infer_schema=False)
            except pl.exceptions.ComputeError as problem:
                raise TableError(f"{path}: {_ragged(text, separator) or problem}") from None
            return _unguarded(read) if "'" in text else read
        case other:
            known = ".csv, .tsv, .txt, .parquet or .pq"
            raise ValueError(f"{path}: files end in {known}, was '{other}'")


def _unguarded(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame without the apostrophes that keep a CSV file's texts from being formulas."""
    import polars as pl  # noqa: PLC0415  # spreadsheets need no polars

    return pl.DataFrame(
        [
            pl.Series(
                unguarded(column.name),
                [None if text is None else unguarded(text) for text in column],
                dtype=pl.String,
            )
            for column in frame
        ]
    )


def _ragged(text: str, separator: str) -> str:
    """Return a sentence about the first row that is longer than the header."""
    lines = csv.reader(text.splitlines(), delimiter=separator)
    width = len(next(lines, []))
    for number, cells in enumerate(lines, start=2):
        if len(cells) > width:
            return f"row {number} has {len(cells)} cells, the header has {width}"
    return ""


def _of_records(records: Sequence[Mapping[object, object]]) -> dict[str, list[object]]:
    names: dict[object, None] = {}
    for record in records:
        names.update(dict.fromkeys(record))
    return {str(name): [record.get(name) for record in records] for name in names}


def _column(values: object) -> object:
    """Return a column as it is, or as a list where it is some other iterable."""
    if isinstance(values, list):
        return values
    if isinstance(values, Sequence) and not isinstance(values, str):
        return list(values)
    frame_like = getattr(values, "to_numpy", None) or getattr(values, "dtype", None)
    return _of_series(values) if frame_like is not None else list(values)  # type: ignore[call-overload]


def _of_frame(frame: Any) -> dict[str, object]:
    import narwhals as nw  # noqa: PLC0415  # spreadsheets need no narwhals

    table = nw.from_native(frame)
    if isinstance(table, nw.LazyFrame):
        table = table.collect()
    return {name: _of_series(table[name]) for name in table.columns}


def _of_series(series: Any) -> object:
    """Return numbers as a float64 array with a mask of what is present, anything else as a list."""
    import narwhals as nw  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    if isinstance(series, np.ndarray):
        is_number = series.dtype.kind in "fiu"
        return np.ascontiguousarray(series, dtype=np.float64) if is_number else series.tolist()
    column = series if isinstance(series, nw.Series) else nw.from_native(series, series_only=True)
    if column.dtype.is_numeric():
        # pandas has no other word for a missing number than NaN; polars and Arrow tell them apart
        absent = column.is_null().to_numpy().astype(bool)
        values = np.ascontiguousarray(column.cast(nw.Float64).to_numpy(), dtype=np.float64)
        return (values, ~absent) if absent.any() else values
    return [None if value is None or value != value else value for value in column.to_list()]  # noqa: PLR0124
