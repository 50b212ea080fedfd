"""`telflo create_api_token`: an API token for a person, alone on standard output for scripts."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from telflo.base.activity import Actor
from telflo.base.api_tokens import issue_api_token
from telflo.base.clock import now
from telflo.base.errors import DomainError
from telflo.base.lifetimes import expiry
from telflo.base.models import TokenScope, User


class Command(BaseCommand):
    """Prints the secret, this once."""

    help = "Make an API token for a person and print it, alone, on standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options."""
        parser.add_argument("--user", required=True, metavar="NAME")
        parser.add_argument("--name", default="command line", help="what the token is for")
        parser.add_argument("--scope", choices=TokenScope.values, default=TokenScope.READ.value)
        parser.add_argument("--expires", default="180d", help="never, 180d, 1y or an RFC 3339 time")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Make it. Raises CommandError for a person who is not there and for a wrong expiry."""
        person = User.objects.filter(username=options["user"]).first()
        if person is None:
            raise CommandError(f"There is no person with the user name {options['user']}.")
        try:
            issued = issue_api_token(
                user=person,
                name=options["name"],
                scope=options["scope"],
                expires_at=expiry(options["expires"], now()),
                actor=Actor.worker("command line"),
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(issued.secret)
