"""What an adapter sees of a case, and how it says which cases it can read."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.vectors.facade import Facade

Fields = dict[str, Any]
Answer = Mapping[str, object]
Reader = Callable[[Mapping[str, Any]], "Fields | None"]


class NotApplicableError(Exception):
    """The public interface cannot say this case; the message is the reason."""


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case without its expected values: only the names of the expected fields are here."""

    id: str
    method: str | None
    kind: str | None
    venue: str | None
    product: str | None
    inputs: Mapping[str, Any]
    meta: Mapping[str, Any]
    shared: Mapping[str, Any]
    expected_names: tuple[str, ...]

    @classmethod
    def of(cls, case: Mapping[str, Any], document: Mapping[str, Any]) -> CaseView:
        """Return the view of `case`, which stands in the file `document`.

        Everything is copied, so that no path leads from the view back to the expected values.
        """
        return cls(
            id=str(case["id"]),
            method=case.get("method"),
            kind=case.get("kind"),
            venue=case.get("venue"),
            product=case.get("product"),
            inputs=copy.deepcopy(dict(case.get("inputs") or {})),
            meta=copy.deepcopy(dict(document.get("meta") or {})),
            shared=copy.deepcopy(dict(document.get("shared") or {})),
            expected_names=tuple(case.get("expected") or ()),
        )


@dataclass(frozen=True)
class Shape:
    """The keys of the inputs that an adapter reads, each with the spellings it has in the files.

    Parameters
    ----------
    required
        Our name of a field and its spellings; ``*`` at the end of a spelling stands for any unit
        (``floor*`` reads ``floor_btc``). A required field must be there and not be null.
    optional
        The same for fields that may be missing or null.
    inner
        The shape of a field that is a mapping or a list of mappings.
    """

    required: Mapping[str, tuple[str, ...]]
    optional: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inner: Mapping[str, Shape] = field(default_factory=dict)

    def __call__(self, inputs: Mapping[str, Any]) -> Fields | None:
        """Return `inputs` under our names, with ``None`` for missing ones; ``None`` if unfit.

        A key that the shape does not know makes the inputs unfit: an input must not be ignored.
        """
        fields: Fields = dict.fromkeys((*self.required, *self.optional))
        claimed: set[str] = set()
        for key, value in inputs.items():
            name = self._name_of(key)
            if name is None or name in claimed:
                return None
            claimed.add(name)
            fields[name] = self._inside(name, value)
            if value is not None and fields[name] is None:
                return None
        if any(fields[name] is None for name in self.required):
            return None
        return fields

    def _name_of(self, key: str) -> str | None:
        """Return our name of the input `key`."""
        for spellings in (self.required, self.optional):
            for name, accepted in spellings.items():
                if any(fnmatchcase(key, spelling) for spelling in accepted):
                    return name
        return None

    def _inside(self, name: str, value: object) -> object:
        """Return the value of the field `name` read by its inner shape, ``None`` if unfit."""
        shape = self.inner.get(name)
        if shape is None:
            return value
        if isinstance(value, Mapping):
            return shape(value)
        if isinstance(value, list):
            rows = [shape(row) if isinstance(row, Mapping) else None for row in value]
            return None if any(row is None for row in rows) else rows
        return None


def per(amount: float, *sizes: float) -> float:
    """Return the price at which `sizes` multiplied are worth `amount`.

    Some cases give an amount of money where an export gives a price.
    """
    return amount / math.prod(sizes)


def quantity(*factors: float) -> float:
    """Return the coins of a position that a case gives as a size and coins per unit of it."""
    return math.prod(factors)


def haircut_of(weight: float) -> float:
    """Return the haircut that a weight leaves: some cases give 0.95 where a rulebook gives 0.05."""
    return 1.0 - weight


def factor_of(addition: float) -> float:
    """Return the factor that adds a share: some cases give 0.2 where a rulebook gives 1.2."""
    return 1.0 + addition


def is_whole(amount: float) -> bool:
    """Return whether an amount is a whole number, but for the last digits of binary fractions."""
    return math.isclose(amount, round(amount), rel_tol=1e-12)


def exceeds(amount: float, limit: float) -> bool:
    """Return whether a result is beyond a limit that the model has no words for."""
    return amount > limit and not math.isclose(amount, limit, rel_tol=1e-12)


def spelled(*names: str, **spellings: str) -> dict[str, tuple[str, ...]]:
    """Return fields with their spellings: `names` as they are, `spellings` as words in one text.

    >>> spelled("side", price="P0 entry")
    {'side': ('side',), 'price': ('P0', 'entry')}
    """
    return {name: (name,) for name in names} | {
        name: tuple(text.split()) for name, text in spellings.items()
    }


@dataclass(frozen=True)
class Adapter:
    """Reads one shape of inputs and answers its cases through the public interface.

    Parameters
    ----------
    read
        Returns the fields of the inputs, or ``None`` for inputs of another shape.
    answer
        Returns the results under the names of the expected fields.
    """

    read: Reader
    answer: Callable[[CaseView, Fields, Facade], Answer]


@dataclass(frozen=True)
class EngineStep:
    """A shape whose figures are an inner step of the engine, run by its Rust golden tests.

    Parameters
    ----------
    read
        As for an adapter.
    golden
        Path of the golden file, from the top of the checkout.
    """

    read: Reader
    golden: str


@dataclass(frozen=True)
class Missing:
    """A shape whose figures need something that the model has no words for.

    Parameters
    ----------
    read
        As for an adapter.
    concept
        Name of what is missing.
    """

    read: Reader
    concept: str


def lacks(concept: str) -> str:
    """Return the reason of a case that needs a concept which the model has no words for."""
    return f"the model lacks: {concept}"


def describe(value: object) -> str:
    """Return the keys of `value`, inner ones too: ``{entry, position{mark, size}}``."""
    if isinstance(value, Mapping):
        parts = (f"{key}{describe(value[key])}" for key in sorted(map(str, value)))
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return f"[{describe(value[0])}]"
    return ""
