"""What is deployed to be measured, and how its figures are written."""

from importlib import import_module
from pathlib import Path

import pytest
from ray.serve.config import RequestRouterConfig
from ray.serve.schema import ReplicaState, ServeDeploySchema

from bench.ray.__main__ import MEASUREMENTS
from bench.ray.application import Shape, build
from bench.ray.figures import Figures
from bench.ray.routing import ROUTERS
from bench.ray.sleeping_store import Costs, write_presets


@pytest.mark.parametrize("router", ROUTERS.values(), ids=list(ROUTERS))
def test_configuration_is_one_that_serve_takes(router: str | None, tmp_path: Path) -> None:
    """With the replicas and the router that are asked for."""
    shape = Shape(tmp_path, {"request_timeout_s": 5}, engines=4, ingresses=2, router=router)
    [application] = ServeDeploySchema.model_validate(shape.write_config()).applications
    engine, ingress = application.deployments
    assert (engine.num_replicas, ingress.num_replicas) == (4, 2)
    assert application.args["request_timeout_s"] == 5
    assert ("request_router_config" in engine.model_fields_set) is bool(router)
    if router:
        assert RequestRouterConfig(request_router_class=router).get_request_router_class()


def test_configuration_builds_the_service(tmp_path: Path) -> None:
    """Its deployments are those that the configuration is about."""
    write_presets(tmp_path, ["one"], Costs())
    shape = Shape(tmp_path, {"default_preset": "one"})
    [application] = shape.write_config()["applications"]
    built = build(application["args"])
    assert built._bound_deployment.name == "ingress"


@pytest.mark.parametrize("what", MEASUREMENTS)
def test_measurement_is_there(what: str) -> None:
    """Under the name by which it is asked for."""
    assert callable(import_module(f"bench.ray.{what}").measure)


def test_serve_says_states_as_words() -> None:
    """As which they are compared with those that are wanted."""
    assert {ReplicaState.RUNNING: 3} == {"RUNNING": 3}


def test_figures_are_a_table_with_what_was_expected() -> None:
    """Figures stand to the right."""
    figures = Figures("a title", "A choice.", "much.", ("what", "how much"), [["a", 1], ["b", 2.5]])
    table = "| what | how much |\n| --- | ---: |\n| a | 1 |\n| b | 2.5 |"
    assert figures.write_table() == table
    entry = figures.write_entry()
    assert ": a title\n" in entry
    assert f"Expected: much.\n\n{table}\n" in entry
