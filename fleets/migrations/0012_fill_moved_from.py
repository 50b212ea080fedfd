"""Whoever uses what it was offered came by the token before that, as far as can be told now."""

from django.db import migrations, transaction
from django.db.models import F, Q

BATCH = 200
"""Members per transaction: locks are short, and what was done stays when it is interrupted."""


def fill(apps, editor):
    """Can be run again."""
    alias = editor.connection.alias
    members = apps.get_model("fleets", "Membership").objects.using(alias)
    is_offered = Q(token__kind="agent") | Q(token=F("agent__connection__credential"))
    moved = members.filter(is_offered, moved_from=None, token__parent__isnull=False).order_by("pk")
    while rows := list(moved.values_list("pk", "token__parent")[:BATCH]):
        with transaction.atomic(alias):
            for pk, parent in rows:
                members.filter(pk=pk).update(moved_from=parent)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("fleets", "0011_moved_from"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
