"""The guard that keeps the tests off the network really does."""

import socket

import pytest
from _pytest.outcomes import Failed

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.resolve import fingerprint


def test_an_address_elsewhere_fails_the_test():
    with pytest.raises(Failed, match="reached for the network"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(Failed, match="reached for the network"):
        socket.getaddrinfo("example.org", 443)


def test_a_hub_id_is_refused_without_reaching_for_the_network():
    with pytest.raises(UserError, match="hub's cache, and offline mode is set"):
        fingerprint(ModelSpec("some-one/some-model"))
