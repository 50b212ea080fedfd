"""What the validator says of a text where people and programs see it: what builds here say that they have is known."""

from configs.checking import checked
from configs.collector.findings import Report
from configs.models import ConfigVersion
from configs.views.component_use import reported


def judged(text: str, collector_version: str = "") -> Report:
    """As `checked`. Components of a build of one's own stand in no catalog."""
    return checked(text, collector_version, reported=reported())


def what_next(version: ConfigVersion) -> str:
    """What is said of a version that was just saved."""
    if judged(version.yaml, version.collector_version).is_valid:
        return "Publish it to give it to fleets"
    return "It has errors: mend them in a draft, fleets cannot be given it"
