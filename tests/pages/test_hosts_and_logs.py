"""What a wrong host name gets, and what logs never hold."""

import logging

import pytest
from django.test import Client

from telflo.base.logs import TextFormatter


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/fleets/", "/install/abc"])
def test_a_host_name_that_is_not_ours_is_a_bad_request(path: str) -> None:
    answer = Client(raise_request_exception=False).get(path, headers={"host": "evil.example"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path", ["/install/BeV5nKnyFoocdEiVAb04gU/claim", "/accounts/link/Abc-def_ghijklmnopqrstuv/"]
)
def test_a_log_line_names_no_code_and_no_invitation(path: str) -> None:
    record = logging.makeLogRecord({"msg": "Method Not Allowed (GET): %s", "args": (path,)})
    line = TextFormatter("%(message)s").format(record)
    assert "BeV5nKny" not in line
    assert "ghijkl" not in line
