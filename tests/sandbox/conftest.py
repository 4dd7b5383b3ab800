from collections.abc import Iterator
from typing import Any

import pytest
from google.oauth2.credentials import Credentials
from google_client import SELLER, service_for, sign_in

from oauth_web.demo.sandbox import Sandbox, VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def sandbox(clock: VirtualClock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as sandbox:
        sandbox.add_user(SELLER)
        yield sandbox


@pytest.fixture
def credentials(sandbox: Sandbox) -> Credentials:
    return sign_in(sandbox)


@pytest.fixture
def gmail(sandbox: Sandbox, credentials: Credentials) -> Iterator[Any]:
    """The users() resource of the real client."""
    with service_for(sandbox, credentials) as users:
        yield users
