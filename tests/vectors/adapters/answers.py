"""Results under the names that a case expects, whatever their spelling, and arguments in lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.vectors.view import CaseView


def expected(case: CaseView, results: Mapping[str, Callable[[], object]]) -> dict[str, object]:
    """Return the results that `case` expects, each calculated only then.

    The keys of `results` are the spellings of one name, as words in one text and in small letters.
    """
    return {
        name: result()
        for name in case.expected_names
        for spellings, result in results.items()
        if name.lower() in spellings.split()
    }


def each(value: object, function: Callable[[object], object]) -> object:
    """Return the result for `value`, or the list of them where it is a list."""
    if isinstance(value, list):
        return [each(item, function) for item in value]
    return function(value)


def mentions(case: CaseView, *words: str) -> bool:
    """Return whether the names that a case expects, or the family in its id, hold a word."""
    texts = (*case.expected_names, case.id.split(".", maxsplit=1)[0])
    return any(part in words for text in texts for part in text.lower().split("_"))
