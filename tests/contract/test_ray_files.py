"""What `serve run` and `serve deploy` are given is what Ray Serve reads."""

from importlib import import_module
from typing import Any

import pytest
import yaml
from ray.serve.schema import ServeDeploySchema

from contract.documents import ROOT, read
from service.settings import Settings


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return `deploy.ray.app`, imported as from the root of the repository."""
    monkeypatch.syspath_prepend(str(ROOT))
    return import_module("deploy.ray.app")


def test_configuration_is_one_that_serve_takes(module: Any) -> None:
    """It names the deployments that there are, and what builds the application of them."""
    config = ServeDeploySchema.model_validate(yaml.safe_load(read("deploy/ray/config.yaml")))
    [application] = config.applications
    assert application.import_path == "deploy.ray.app:build"
    ingress = module.build(application.args)._bound_deployment
    *_, engine, board = ingress.init_args
    names = {ingress.name, engine._bound_deployment.name, board._bound_deployment.name}
    assert {deployment.name for deployment in application.deployments} == names


def test_serve_waits_longer_than_we_do() -> None:
    """Who waits too long is told so by us, in our form."""
    config = yaml.safe_load(read("deploy/ray/config.yaml"))
    assert config["http_options"]["request_timeout_s"] > Settings().request_timeout_s


def test_settings_are_given_by_their_names(module: Any) -> None:
    """Over those of the environment."""
    ingress = module.build({"default_preset": "mine"})._bound_deployment
    assert ingress.init_args[0].default_preset == "mine"
    assert module.app._bound_deployment.name == ingress.name
