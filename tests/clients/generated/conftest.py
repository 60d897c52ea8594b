"""Only `make test-clients` has the generators."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("openapi_python_client") else ["test_*.py"]
