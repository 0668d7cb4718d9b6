"""Makes the pictures of the manual from the real template, as LibreOffice prints it.

To renew them after a change of the template: install LibreOffice (`make libreoffice`) and
poppler-utils (pdftotext, pdftoppm), run `.venv/bin/python -m docs.make_pictures` at the top of the
repository, and look at every picture before it is committed.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops

from crossmargin import demo_workbook
from crossmargin.template import workbook
from workbook import build

FOLDER: Final = Path(__file__).with_name("pictures")
SHEETS: Final = {"Start": 1, "Summary": 1, "Liquidation": 1, "Map": 1}
"""The sheets, and which of its pages is shown."""
WIDTH: Final = 1400
COLOURS: Final = 128
MARGIN: Final = 12
FOOTER: Final = 0.94
"""The part of a page above its footer."""
LARGEST: Final = 150 * 1024


def main() -> None:
    """Write a picture of each sheet, and say how large it is."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        book = workbook.write(folder / "crossmargin.xlsx", build.sample(), version="crossmargin")
        drawn = demo_workbook.write_pdf(book)
        if not drawn:
            raise SystemExit("LibreOffice is missing or refused: run `make libreoffice`")
        pages = pages_of(drawn[0])
        for sheet, place in SHEETS.items():
            page = pages[sheet][place - 1]
            drawing = folder / f"page-{page}"
            command = ["pdftoppm", "-png", "-r", "150", "-singlefile"]
            wanted = ["-f", str(page), "-l", str(page), str(drawn[0]), str(drawing)]
            subprocess.run([*command, *wanted], check=True)  # noqa: S603  # our own file
            target = FOLDER / f"{sheet.lower()}.png"
            save(Path(f"{drawing}.png"), target)
            size = target.stat().st_size
            print(f"{target.name}: page {page}, {size // 1024} KiB")
            if size > LARGEST:
                raise SystemExit(f"{target.name} is larger than {LARGEST // 1024} KiB")


def pages_of(path: Path) -> dict[str, list[int]]:
    """Return the pages of each sheet, whose name is the first line of the page."""
    command = ["pdftotext", "-layout", str(path), "-"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    found: dict[str, list[int]] = {}
    for number, text in enumerate(done.stdout.split("\f"), start=1):
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if lines:
            # the sheet Start bears the name of the whole
            title = "Start" if lines[0] == "crossmargin" else lines[0]
            found.setdefault(title, []).append(number)
    return found


def save(source: Path, target: Path) -> None:
    """Cut the white border off a page and keep it small: few colours, one width."""
    with Image.open(source) as page:
        drawn = page.convert("RGB").crop((0, 0, page.width, round(FOOTER * page.height)))
    box = ImageChops.difference(drawn, Image.new("RGB", drawn.size, "white")).getbbox()
    if box is not None:
        left, top, right, bottom = box
        drawn = drawn.crop((
            max(0, left - MARGIN), max(0, top - MARGIN),
            min(drawn.width, right + MARGIN), min(drawn.height, bottom + MARGIN),
        ))  # fmt: skip
    height = round(drawn.height * WIDTH / drawn.width)
    drawn = drawn.resize((WIDTH, height), Image.Resampling.LANCZOS)
    few = drawn.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(target, optimize=True)


if __name__ == "__main__":
    main()
