"""The ways out: a webhook's POST and an e-mail. Neither touches the database, and each ends within a bounded time."""

from notices.sending.answers import Answer
from notices.sending.mail import send_mail
from notices.sending.webhook import post

__all__ = ["Answer", "post", "send_mail"]
