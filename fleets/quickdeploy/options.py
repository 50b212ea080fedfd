"""The options of a deployment, kept as JSON in Deployment.options. Pure."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from fleets.addresses import http_address
from fleets.quickdeploy.errors import InvalidOptions

# Supervisors put names and values into a YAML text as they are, the values in double quotes: a quote or a backslash
# ends that text or breaks it, a name that YAML reads as a number, a date or a word of its own is no attribute, and what
# stands behind ${ the collector replaces or cannot find. With any of them nothing starts.
_LABEL_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]{0,127}")
_WORDS_OF_YAML: Final = frozenset({"true", "false", "null"})
_NOT_IN_A_VALUE: Final = ('"', "\\", "${")
_ENVIRONMENT_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_REPORTED: Final = frozenset(
    {
        "service.instance.id",
        "service.name",
        "service.version",
        "host.name",
        "host.arch",
        "os.type",
        "os.description",
    }
)
"""What collectors say of themselves: a label of such a name would take its place."""
_NO_VARIABLE: Final = "{!r} cannot name a variable: letters, digits and _ only, and not TELFLO_…."
_LEVELS: Final = ("debug", "info", "warn", "error")
_MOST_SECONDS: Final = 120
_MOST_KIB: Final = 1024
_LONGEST_LABEL: Final = 255
LONGEST_PATH: Final = 300
LONGEST_PROXY: Final = 300
_MOST_VARIABLES: Final = 100
_LONGEST_SECRET: Final = 16 * 1024
_MOST_LABELS: Final = 64
_MOST_FILES: Final = 50


@dataclass(frozen=True, slots=True)
class DeploymentOptions:
    """What a deployment's hosts get, beside platform and versions.

    What is stored may be older than a rule: `check` says whether hosts can be given it.

    `collector` is the path of a collector that the hosts have already (empty: install one);
    `config_files` are files on the hosts that the supervisor merges under the fleet's version.
    `environment` names variables that hosts are asked for beyond those that the version uses.
    Rollback and crash snippets are written for supervisors that know them.
    """

    transport: str = "ws"
    collector: str = ""
    config_files: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: tuple[str, ...] = ()
    proxy: str = ""
    automatic_rollback: bool = True
    crash_log_kib: int = 16
    apply_timeout_s: int = 15
    log_level: str = "info"

    def check(self) -> None:
        """Raise InvalidOptions for what would make a broken script or file."""
        _check(self.transport in ("ws", "http"), "transport", "Choose ws or http.")
        _check(self.log_level in _LEVELS, "log_level", f"Choose one of {', '.join(_LEVELS)}.")
        _check(
            5 <= self.apply_timeout_s <= _MOST_SECONDS,
            "apply_timeout_s",
            f"Give 5 to {_MOST_SECONDS} seconds.",
        )
        _check(0 <= self.crash_log_kib <= _MOST_KIB, "crash_log_kib", f"Give 0 to {_MOST_KIB} KiB.")
        _check_number("labels", len(self.labels), _MOST_LABELS)
        _check_number("config_files", len(self.config_files), _MOST_FILES)
        _check_number("environment", len(self.environment), _MOST_VARIABLES)
        if self.collector:
            _check_path("collector", self.collector)
        for path in self.config_files:
            _check_path("config_files", path)
        for name, value in self.labels.items():
            _check_label(name, value)
        for name in self.environment:
            _check(_is_variable(name), "environment", _NO_VARIABLE.format(name[:80]))
        _check_proxy(self.proxy)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read what to_json wrote. Raises InvalidOptions for an unknown name or a value of the wrong type."""
        unknown = sorted(stored.keys() - cls.__dataclass_fields__.keys())
        if unknown:
            raise _refusal(f"There is no option {unknown[0][:80]!r}.", unknown[0][:80])
        given = dict(stored)
        for name, value in given.items():
            given[name] = _from_json(name, value, cls.__dataclass_fields__[name].type)
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        """As JSON values, every option named."""
        options = asdict(self)
        return options | {
            "config_files": list(self.config_files),
            "environment": list(self.environment),
            "labels": dict(self.labels),
        }


