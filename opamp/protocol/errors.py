"""What can be wrong with a message. Texts are sent to the agent: plain words, nothing internal."""


class MalformedMessage(Exception):
    """A message that cannot be taken as it is (M7); the text names the problem for whoever sent it.

    Answer it with replies.bad_request; the connection stays open. limit: the name of the one that it is over, or "".
    """

    def __init__(self, text: str, *, limit: str = "") -> None:
        super().__init__(text)
        self.limit = limit
