"""Runs the cases of vector files through adapters and reports per file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from tests.vectors.compare import Difference, differences
from tests.vectors.exemptions import UNCOMPARED
from tests.vectors.view import (
    Adapter,
    CaseView,
    EngineStep,
    Fields,
    Missing,
    NotApplicableError,
    describe,
    lacks,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.vectors.facade import Facade

Registry = Sequence[Adapter | EngineStep | Missing]


# Files whose cases use the tables of another file, as the vectors' README says.
BORROWED: Final[Mapping[str, str]] = {
    "derive_dutch_auction_liquidation.json": "derive_pmrm1_portfolio_margin.json",
}


class Status(Enum):
    """What became of a case."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Outcome:
    """What became of one case, and why unless it passed."""

    id: str
    status: Status
    reason: str = ""
    differences: tuple[Difference, ...] = ()


@dataclass
class FileReport:
    """The outcomes of the cases of one file, in their order."""

    file: str
    outcomes: list[Outcome] = field(default_factory=list)

    def count(self, status: Status) -> int:
        """Return the number of cases with `status`."""
        return len(self.with_status(status))

    def with_status(self, status: Status) -> list[Outcome]:
        """Return the outcomes with `status`."""
        return [outcome for outcome in self.outcomes if outcome.status is status]

    @property
    def ran(self) -> int:
        """Number of cases that were calculated and compared, or should have been."""
        return self.count(Status.PASSED) + self.count(Status.FAILED)

    def line(self) -> str:
        """Return the report in one line."""
        return (
            f"{self.file:<56} ran {self.ran:>3}  passed {self.count(Status.PASSED):>3}  "
            f"failed {self.count(Status.FAILED):>3}  "
            f"not applicable {self.count(Status.NOT_APPLICABLE):>3}"
        )

    def as_json(self) -> dict[str, object]:
        """Return the report as it stands in the JSON output."""
        return {
            "file": self.file,
            "ran": self.ran,
            "passed": self.count(Status.PASSED),
            "failed": self.count(Status.FAILED),
            "not_applicable": self.count(Status.NOT_APPLICABLE),
            "reasons": {outcome.id: outcome.reason for outcome in self.outcomes if outcome.reason},
        }


def vector_files(folder: Path) -> list[Path]:
    """Return the vector files of `folder` in the order of their names.

    Raises
    ------
    FileNotFoundError
        If there is none: a run must have looked at something.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        message = f"`folder` must hold vector files (*.json), held none: {folder}"
        raise FileNotFoundError(message)
    return files


def run_file(
    path: Path,
    facade: Facade,
    adapters: Registry,
    *,
    uncompared: Mapping[str, Mapping[str, str]] = UNCOMPARED,
) -> FileReport:
    """Run all cases of the file `path`; a file that cannot be read is one failed case."""
    report = FileReport(path.name)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        lender = path.with_name(BORROWED.get(path.name, path.name))
        if lender != path and lender.exists():
            borrowed = json.loads(lender.read_text(encoding="utf-8")).get("shared") or {}
            document["shared"] = borrowed | (document.get("shared") or {})
        cases = list(document["cases"])
    except (OSError, ValueError, KeyError, TypeError) as problem:
        reason = f"not a vector file: {type(problem).__name__}: {problem}"
        report.outcomes.append(Outcome(path.stem, Status.FAILED, reason))
        return report
    names = uncompared.get(path.name, {})
    report.outcomes.extend(run_case(case, document, facade, adapters, names) for case in cases)
    return report


def run_case(
    case: Mapping[str, Any],
    document: Mapping[str, Any],
    facade: Facade,
    adapters: Registry,
    uncompared: Mapping[str, str],
) -> Outcome:
    """Run one case: find its adapter, let it answer without the expected values, compare."""
    identifier = str(case.get("id"))
    try:
        return _run(CaseView.of(case, document), case, facade, adapters, uncompared)
    except (KeyboardInterrupt, SystemExit):
        raise
    except NotApplicableError as problem:
        return Outcome(identifier, Status.NOT_APPLICABLE, f"not applicable: {problem}")
    except BaseException as problem:  # noqa: BLE001  a panic of the core is no `Exception`
        reason = f"raised {type(problem).__name__}: {problem}"
        return Outcome(identifier, Status.FAILED, reason)


def _run(
    view: CaseView,
    case: Mapping[str, Any],
    facade: Facade,
    adapters: Registry,
    uncompared: Mapping[str, str],
) -> Outcome:
    """Return the outcome of a case, or raise what its adapter or the package raises."""
    adapter, fields = _find(view, adapters)
    if isinstance(adapter, EngineStep):
        reason = f"engine: an inner step, run by {adapter.golden}"
        return Outcome(view.id, Status.NOT_APPLICABLE, reason)
    if isinstance(adapter, Missing):
        raise NotApplicableError(lacks(adapter.concept))
    got = adapter.answer(view, fields, facade)
    found = differences(
        case["expected"], got, case.get("tolerance") or {}, uncompared=uncompared.keys()
    )
    if found:
        reason = "; ".join(map(str, found))
        return Outcome(view.id, Status.FAILED, reason, tuple(found))
    return Outcome(view.id, Status.PASSED)


def _find(view: CaseView, adapters: Registry) -> tuple[Adapter | EngineStep | Missing, Fields]:
    """Return the first adapter that reads the inputs of a case, and the fields it reads."""
    for adapter in adapters:
        fields = adapter.read(view.inputs)
        if fields is not None:
            return adapter, fields
    message = f"no adapter for inputs {describe(view.inputs)}"
    raise NotApplicableError(message)
