"""The track: stations on one wire (templates/cotton/track.html)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrackStage:
    """One station. state: a word of the vocabulary "stage"; percent: how much of the wire behind it is drawn.

    url: where line1 leads, if anywhere.
    """

    number: int
    name: str
    state: str
    line1: str = ""
    line2: str = ""
    percent: int = 0
    url: str = ""
