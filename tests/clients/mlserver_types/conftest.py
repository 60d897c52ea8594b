"""MLServer's pins are neither ours nor KServe's: only `make test-clients` has it."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("mlserver") else ["test_*.py"]
