"""Makes the tables of `published-cases.md` from the published cases in the shared folder.

Run it as ``python docs/make_published_cases.py`` after `make extension`. The cases themselves are
not in the repository: they lie in `../shared/vectors`, or where CROSSMARGIN_SHARED says.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

DOCS: Final = Path(__file__).resolve().parent
PAGE: Final = DOCS / "published-cases.md"
sys.path.insert(0, str(DOCS.parent))  # the runner of the cases lies beside the tests

from tests.vectors import facade  # noqa: E402
from tests.vectors.__main__ import default_folder  # noqa: E402
from tests.vectors.adapters import ADAPTERS  # noqa: E402
from tests.vectors.runner import FileReport, Status, run_file, vector_files  # noqa: E402
from tests.vectors.view import lacks  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OPENING, CLOSING = "<!-- tables -->\n", "<!-- end of tables -->\n"
NOT_APPLICABLE: Final = "not applicable: "
LACKING: Final = NOT_APPLICABLE + lacks("")
STEP: Final = "engine: "
NO_ADAPTER: Final = NOT_APPLICABLE + "no adapter for inputs"


def reports(folder: Path) -> list[FileReport]:
    """Run all cases of a folder."""
    package = facade.load()
    return [run_file(path, package, ADAPTERS) for path in vector_files(folder)]


def counts(found: Iterable[FileReport]) -> dict[str, list[int]]:
    """Return for each file how many cases ran, passed, failed and do not apply."""
    return {
        report.file: [
            report.ran,
            *map(report.count, (Status.PASSED, Status.FAILED, Status.NOT_APPLICABLE)),
        ]
        for report in found
    }


def reasons(found: Iterable[FileReport]) -> dict[str, list[str]]:
    """Return the cases that do not apply by their reason; shapes without an adapter are one."""
    by_reason: dict[str, list[str]] = {}
    for report in found:
        for outcome in report.with_status(Status.NOT_APPLICABLE):
            reason = NO_ADAPTER if outcome.reason.startswith(NO_ADAPTER) else outcome.reason
            by_reason.setdefault(reason, []).append(outcome.id)
    return by_reason


def table(header: Sequence[str], rows: Iterable[Sequence[object]], numbers: int = 0) -> str:
    """Return a table of the page, its last `numbers` columns aligned to the right."""
    rule = ["---"] * (len(header) - numbers) + ["--:"] * numbers
    lines = [header, rule, *([str(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def written(folder: Path) -> str:
    """Return the tables of the page as they stand in it."""
    found = reports(folder)
    by_file = counts(found)
    rows = [(file, *numbers) for file, numbers in by_file.items()]
    total = ("all", *map(sum, zip(*by_file.values(), strict=True)))
    by_reason = reasons(found)
    missing = {
        reason.removeprefix(LACKING): cases
        for reason, cases in by_reason.items()
        if reason.startswith(LACKING)
    }
    others = {
        reason.removeprefix(NOT_APPLICABLE): cases
        for reason, cases in by_reason.items()
        if reason not in {NO_ADAPTER, *(LACKING + concept for concept in missing)}
    }
    parts = [
        "## Counts\n\n",
        table(("file", "ran", "passed", "failed", "not applicable"), (*rows, total), 4),
        "\n## What the model has no words for\n\n",
        table(("missing concept", "cases"), _by_size(missing)),
        "\n## Other reasons\n\n",
        table(("reason", "cases"), _by_size(others)),
        "\n## Shapes without an adapter\n\n",
        f"{_listed(by_reason.get(NO_ADAPTER, ()))}\n",
    ]
    return "".join(parts)


def _by_size(cases: dict[str, list[str]]) -> list[tuple[str, str]]:
    by_size = sorted(cases.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [(reason, f"{len(found)}: {_listed(found)}") for reason, found in by_size]


def _listed(cases: Iterable[str]) -> str:
    return ", ".join(f"`{case}`" for case in cases) or "none"


def main() -> None:
    """Write the tables into the page."""
    head, rest = PAGE.read_text(encoding="utf-8").split(OPENING)
    _, foot = rest.split(CLOSING)
    text = f"{head}{OPENING}{written(default_folder())}{CLOSING}{foot}"
    PAGE.write_text(text, encoding="utf-8")
    print(PAGE.name)


if __name__ == "__main__":
    main()
