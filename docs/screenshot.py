"""Take the picture of a report that docs/inside.md shows. It needs Chromium.

Run it as `python docs/screenshot.py`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import tidegate

PICTURE = Path(__file__).parent / "images" / "inside_report.png"
MESSAGE = (
    "Sorry, I'll be late. You have WON a free prize! Call now to claim. See you at home after the "
    "film, and do not wait for me with the dinner."
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def main() -> None:
    """Train on the shipped messages unless a model is given, explain one, photograph the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="a saved text classifier; default: train one on messages")
    parser.add_argument("--size", default="1000,1955", help="of the window; default 1000,1955")
    parser.add_argument("--out", type=Path, default=PICTURE, help="the picture")
    options = parser.parse_args()
    if options.model:
        model = tidegate.load(options.model)
    else:
        texts, labels = tidegate.datasets.load_sms_spam(return_X_y=True)
        model = tidegate.TextClassifier(
            hidden_size=32, ngrams=1, wide=0.0, epochs=5, random_state=0
        ).fit(texts, labels)
    browser = next(filter(None, map(shutil.which, BROWSERS)))
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        model.explain(MESSAGE).save(page)
        subprocess.run(
            [
                browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                f"--user-data-dir={folder}/profile", f"--window-size={options.size}",
                "--virtual-time-budget=3000", f"--screenshot={options.out.absolute()}",
                page.as_uri(),
            ],
            check=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
