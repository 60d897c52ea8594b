"""Put the pages where mkdocs.yml says that Zensical finds them."""

from pathlib import Path

from website.pages import stage

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "build" / "pages"

if __name__ == "__main__":
    stage(ROOT, PAGES)
