"""Which tests a cluster is not held against, and why."""

import inspect
import re
from typing import Any

E2E = (
    "test_inference_client.py",
    "test_lines.py",
    "test_long_texts.py",
    "test_preset_control.py",
    "test_server.py",
)
"""The files of tests/e2e whose server is known by its address; the others look at its process,
signals, output, sockets or gRPC, or are of workers."""

_INSIDE = "It looks into the application, or speaks to it without HTTP."
_ENGINE = "It asks the engine what it saw, or changes it while it runs."
_GRPC = "Serve's proxies are for HTTP."
_HTTP = "A client of HTTP cannot say so, or hears no answer before it has said all."
_FAST = "With a nanosecond for a request, what a network brings of it is too late as well."
_LOST = "No load raises it: it tells of a replica that is gone, or that holds another version."
_PROXY = "Serve's proxy answers with the id that it was given, or with a UUID; ours is in the log."
_STILL = "It has the server's process stand still."
_KEPT = "The server of a test is kept for the next one, and there is one at a time."
_BEGINS = "A replica is there once what it begins with is loaded: a load that is held holds it up."
_FRESH = "It counts from the start of a server, and the cluster is one for all tests."
_COLD = "A load that takes no time is over before Serve's routers have heard where it was."

LOOKS = {
    r"\b_transport\b|\bconverse\(|\bcreate_app\(|\bmake_patient\(": _INSIDE,
    r"\bbatch_sizes\b|\bengine\.(masks|threads|answer)\b": _ENGINE,
}
"""Reasons by what is written in a test."""

LEFT_OUT = {
    "/routes/grpc/": _GRPC,
    "over_http[QueueFullError]": _INSIDE,
    "over_http[ShuttingDownError]": _INSIDE,
    "over_http[UnretriedShutdownError]": _INSIDE,
    "test_overload_says_when_to_try_again": _INSIDE,
    "over_http[EngineLostError]": _LOST,
    "over_http[ModelReplacedError]": _LOST,
    "over_http[DeadlineExceededError]": _FAST,
    "over_http[SlowBodyError]": _HTTP,
    "test_body_that_stops_coming_is_given_up": _HTTP,
    "test_body_larger_than_declared_is_refused": _HTTP,
    "test_length_of_more_digits_than_python_reads_is_no_failure": _HTTP,
    "test_strange_key_is_none[]": _HTTP,
    "test_strange_key_is_none[ ]": _HTTP,
    "test_keys_of_a_file_are_rotated_without_a_restart": _HTTP,
    "test_length_that_is_no_number_declares_nothing": _HTTP,
    "test_id_that_could_be_anything_is_replaced": _PROXY,
    "test_every_request_without_an_id_gets_its_own": _PROXY,
    "test_caller_who_waits_for_each_answer_gets_it": _INSIDE,
    "test_server_that_ends_says_so_once": _INSIDE,
    "test_concurrent_requests_are_batched_and_answered_as_alone": _STILL,
    "test_server_that_ends_answers_what_it_has_begun": _KEPT,
    "test_servers_share_nothing": _KEPT,
    "test_pinned_presets_are_loaded_at_start": _BEGINS,
    "test_server_starts_before_its_default_preset_is_loaded": _BEGINS,
    "test_state_of_a_preset_follows_it": _BEGINS,
    "test_server_and_models.py::test_requests_are_counted": _FRESH,
    "test_cache_of_the_server_is_measured": _COLD,
}
"""Reasons by a part of the names of tests."""


def reason_to_leave_out(node_id: str, function: Any) -> str | None:
    """Return why a test is not one for a cluster, or None where it is."""
    if "/e2e/" in node_id and not any(name in node_id for name in E2E):
        return "It looks at more of a server than its address."
    written = inspect.getsource(function)
    return next(
        (reason for part, reason in LEFT_OUT.items() if part in node_id),
        next((reason for look, reason in LOOKS.items() if re.search(look, written)), None),
    )
