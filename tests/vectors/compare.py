"""Compares a result with the expected figures by the tolerance rules of the vectors' README."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, cast

# The README's texts for "no value"; the engine must say so with `None`, not with a large number.
# "none" is the key under which `meta.formulae` states the same rule.
NO_VALUE = frozenset(
    {"infinite (never liquidated)", "undefined", "unbounded (transfer everything)", "none"}
)


@dataclass(frozen=True)
class Rule:
    """How one number is compared; `snap` is used only with `truncate`."""

    absolute: float = 0.0
    relative: float = 0.0
    exact: bool = False
    truncate: bool = False
    snap: float = 0.0
    upper_bound: bool = False

    def __str__(self) -> str:
        """Return the rule as a person reads it in a list of failures."""
        if self.upper_bound:
            return "below the figure"
        if self.exact:
            return "exact"
        words = [f"abs {self.absolute:g}", f"rel {self.relative:g}"]
        return ", ".join([*words, *([f"truncated, snap {self.snap:g}"] if self.truncate else [])])

    def accepts(self, got: float, expected: float) -> bool:
        """Return whether `got` passes; a NaN never does."""
        if self.truncate and math.isfinite(got):
            nearest = round(got)
            got = nearest if abs(got - nearest) <= self.snap else math.trunc(got)
        if self.upper_bound:
            return got < expected
        if self.exact:
            return got == expected
        return abs(got - expected) <= max(self.absolute, self.relative * abs(expected))


@dataclass(frozen=True)
class Difference:
    """A field that did not pass."""

    field: str
    got: object
    expected: object
    rule: str

    def __str__(self) -> str:
        """Return one line: field, result, figure, tolerance."""
        return f"{self.field}: got {self.got!r}, expected {self.expected!r}, tolerance {self.rule}"


MISSING = type("Missing", (), {"__repr__": lambda _self: "nothing (missing field)"})()


def differences(
    expected: Mapping[str, Any],
    got: Mapping[str, Any],
    tolerance: Mapping[str, Any],
    *,
    uncompared: Collection[str] = (),
) -> list[Difference]:
    """Return the fields of `expected` in which `got` fails; further fields of `got` are ignored.

    Parameters
    ----------
    expected, got
        The figures to reproduce and the result.
    tolerance
        The case's tolerance as it stands in the file.
    uncompared
        Names of fields at the top that are wrong on purpose or prose.
    """
    comparison = _Comparison(tolerance)
    rule = comparison.base()
    for name, figure in expected.items():
        if name not in uncompared:
            comparison.field(name, name, figure, got.get(name, MISSING), rule)
    return comparison.found


class _Comparison:
    """Walks the expected figures; a field's own rule holds for everything inside the field."""

    def __init__(self, tolerance: Mapping[str, Any]) -> None:
        self.found: list[Difference] = []
        self._tolerance = tolerance

    def base(self) -> Rule:
        """Return the rule of the case."""
        return _rule(self._tolerance)

    def field(self, path: str, name: str, expected: object, got: object, rule: Rule) -> None:
        """Compare the field `name`, which may have a rule of its own."""
        own = self._tolerance.get("fields", {}).get(name)
        if own is not None:
            rule = replace(_rule(own), truncate=rule.truncate, snap=rule.snap)
        if name in self._tolerance.get("truncate_toward_zero", ()):
            rule = replace(rule, truncate=True, snap=float(self._tolerance.get("snap", 0.0)))
        if name in self._tolerance.get("upper_bound", ()):
            rule = replace(rule, upper_bound=True)
        self.value(path, expected, got, rule)

    def value(self, path: str, expected: object, got: Any, rule: Rule) -> None:
        """Compare one value: a mapping or a list element by element, anything else at once."""
        got = _plain(got)
        if isinstance(expected, Mapping) and isinstance(got, Mapping):
            for name, figure in expected.items():
                self.field(f"{path}.{name}", name, figure, got.get(name, MISSING), rule)
        elif isinstance(expected, list) and _is_list(got):
            self._list(path, expected, got, rule)
        elif not _equal(expected, got, rule):
            self.found.append(Difference(path, got, expected, str(rule)))

    def _list(self, path: str, expected: list[object], got: Sequence[object], rule: Rule) -> None:
        """Compare two lists in their order."""
        if len(expected) != len(got):
            self.found.append(Difference(path, got, expected, "the same length"))
            return
        for index, (figure, result) in enumerate(zip(expected, got, strict=True)):
            self.value(f"{path}[{index}]", figure, result, rule)


def _rule(tolerance: Mapping[str, Any]) -> Rule:
    """Return the rule that `abs`, `rel` and `exact` of a tolerance state."""
    return Rule(
        absolute=float(tolerance.get("abs", 0.0)),
        relative=float(tolerance.get("rel", 0.0)),
        exact=tolerance.get("exact") is True,
    )


def _plain(value: object) -> object:
    """Return `value` as plain Python where it is a number or an array of another library."""
    unwrap = getattr(value, "tolist", None)
    return unwrap() if callable(unwrap) else value


def _is_list(value: object) -> bool:
    """Return whether `value` is a list in the sense of JSON."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _number(value: object) -> float | None:
    """Return `value` if it is a number, else ``None``; a truth value is no number."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    return cast("float", value)


def _equal(expected: object, got: object, rule: Rule) -> bool:
    """Compare two values that are neither mappings nor lists."""
    figure, result = _number(expected), _number(got)
    if figure is not None:
        return result is not None and rule.accepts(result, figure)
    if isinstance(expected, str):
        return got == expected or (expected in NO_VALUE and got is None)
    return type(expected) is type(got) and expected == got
