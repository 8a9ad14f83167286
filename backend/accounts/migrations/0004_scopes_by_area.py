from django.db import migrations, models


class Migration(migrations.Migration):
    """`read` and `act`, which tokens have, go on to open all that they opened."""

    dependencies = [("accounts", "0003_networks_of_log_ins")]

    operations = [
        migrations.AlterField(model_name="tokengrant", name="scope", field=models.CharField(max_length=400)),
    ]
