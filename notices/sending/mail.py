"""One e-mail to the people of a subscription."""

import smtplib
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage

from notices.sending.answers import Answer
from telflo.base.redaction import redact_line

OFF = "E-mail is off. Set TELFLO_EMAIL_URL."


def send_mail(*, subject: str, text: str, recipients: Sequence[str], message_id: str) -> Answer:
    """Hand it to the mail server and answer how it went. The id lets mail programs know a double."""
    if not settings.EMAIL_IS_ON:
        return Answer(OFF)
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ")
    headers = {"Message-ID": f"<{message_id}@{domain}>", "Auto-Submitted": "auto-generated"}
    message = EmailMessage(subject, text, to=list(recipients), headers=headers)
    try:
        message.send()
    except (smtplib.SMTPException, OSError) as error:
        return Answer(f"The mail server did not take it: {redact_line(_reason(error))[:200]}")
    return Answer()


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return str(error) or type(error).__name__
