"""PURE. Where a component's documentation is."""

from typing import Final

_REPOSITORIES: Final = (
    (
        "go.opentelemetry.io/collector/",
        "https://github.com/open-telemetry/opentelemetry-collector/tree/v{version}/{folder}",
    ),
    (
        "github.com/open-telemetry/opentelemetry-collector-contrib/",
        "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/v{version}/{folder}",
    ),
)


def page_of(module: str, version: str) -> str:
    """The page of a component in a version; of a module from elsewhere Go's own page, "" for none."""
    for start, page in _REPOSITORIES:
        if module.startswith(start):
            return page.format(version=version, folder=module.removeprefix(start))
    return f"https://pkg.go.dev/{module}@v{version}" if module else ""
