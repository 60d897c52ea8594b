"""Takes the pictures of the playground that the documents show: `make pictures`."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import sync_playwright

from browser.page.presets import ROOT, SERVER, write_presets
from browser.page.visits import Visits
from e2e.running_server import start_server

IMAGES = ROOT / "docs" / "images"
CAT = {"text": "The [MASK] sat on the [MASK]."}
PRESIDENT = {"text": "He is the president of the [MASK] [MASK].", "decode": "joint"}
PICTURES: dict[str, tuple[int, dict[str, Any]]] = {
    "light": (1100, {}),
    "dark": (1100, {"color_scheme": "dark", "question": PRESIDENT}),
    "phone": (390, {"question": CAT}),
    "compare": (1100, {"question": CAT | {"compare": "twin"}}),
}
"""The width and what is shown, by name; each is as high as it takes to show the answers."""

_HEIGHT = "Math.ceil(document.getElementById('answers').getBoundingClientRect().bottom) + 24"


def take_pictures(folder: Path) -> None:
    """Start a server and visit it, once for each picture."""
    presets = write_presets(folder / "presets")
    env = {"FILLMASK_MODEL_STORE_DIR": str(presets), "FILLMASK_OFFLINE": "1"}
    (folder / "server").mkdir()
    with start_server(env, folder / "server", SERVER) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        visits = Visits(browser, server.url)
        for name, (width, shown) in PICTURES.items():
            size = {"width": width, "height": 800}
            page = visits.open(viewport=size, reduced_motion="reduce", **shown)
            # What is asked for the first time takes longer than what people will see.
            page.reload()
            page.wait_for_load_state("networkidle")
            page.set_viewport_size({"width": width, "height": page.evaluate(_HEIGHT)})
            page.screenshot(path=IMAGES / f"playground-{name}.png")
        visits.end()


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        take_pictures(Path(folder))
