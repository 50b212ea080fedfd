"""PURE. What a start says of the environment that is no reason not to start."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from telflo.ui.numbers import grouped

_OURS: Final = "TELFLO_"
_ELSEWHERE: Final = frozenset(
    {
        "TELFLO_ADMIN_PASSWORD",
        "TELFLO_ADMIN_PASSWORD_FILE",
        "TELFLO_API_TOKEN",
        "TELFLO_API_TOKEN_FILE",
        "TELFLO_CHAOS_FACTOR",
        "TELFLO_E2E_CACHE",
        "TELFLO_URL",
    }
)
"""Read by a first start, by `telflo rollout` and by tests, not by the settings."""


def of_variables(given: Iterable[str], known: Collection[str]) -> Iterator[str]:
    """A line for each variable of ours that nothing reads: a misspelt limit would be one."""
    for name in sorted(given):
        if name.startswith(_OURS) and name not in known and name not in _ELSEWHERE:
            yield f"{name} is set, and nothing reads a variable of that name. Is it misspelt?"


def of_files(most: int, sockets: int) -> Iterator[str]:
    """A line where the process may have fewer open files (most; below 0: as many as it likes) than sockets."""
    if 0 <= most < sockets:
        yield (
            f"This process may open {grouped(most)} files, and TELFLO_OPAMP_CONNECTIONS lets in {grouped(sockets)}"
            " sockets. Raise the hard limit (LimitNOFILE of systemd, ulimit -Hn) above that, or lower the number."
        )
