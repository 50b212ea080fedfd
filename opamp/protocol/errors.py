"""What can be wrong with a message. Texts are sent to the agent: plain words, nothing internal."""


class MalformedMessage(Exception):
    """A message that cannot be taken as it is (M7); the text names the problem for whoever sent it.

    Answer it with replies.bad_request; the connection stays open.
    """
