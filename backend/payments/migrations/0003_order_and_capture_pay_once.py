"""Each order and capture of a gateway pays once; what fits no payment is kept, with the reason."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0002_links_name_their_key"),
        ("payments", "0002_refunds_that_the_gateway_does_not_finish"),
    ]

    operations = [
        migrations.AddField(
            model_name="inboxevent",
            name="why",
            field=models.CharField(blank=True, db_default="", default="", max_length=300),
        ),
        migrations.AddIndex(
            model_name="inboxevent",
            index=models.Index(
                condition=models.Q(("result", "quarantined")), fields=["received_at"], name="inbox_quarantine"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("gateway_order_id", ""), _negated=True),
                fields=("gateway", "gateway_order_id"),
                name="order_pays_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("capture_id", ""), _negated=True),
                fields=("gateway", "capture_id"),
                name="capture_pays_once",
            ),
        ),
    ]
