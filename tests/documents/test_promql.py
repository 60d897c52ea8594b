"""What docs/metrics.md tells people to ask Prometheus for is what Prometheus reads."""

from pathlib import Path

import pytest
import yaml

from contract.documents import code_blocks
from e2e.test_prometheus import run

pytestmark = pytest.mark.prometheus


def test_queries_speak_promql(tmp_path: Path) -> None:
    """Every query of the page, as the expression of a rule."""
    (block,) = code_blocks("docs/metrics.md", "promql")
    queries = [line for line in block.splitlines() if line and not line.startswith("#")]
    assert queries
    rules = [{"record": f"r{n}", "expr": query} for n, query in enumerate(queries)]
    written = tmp_path / "rules.yml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "page", "rules": rules}]}))
    checked = run("promtool", "check", "rules", str(written))
    assert checked.returncode == 0, checked.stdout.decode()
