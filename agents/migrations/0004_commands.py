import django.db.models.deletion
import telflo.base.encryption
import telflo.base.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0003_given_uids'),
    ]

    operations = [
        migrations.CreateModel(
            name='AgentCommand',
            fields=[
                ('id', models.UUIDField(default=telflo.base.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('restart', 'Restart'), ('message', 'Custom message')], max_length=10)),
                ('capability', models.CharField(blank=True, help_text='of a custom message', max_length=200)),
                ('type', models.CharField(blank=True, help_text='of a custom message', max_length=200)),
                ('body', telflo.base.encryption.EncryptedTextField(default='', help_text='of a custom message, base64')),
                ('requested_by', models.CharField(max_length=200)),
                ('requested_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(help_text='not delivered by then: never')),
                ('sent_at', models.DateTimeField(null=True)),
                ('epoch', models.BigIntegerField(help_text='the session that it was sent to', null=True)),
                ('expired_at', models.DateTimeField(null=True)),
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='commands', to='agents.agent')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('expired_at', None), ('sent_at', None)), fields=['agent'], name='command_pending')],
            },
        ),
        migrations.AddField(
            model_name='agentstatus',
            name='restarted_at',
            field=models.DateTimeField(help_text='when we had it restarted last', null=True),
        ),
    ]
