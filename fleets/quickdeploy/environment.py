"""Which environment variables a collector configuration uses. Pure."""

import yaml

from configs.collector.references import Variable, references_in, variables_named_by


def variables_in(text: str) -> tuple[Variable, ...]:
    """The variables that ${env:X} and ${X} name in keys and values, in order of their first use.

    `$$` is a plain dollar sign; comments do not count. Text that is no YAML names none.
    """
    needed: dict[str, bool] = {}
    for scalar in _scalars(text):
        for reference in references_in(scalar):
            for one in variables_named_by(reference):
                needed[one.name] = needed.get(one.name, True) and one.has_default
    return tuple(Variable(name, has_default) for name, has_default in needed.items())


def _scalars(text: str) -> list[str]:
    """Every scalar's text. Events, not nodes: aliases cost nothing."""
    try:
        events = list(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        return []
    return [event.value for event in events if isinstance(event, yaml.ScalarEvent)]
