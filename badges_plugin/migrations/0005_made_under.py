from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('badges_plugin', '0004_group_is_a_row'),
    ]

    operations = [
        migrations.AddField(
            model_name='badgerequirement',
            name='forgotten_rules',
            field=models.JSONField(default=dict, editable=False, help_text="How often what was done under rules was forgotten, by the rules' digest."),
        ),
        migrations.AddField(
            model_name='badgerequirement',
            name='kept_rules',
            field=models.JSONField(default=dict, editable=False, help_text='Fingerprints of earlier rules that still count, by the fingerprint they count for.'),
        ),
        migrations.AddField(
            model_name='fulfillment',
            name='made_under',
            field=models.CharField(blank=True, default='', editable=False, help_text="Fingerprint of the requirement's rules at that time. Empty for what is not fulfilled.", max_length=64, verbose_name='made under'),
            preserve_default=False,
        ),
    ]
