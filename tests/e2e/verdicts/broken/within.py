"""How settings are laid over a component."""


def within(section: str, component: str, fields: str) -> str:
    """A component with these settings, in the flow style of YAML."""
    return f"{section}: {{{component}: {{{fields}}}}}"
