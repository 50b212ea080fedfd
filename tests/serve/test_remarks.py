"""What a start says of its environment."""

from telflo import env
from telflo.serve.remarks import of_files, of_variables


def test_a_variable_that_nothing_reads_is_named() -> None:
    known = {"TELFLO_OPAMP_REQUESTS"}
    given = ["TELFLO_OPAMP_REQUEST", "TELFLO_OPAMP_REQUESTS", "TELFLO_ADMIN_PASSWORD", "HOME"]
    (line,) = of_variables(given, known)
    assert line.startswith("TELFLO_OPAMP_REQUEST is set")


def test_what_the_settings_read_is_known() -> None:
    read = {"TELFLO_DEBUG", "TELFLO_OPAMP_PING_S", "TELFLO_SECRET_KEY", "TELFLO_SECRET_KEY_FILE"}
    assert read <= env.asked


def test_fewer_open_files_than_sockets_are_said() -> None:
    (line,) = of_files(4096, 25_000)
    assert "4,096" in line
    assert "LimitNOFILE" in line
    for most in (25_000, -1):
        assert not list(of_files(most, 25_000))
