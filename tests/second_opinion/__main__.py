"""Print a book and what these implementations make of it, as one JSON object."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from tests.second_opinion.books import book
from tests.second_opinion.deribit_spm import deribit_spm
from tests.second_opinion.derive_books import SCENARIOS, derive_inputs
from tests.second_opinion.derive_pm2 import derive_pm2
from tests.second_opinion.paradex_pm import paradex_pm
from tests.second_opinion.span16 import span16

MODELS = {"deribit-spm": deribit_spm, "paradex-pm": paradex_pm, "span16": span16}


def case(venue: str, seed: int) -> dict[str, Any]:
    """Return the book of a seed with its result."""
    if venue == "derive-pm2":
        inputs = derive_inputs(seed)
        result = derive_pm2(inputs, SCENARIOS)
        return {"venue": venue, "seed": seed, "book": inputs, "result": result}
    drawn = book(venue, seed)
    return {"venue": venue, "seed": seed, "book": drawn, "result": MODELS[venue](drawn)}


def main() -> None:
    """Read the arguments and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.second_opinion", description=__doc__)
    parser.add_argument("--venue", required=True, choices=[*MODELS, "derive-pm2"])
    parser.add_argument("--seed", required=True, type=int)
    chosen = parser.parse_args()
    json.dump(case(chosen.venue, chosen.seed), sys.stdout, indent=1, allow_nan=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
