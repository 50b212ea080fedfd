"""PURE. What is wrong with a statement."""


class OttlError(Exception):
    """words: a part of a sentence, for people · at: the offset in the statement."""

    def __init__(self, words: str, at: int = 0) -> None:
        super().__init__(words)
        self.words = words
        self.at = at
