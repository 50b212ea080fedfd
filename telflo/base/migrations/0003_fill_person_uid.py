"""A uid for everybody, and the same id in what the activity log says of them."""

from django.db import migrations, transaction

from telflo.base.ids import new_id

BATCH = 200
"""People per transaction: locks are short, and what was done stays when it is interrupted."""


def fill(apps, editor):
    """Give a uid to all without one. Can be run again."""
    users = apps.get_model("base", "User").objects.using(editor.connection.alias)
    while numbers := list(users.filter(uid=None).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic(editor.connection.alias):
            for number in numbers:
                uid = new_id()
                users.filter(pk=number).update(uid=uid)
                _rename(apps, editor, str(number), str(uid))


def number_again(apps, editor):
    """The log names people by number, as the code before did."""
    users = apps.get_model("base", "User").objects.using(editor.connection.alias)
    for number, uid in users.exclude(uid=None).values_list("pk", "uid"):
        _rename(apps, editor, str(uid), str(number))


def _rename(apps, editor, old, new):
    log = apps.get_model("base", "Activity").objects.using(editor.connection.alias)
    log.filter(object_type="person", object_id=old).update(object_id=new)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("base", "0002_person_uid")]

    operations = [migrations.RunPython(fill, number_again)]