def check_secret_environment(values: Mapping[str, str]) -> None:
    """Raise InvalidOptions unless hosts can be given these values by the names of their variables."""
    _check_secret(
        len(values) <= _MOST_VARIABLES,
        f"At most {_MOST_VARIABLES} values are taken; these are {len(values)}.",
    )
    for name, value in values.items():
        _check_secret(_is_variable(name), _NO_VARIABLE.format(name[:80]))
        _check_secret(
            value.isprintable() and len(value) <= _LONGEST_SECRET,
            f"The value of {name} must be one line of printable text, of at most {_LONGEST_SECRET} characters.",
        )


def _check_secret(is_right: bool, message: str) -> None:
    if not is_right:
        raise InvalidOptions(message, field="secret_environment")


def _is_variable(name: str) -> bool:
    return bool(_ENVIRONMENT_NAME.fullmatch(name)) and not name.startswith("TELFLO_")


def _check(is_right: bool, option: str, message: str) -> None:
    if not is_right:
        raise _refusal(message, option)


def _refusal(message: str, option: str) -> InvalidOptions:
    return InvalidOptions(message, field=f"options/{option}")


def _check_number(option: str, number: int, most: int) -> None:
    _check(number <= most, option, f"At most {most} are taken; these are {number}.")


def _check_path(option: str, path: str) -> None:
    _check(len(path) <= LONGEST_PATH, option, f"A path has at most {LONGEST_PATH} characters.")
    _check(
        path.startswith("/") and path.isprintable(),
        option,
        f"{path!r} must be an absolute path on the host.",
    )


def _check_label(name: str, value: str) -> None:
    _check(name not in _REPORTED, "labels", f"The collector reports {name} itself.")
    _check(name != "telflo.name", "labels", "telflo.name is the collector's name, not a label.")
    _check(
        bool(_LABEL_NAME.fullmatch(name)) and name.lower() not in _WORDS_OF_YAML,
        "labels",
        f"{name[:80]!r} cannot name a label: a letter, then letters, digits and . _ / - only.",
    )
    _check(
        value.isprintable() and len(value) <= _LONGEST_LABEL,
        "labels",
        f"The value of {name} must be one line of at most {_LONGEST_LABEL} characters.",
    )
    _check(
        not any(part in value for part in _NOT_IN_A_VALUE),
        "labels",
        f'The value of {name} must be without ", \\ and ${{: no supervisor would start with it.',
    )


def _check_proxy(proxy: str) -> None:
    if not proxy:
        return
    _check(len(proxy) <= LONGEST_PROXY, "proxy", f"A proxy has at most {LONGEST_PROXY} characters.")
    parts = http_address(proxy)
    if parts is None or not proxy.isprintable():
        raise _refusal("Give the proxy as http://host:port.", "proxy")
    _check(
        not (parts.username or parts.password),
        "proxy",
        "The script is not secret, so the proxy's password cannot be in it. Give it on the host: --proxy.",
    )


def _from_json(name: str, value: Any, annotation: Any) -> Any:
    """A JSON value as the field's type; the annotations are real types in this module."""
    if annotation == tuple[str, ...]:
        is_right = isinstance(value, list) and all(isinstance(item, str) for item in value)
        _check(is_right, name, f"{name} must be a list of texts.")
        return tuple(value)
    if annotation == Mapping[str, str]:
        is_right = isinstance(value, dict) and all(
            isinstance(item, str) for pair in value.items() for item in pair
        )
        _check(is_right, name, f"{name} must be an object of texts.")
        return dict(value)
    _check(type(value) is annotation, name, f"{name} must be of type {annotation.__name__}.")
    return value
