"""Every refusal has a name.

The classes are made in the compiled core and stand here for import::

    ValueError
    +-- CrossmarginError      anything crossmargin refuses
        +-- OutOfRangeError   a number was NaN, infinite or outside its range
        +-- ShapeError        two tables or arrays that must agree in length do not
        +-- UnknownWordError  a word, column, symbol or key that is not known
        +-- MissingError      a price, table or column that is needed is not there
        +-- TableError        rows of a pasted table that contradict themselves or each other
        +-- RulebookError     a rulebook that cannot be read, or has no source for a number
        +-- NotCoveredError   a case that the rulebook does not describe
        +-- NoAnswerError     no answer exists, for instance no liquidation price

Each carries ``sign``, what a spreadsheet cell shows for it (``#VALUE!``, ``#NUM!`` or ``#N/A``)::

    try:
        price = crossmargin.liquidation_price(book, underlying="BTC")
    except crossmargin.errors.NoAnswerError as refusal:
        print(refusal)
"""

from crossmargin._core import (
    CrossmarginError,
    MissingError,
    NoAnswerError,
    NotCoveredError,
    OutOfRangeError,
    RulebookError,
    ShapeError,
    TableError,
    UnknownWordError,
)

__all__ = [
    "CrossmarginError",
    "MissingError",
    "NoAnswerError",
    "NotCoveredError",
    "OutOfRangeError",
    "RulebookError",
    "ShapeError",
    "TableError",
    "UnknownWordError",
]
