"""Command line: ``python -m tests.vectors [--folder DIR] [--json FILE]``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.vectors import facade
from tests.vectors.adapters import ADAPTERS
from tests.vectors.runner import FileReport, Status, run_file, vector_files
from tests.vectors.syntax_guard import check_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHARED_FOLDER_VARIABLE = "CROSSMARGIN_SHARED"
ADAPTER_FILES_AT_LEAST = 10


def default_folder() -> Path:
    """Return the folder of the vectors: below the variable's folder, else beside the checkout."""
    shared = os.environ.get(SHARED_FOLDER_VARIABLE)
    checkout = Path(__file__).resolve().parents[2]
    return (Path(shared) if shared else checkout.parent / "shared") / "vectors"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the vectors and return the exit status: 1 if any case failed or nothing could be run."""
    parser = argparse.ArgumentParser(prog="python -m tests.vectors", description=__doc__)
    parser.add_argument("--folder", type=Path, default=default_folder(), help="vector files")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    options = parser.parse_args(arguments)
    violations = check_folder(at_least=ADAPTER_FILES_AT_LEAST)
    if violations:
        say(f"adapters must not calculate: {violation}" for violation in violations)
        return 1
    try:
        files = vector_files(options.folder)
    except FileNotFoundError as problem:
        say([str(problem)])
        return 1
    package = facade.load()
    reports = [run_file(path, package, ADAPTERS) for path in progress(files)]
    say(report.line() for report in reports)
    say(failures(reports))
    if options.json is not None:
        document = {"files": [report.as_json() for report in reports]}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 1 if any(report.count(Status.FAILED) for report in reports) else 0


def failures(reports: Iterable[FileReport]) -> list[str]:
    """Return a line for each failed case, with result, figure and tolerance of each field."""
    return [
        f"FAILED {report.file} {outcome.id}: {outcome.reason}"
        for report in reports
        for outcome in report.with_status(Status.FAILED)
    ]


def progress(files: Sequence[Path]) -> Iterable[Path]:
    """Return `files`, with a progress bar on a terminal where rich is installed."""
    if not sys.stderr.isatty():
        return files
    try:
        from rich.console import Console  # noqa: PLC0415  optional
        from rich.progress import track  # noqa: PLC0415
    except ImportError:
        return files
    return track(files, "vectors", console=Console(stderr=True), transient=True)


def say(lines: Iterable[str]) -> None:
    """Write `lines` to standard output."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    raise SystemExit(main())
