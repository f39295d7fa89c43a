from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('badges_distribution', '0002_learners'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='expires_at',
            field=models.DateTimeField(blank=True, help_text='Then the provider ends the badge by itself, as it said when it was issued.', null=True, verbose_name='expires at the provider'),
        ),
    ]
