"""The OpenAPI document in the repository is that of the app."""

import yaml

from contract.documents import read
from service.app import create_app
from service.settings import Settings


def test_document_is_the_apps() -> None:
    """Whoever generates a client from the file gets what the server speaks: make openapi."""
    assert yaml.safe_load(read("openapi.yaml")) == create_app(Settings()).openapi()
