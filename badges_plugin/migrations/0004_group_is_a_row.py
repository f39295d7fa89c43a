from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('badges_plugin', '0003_text_groups'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='badgerequirement',
            name='group',
        ),
        migrations.RenameField(
            model_name='badgerequirement',
            old_name='group_row',
            new_name='group',
        ),
    ]
