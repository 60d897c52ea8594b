"""Which tests a cluster is not held against, and why."""

E2E = (
    "test_inference_client.py",
    "test_lines.py",
    "test_long_texts.py",
    "test_preset_control.py",
    "test_server.py",
)
"""The files of tests/e2e whose server is known by its address; the others look at its process,
signals, output, sockets or gRPC, or are of workers."""

_PROXY = "Serve's proxy answers with the id that it was given, or with a UUID; ours is in the log."
_INSIDE = "It speaks to the application itself, a line at a time, or ends it."
_FRESH = "It counts from the start of a server, and the cluster is one for all tests."
_COLD = "A load that takes no time is over before Serve's routers have heard where it was."

LEFT_OUT = {
    "test_id_that_could_be_anything_is_replaced": _PROXY,
    "test_every_request_without_an_id_gets_its_own": _PROXY,
    "test_caller_who_waits_for_each_answer_gets_it": _INSIDE,
    "test_server_that_ends_says_so_once": _INSIDE,
    "test_server_and_models.py::test_requests_are_counted": _FRESH,
    "test_cache_of_the_server_is_measured": _COLD,
}
"""Reasons by a part of the names of tests."""


def reason_to_leave_out(node_id: str) -> str | None:
    """Return why a test is not one for a cluster, or None where it is."""
    if "/e2e/" in node_id and not any(name in node_id for name in E2E):
        return "It looks at more of a server than its address."
    return next((reason for part, reason in LEFT_OUT.items() if part in node_id), None)
