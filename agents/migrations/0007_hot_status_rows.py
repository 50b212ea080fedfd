"""Heartbeats change no indexed column and find room on their page, so that PostgreSQL writes no index for them (HOT)."""

from django.db import migrations, models

from telflo.base.online import SqlFor

INDEX = "agents_agentstatus_last_seen_at_41af4092"
CREATE = f"{INDEX} ON agents_agentstatus (last_seen_at)"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("agents", "0006_connection_settings")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                SqlFor(
                    "postgresql",
                    f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}",
                    [
                        f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}",
                        f"CREATE INDEX CONCURRENTLY {CREATE}",
                    ],
                ),
                SqlFor(
                    "sqlite",
                    f"DROP INDEX IF EXISTS {INDEX}",
                    f"CREATE INDEX IF NOT EXISTS {CREATE}",
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="agentstatus",
                    name="last_seen_at",
                    field=models.DateTimeField(null=True),
                )
            ],
        ),
        SqlFor(
            "postgresql",
            "ALTER TABLE agents_agentstatus SET (fillfactor = 80)",
            "ALTER TABLE agents_agentstatus RESET (fillfactor)",
        ),
    ]
