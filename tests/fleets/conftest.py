"""What tests of credentials begin with."""

from typing import Any

import pytest

from fleets.connection import update_connection
from fleets.models import Fleet
from fleets.tokens import IssuedToken
from tests.factories import TESTER, make_fleet, make_token


@pytest.fixture
def address(settings: Any) -> None:
    """The server knows where collectors reach it."""
    settings.BASE_URL, settings.OPAMP_URL, settings.CA_FILE = "https://telflo.example", "", ""


@pytest.fixture
def owning_fleet() -> Fleet:
    """Each of its collectors gets a credential of its own."""
    made = make_fleet(name="edge")
    update_connection(fleet=made, own_credentials=True, actor=TESTER)
    return made


@pytest.fixture
def shared(owning_fleet: Fleet) -> IssuedToken:
    """The token that they come with first."""
    return make_token(fleet=owning_fleet)
