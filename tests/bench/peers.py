"""Runs the peer benchmarks with crossmargin among them, and makes one table of ratios of it.

    PEERS_PYTHON=... PEERS_FOLDER=... PEERS_PROTOTYPE=... python -m tests.bench.peers

prints the table; `--table FILE` only makes it from an earlier run. The environment names

PEERS_PYTHON
    the interpreters of the peers, separated like paths: first the one whose numba has SVML
PEERS_FOLDER
    the folder with `j1.py`, `j2.py` and `j3.py`
PEERS_PROTOTYPE
    the prototype's shared library

The extension must have been built in place (`make extension`); peers import it from the checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent.parent / "python"
SIZES = ("default", "s300", "book", "book300")
TAIL_SIZES = ("small", "default", "large")
ORDER_SIZES = ("rank", "greedy", "greedy_big", "liqp", "optliq")
TARGETS = {  # the beginning of a job: times the best numba, times NumPy and scipy
    "J1a": (1.5, 10.0),
    "J1b": (2.5, 10.0),
    "J2 ": (1.8, 20.0),
    "J2s": (15.0, 200.0),  # screened, aimed at 100,000 scenarios
    "J3 greedy: N=5000": (40.0, None),  # the plain form, each candidate in each scenario
    "J3 liqp": (1.0, 40.0),
    "J3 optliq": (4.0, None),
}
# Forms that are many times slower than the best of the same library; --skip "" runs them too.
SLOW = "every position,per position,python loop,VanillaOption,full revaluation,dense"
KERNEL_TARGET = 0.8  # of the prototype's rate
PACKAGES = ("numba", "numpy", "scipy", "QuantLib", "icc_rt", "jax", "polars")

PRODUCTS = ("PRODUCT", "PRODUCT (order, gathered here)", "PRODUCT j2_full", "PRODUCT j2_screened")
OUR_WAY = "our algorithm"  # in the name of a peer that is a port of ours, which nobody would write

Row = dict[str, Any]


def _wanted(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise SystemExit(f"{name} is not set; python -m tests.bench.peers --help says what it is")
    return value


def _run(command: list[str]) -> None:
    print("$", " ".join(Path(part).name for part in command), flush=True)
    with tempfile.TemporaryDirectory() as cache:  # py_vollib_vectorized cannot read its own cache
        # the package, and the tests whose modules the scripts share
        found = os.pathsep.join((str(PACKAGE), str(HERE.parents[1])))
        environment = {**os.environ, "PYTHONPATH": found, "NUMBA_CACHE_DIR": cache}
        done = subprocess.run(command, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"failed with status {done.returncode}")


def measure(output: Path, *, reps: int, threads: int, budget: float, skip: str) -> None:
    """Run all jobs in every environment and write their rows."""
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("", encoding="utf-8")
    folder, prototype = Path(_wanted("PEERS_FOLDER")), _wanted("PEERS_PROTOTYPE")
    common = ["--json", str(output)]
    for python in _wanted("PEERS_PYTHON").split(os.pathsep):
        _append(output, _versions(python))
        jobs = [("j1.py", size) for size in SIZES] + [("j2.py", size) for size in TAIL_SIZES]
        jobs += [("j3.py", size) for size in ORDER_SIZES]
        for script, size in jobs:
            command = [python, str(folder / script), "--size", size, "--reps", str(reps)]
            command += ["--threads", str(threads), "--proto", prototype]
            command += ["--budget", str(budget), "--skip", skip]
            _run([*command, "--product", str(HERE / "adapter.py"), *common])
        _run([python, str(HERE / "kernel.py"), "--prototype", prototype, *common])
        for script in ("portfolio.py", "maps.py"):
            _run([python, str(HERE / script), "--threads", str(threads), *common])


def _versions(python: str) -> Row:
    code = (
        "import importlib.metadata as m, json, platform, sys\n"
        "def of(name):\n"
        "    try: return m.version(name)\n"
        "    except m.PackageNotFoundError: return None\n"
        f"found = {{name: of(name) for name in {PACKAGES!r}}}\n"
        "print(json.dumps({'Python': platform.python_version(), **found}))\n"
    )
    text = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout
    return {"versions": json.loads(text), "machine": _machine()}


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    flags = next(line.split() for line in lines if line.startswith("flags"))
    vectors = next((flag for flag in ("avx512f", "avx2") if flag in flags), "neither")
    return f"{model}, {os.cpu_count()} cores, {vectors}"


def _append(output: Path, row: Row) -> None:
    with output.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(row)}\n")


def _best(rows: Iterable[Row], accepts: Callable[[Row], bool]) -> Row | None:
    return min(filter(accepts, rows), key=lambda row: float(row["min"]), default=None)


def _named(*beginnings: str) -> Callable[[Row], bool]:
    return lambda row: (
        row["kind"] == "peer" and row["name"].startswith(beginnings) and OUR_WAY not in row["name"]
    )


def _targets(job: str) -> tuple[float | None, float | None]:
    found = (aims for beginning, aims in TARGETS.items() if job.startswith(beginning))
    return next(found, (None, None))


def _ratio(row: Row | None, ours: float, target: float | None = None) -> str:
    if row is None:
        return ""
    ratio = row["min"] / ours
    missed = f", below {target:g}" if target is not None and ratio < target else ""
    return f"{ratio:.2f}{missed} ({_time(row['min'])})"


def table(rows: list[Row]) -> str:
    """Return the markdown of all rows, environment by environment, as they were written."""
    lines: list[str] = []
    block: list[Row] = []
    for row in [*rows, {"versions": {}, "machine": ""}]:
        if "versions" not in row:
            block.append(row)
            continue
        lines += _block(block)
        block = []
        if row["machine"]:
            versions = ", ".join(f"{name} {text}" for name, text in row["versions"].items() if text)
            lines += ["", f"{row['machine']}; {versions}", ""]
    return "\n".join(lines).strip() + "\n"


def _block(rows: list[Row]) -> list[str]:
    jobs: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        jobs[row["job"]].append(row)
    timed = {job: found for job, found in jobs.items() if any("min" in row for row in found)}
    lines = []
    if timed:
        lines += [
            "| job | ms | best numba | NumPy, scipy | QuantLib | MKL, JAX, polars | prototype |",
            "|---|---|---|---|---|---|---|",
        ]
        for job, found in timed.items():
            rows_of_job = [row for row in found if "min" in row]
            lines += [_line(job, rows_of_job, name) for name in _products(rows_of_job)]
    for job, found in jobs.items():
        rates = {
            row["kind"]: row["values_per_second"] for row in found if "values_per_second" in row
        }
        if len(rates) == 2:
            share = rates["product"] / rates["proto"]
            missed = f", below {KERNEL_TARGET:g}" if share < KERNEL_TARGET else ""
            lines += ["", f"{job}: {rates['product'] / 1e6:.0f} million values per second, "]
            lines[-1] += f"{share:.2f}{missed} of the prototype's {rates['proto'] / 1e6:.0f}"
        for row in found:
            ours = row["kind"] == "product" or OUR_WAY in row["name"]
            if "min" in row and ours and row["name"] not in PRODUCTS:
                lines += ["", f"{job}, {row['name']}: {_time(row['min'])}"]
            if "seconds" in row:
                lines += ["", f"{job}, {row['name']}: {_time(row['seconds'])}"]
            if "peak" in row:
                peak, prepared = row["peak"] / 2**20, row["prepared"] / 2**20
                lines += ["", f"{job}, {row['name']}: {peak:.1f} MiB, "]
                lines[-1] += f"of which {prepared:.1f} MiB before the call"
    return lines


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} us"


def _products(rows: list[Row]) -> list[str]:
    """Return the names of our rows, each a line; the usual one if all failed."""
    names = {row["name"] for row in rows}
    return [name for name in PRODUCTS if name in names] or [PRODUCTS[0]]


def _line(job: str, rows: list[Row], name: str) -> str:
    ours = _best(rows, lambda row: row["name"] == name)
    screened = name.endswith("screened")
    numba_target, numpy_target = _targets("J2s" if screened else job)
    if screened:
        job = f"{job}, screened"
    if ours is None:
        return f"| {job} | failed | | | | | |"
    if ours["err"] > 1e-8:
        return f"| {job} | disagrees by {ours['err']:.1e} | | | | | |"
    fast = float(ours["min"])
    cells = [
        job,
        f"{fast * 1e3:.3f} ({ours['median'] * 1e3:.3f})",
        _ratio(_best(rows, _named("numba")), fast, numba_target),
        _ratio(_best(rows, _named("numpy", "scipy")), fast, numpy_target),
        _ratio(_best(rows, _named("QuantLib")), fast),
        _ratio(_best(rows, _named("MKL", "JAX", "polars")), fast),
        _ratio(_best(rows, lambda row: row["kind"] == "proto"), fast),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Run the peers, or make the table of an earlier run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("build/peers.jsonl"))
    parser.add_argument("--table", type=Path, help="only make the table of this file")
    parser.add_argument("--reps", type=int, default=15)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--budget", type=float, default=6.0, help="seconds for each peer")
    parser.add_argument("--skip", default=SLOW, help="peers to leave out, parts of names")
    asked = parser.parse_args()
    if not asked.table:
        options = {"reps": asked.reps, "threads": asked.threads, "skip": asked.skip}
        measure(asked.output, budget=asked.budget, **options)
    text = (asked.table or asked.output).read_text(encoding="utf-8")
    sys.stdout.write(table([json.loads(line) for line in text.splitlines()]))


if __name__ == "__main__":
    main()
