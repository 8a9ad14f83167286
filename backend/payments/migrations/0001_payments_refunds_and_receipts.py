import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("payments", "0001_initial"),
        ("payments", "0002_find_events_of_a_payment"),
        ("payments", "0001_payments_refunds_and_inbox"),
        ("payments", "0002_refunds_that_the_gateway_does_not_finish"),
        ("payments", "0003_order_and_capture_pay_once"),
        ("payments", "0004_refunds_that_were_withdrawn"),
        ("payments", "0005_payments_recorded_by_mistake"),
        ("payments", "0006_hosted_pages_fees_and_an_inbox_kept_first"),
        ("payments", "0007_receipts_and_credit_notes"),
        ("payments", "0008_lines_of_settlements"),
        ("payments", "0009_where_the_comparison_with_a_gateway_stands"),
        ("payments", "0010_how_money_came_at_the_desk"),
        ("payments", "0011_longer_addresses_of_pages"),
        ("payments", "0012_when_a_pay_page_asked"),
        ("payments", "0013_rounds_since_when_and_odd_events"),
        ("payments", "0014_why_a_refund_was_refused"),
        ("payments", "0015_ids_as_long_as_a_gateway_may_make_them"),
    ]

    initial = True

    dependencies = [
        ("bookings", "0001_bookings_ledger_links_and_data_requests"),
    ]

    operations = [
        migrations.CreateModel(
            name="InboxEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("gateway", models.CharField(max_length=20)),
                ("event_id", models.CharField(max_length=255)),
                ("kind", models.CharField(max_length=40)),
                ("payment_reference", models.CharField(blank=True, max_length=40)),
                ("result", models.CharField(blank=True, max_length=40)),
                ("correlation_id", models.CharField(blank=True, max_length=64)),
                ("received_at", models.DateTimeField()),
                ("why", models.CharField(blank=True, db_default="", default="", max_length=300)),
                ("applied_at", models.DateTimeField(blank=True, null=True)),
                ("facts", models.JSONField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [models.UniqueConstraint(fields=("gateway", "event_id"), name="inbox_event_once")],
                "indexes": [
                    models.Index(fields=["payment_reference"], name="inbox_payment"),
                    models.Index(
                        condition=models.Q(("applied_at", None)), fields=["received_at"], name="inbox_waiting"
                    ),
                    models.Index(
                        condition=models.Q(("result__in", ("quarantined", "untold", "refused"))),
                        fields=["received_at"],
                        name="inbox_odd",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=40, unique=True)),
                (
                    "method",
                    models.CharField(
                        choices=[("online", "Online"), ("desk", "At the desk")], default="online", max_length=16
                    ),
                ),
                ("gateway", models.CharField(blank=True, max_length=20)),
                ("gateway_order_id", models.CharField(blank=True, max_length=255)),
                ("capture_id", models.CharField(blank=True, max_length=255)),
                ("amount_paise", models.PositiveIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("failed", "Failed"),
                            ("idle", "Idle"),
                            ("captured", "Captured"),
                            ("voided", "Recorded by mistake"),
                        ],
                        default="open",
                        max_length=16,
                    ),
                ),
                ("captured_paise", models.PositiveIntegerField(default=0)),
                ("captured_currency", models.CharField(blank=True, max_length=3)),
                ("is_unexpected", models.BooleanField(default=False)),
                ("asked", models.PositiveSmallIntegerField(default=0)),
                ("started_at", models.DateTimeField()),
                ("captured_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "booking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="bookings.booking"
                    ),
                ),
                ("fee_paise", models.PositiveIntegerField(blank=True, null=True)),
                ("last_try", models.CharField(blank=True, db_default="", max_length=8)),
                ("page_expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "page_state",
                    models.CharField(
                        blank=True,
                        choices=[("", "None"), ("open", "Open"), ("closed", "Closed")],
                        db_default="",
                        max_length=8,
                    ),
                ),
                ("paid_by", models.CharField(blank=True, db_default="", max_length=40)),
                ("pay_url", models.CharField(blank=True, db_default="", max_length=2000)),
                ("tax_paise", models.PositiveIntegerField(blank=True, null=True)),
                ("compared_at", models.DateTimeField(blank=True, null=True)),
                ("refunds_compared_at", models.DateTimeField(blank=True, null=True)),
                ("bank_reference", models.CharField(blank=True, db_default="", max_length=40)),
                ("received_on", models.DateField(blank=True, null=True)),
                ("looked_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")), fields=("booking",), name="one_open_attempt_per_booking"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("gateway_order_id", ""), _negated=True),
                        fields=("gateway", "gateway_order_id"),
                        name="order_pays_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("capture_id", ""), _negated=True),
                        fields=("gateway", "capture_id"),
                        name="capture_pays_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("page_state", "open")),
                        fields=("booking",),
                        name="one_open_page_per_booking",
                    ),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("captured_at", None), _negated=True),
                        fields=["captured_at"],
                        name="payment_captured",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=40, unique=True)),
                ("gateway_refund_id", models.CharField(blank=True, max_length=255)),
                ("amount_paise", models.PositiveIntegerField()),
                ("reason", models.CharField(max_length=40)),
                ("actor", models.CharField(max_length=80)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("unfinished", "Not finished by the gateway"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="queued",
                        max_length=16,
                    ),
                ),
                ("queued_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="payments.payment"
                    ),
                ),
                ("refused_why", models.CharField(blank=True, db_default="", default="", max_length=200)),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount_paise__gt", 0)), name="refund_is_positive")
                ],
            },
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(choices=[("receipt", "Receipt"), ("credit_note", "Credit note")], max_length=16),
                ),
                ("year", models.PositiveSmallIntegerField()),
                ("sequence", models.PositiveIntegerField()),
                ("number", models.CharField(max_length=16, unique=True)),
                ("at", models.DateTimeField()),
                ("person_name", models.CharField(max_length=120)),
                ("booking_reference", models.CharField(max_length=9)),
                ("description", models.CharField(max_length=120)),
                ("practice_name", models.CharField(max_length=200)),
                ("practice_address", models.CharField(blank=True, max_length=500)),
                ("gstin", models.CharField(blank=True, max_length=15)),
                ("sac", models.CharField(blank=True, max_length=6)),
                (
                    "tax_mode",
                    models.CharField(choices=[("exempt", "exempt"), ("registered", "registered")], max_length=16),
                ),
                ("tax_percent", models.PositiveSmallIntegerField(default=0)),
                ("place_of_supply", models.CharField(blank=True, max_length=2)),
                ("currency", models.CharField(max_length=3)),
                ("amount_paise", models.PositiveIntegerField()),
                ("taxable_paise", models.PositiveIntegerField()),
                ("cgst_paise", models.PositiveIntegerField(default=0)),
                ("sgst_paise", models.PositiveIntegerField(default=0)),
                ("igst_paise", models.PositiveIntegerField(default=0)),
                (
                    "original",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_notes",
                        to="payments.receipt",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="receipts", to="payments.payment"
                    ),
                ),
                (
                    "refund",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_note",
                        to="payments.refund",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "year", "sequence"), name="receipt_number_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "receipt")), fields=("payment",), name="receipt_of_payment_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "credit_note"), ("refund", None)),
                        fields=("payment",),
                        name="receipt_cancelled_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "receipt"), ("original", None), ("refund", None)),
                            models.Q(("kind", "credit_note"), ("original__isnull", False)),
                            _connector="OR",
                        ),
                        name="credit_note_names_its_receipt",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "amount_paise",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("taxable_paise"), "+", models.F("cgst_paise")
                                        ),
                                        "+",
                                        models.F("sgst_paise"),
                                    ),
                                    "+",
                                    models.F("igst_paise"),
                                ),
                            )
                        ),
                        name="receipt_adds_up",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReceiptFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("content", models.BinaryField()),
                ("sha256", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                (
                    "receipt",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="file", to="payments.receipt"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReceiptSeries",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(choices=[("receipt", "Receipt"), ("credit_note", "Credit note")], max_length=16),
                ),
                ("year", models.PositiveSmallIntegerField()),
                ("next_number", models.PositiveIntegerField(default=1)),
            ],
            options={
                "verbose_name_plural": "receipt series",
                "constraints": [models.UniqueConstraint(fields=("kind", "year"), name="receipt_series_once")],
            },
        ),
        migrations.CreateModel(
            name="SettlementLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("gateway", models.CharField(max_length=20)),
                ("kind", models.CharField(max_length=255)),
                ("gateway_id", models.CharField(max_length=255)),
                ("reference", models.CharField(blank=True, max_length=255)),
                ("amount_paise", models.IntegerField()),
                ("fee_paise", models.IntegerField()),
                ("tax_paise", models.IntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("settlement_id", models.CharField(max_length=255)),
                ("bank_reference", models.CharField(blank=True, max_length=255)),
                ("settled_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["settled_at"], name="settlement_settled")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("gateway", "gateway_id", "kind", "settlement_id"), name="settlement_line_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Reconciliation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("gateway", models.CharField(max_length=20, unique=True)),
                ("begun_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                ("since", models.DateTimeField()),
                ("mark", models.CharField(blank=True, db_default="", default="", max_length=255)),
                ("has_listed", models.BooleanField(db_default=False, default=False)),
                ("last_payment", models.BigIntegerField(db_default=0, default=0)),
                ("first_begun_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "ordering": ["gateway"],
            },
        ),
    ]
