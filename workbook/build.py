"""Builds the template workbook from the sample book.

Run it as ``python workbook/build.py``; it writes ``workbook/crossmargin.xlsx``. The same package
gives the same bytes, so a change of the template shows in a review.
"""

from __future__ import annotations

import sys
from pathlib import Path

from crossmargin.template import workbook
from crossmargin.template.sample import sample, shown_version

__all__ = ["main", "sample"]

TARGET = Path(__file__).with_name("crossmargin.xlsx")


def main() -> None:
    """Write the template to its place, or to the path given."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    workbook.write(target, sample(), version=shown_version())
    print(target)


if __name__ == "__main__":
    main()
