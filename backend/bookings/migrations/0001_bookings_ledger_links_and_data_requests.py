import django.db.models.deletion
import django_fsm
from django.db import migrations, models

import backend.bookings.models
import backend.core.encryption


class Migration(migrations.Migration):
    replaces = [
        ("bookings", "0001_initial"),
        ("bookings", "0003_cancellations_moves_and_outcomes"),
        ("bookings", "0004_wished_slots"),
        ("bookings", "0005_sponsored_months"),
        ("bookings", "0006_follow_ups_moves_and_alternatives"),
        ("bookings", "0007_disclosures_and_permissions"),
        ("bookings", "0008_sessions_and_requests_by_time"),
        ("bookings", "0009_messages_read"),
        ("bookings", "0010_desk_list_and_search"),
        ("bookings", "0001_bookings_links_and_slot_claims"),
        ("bookings", "0002_links_name_their_key"),
        ("bookings", "0003_phone_numbers_as_e164"),
        ("bookings", "0004_words_that_staff_read"),
        ("bookings", "0005_decisions_that_can_be_undone"),
        ("bookings", "0007_texts_beside_the_old"),
        ("bookings", "0008_texts_bound_to_their_row"),
        ("bookings", "0009_unbound_texts_gone"),
        ("bookings", "0010_numbers_shown_gone"),
        ("bookings", "0011_choices_of_visitors"),
        ("bookings", "0012_notices_that_were_accepted"),
        ("bookings", "0013_links_to_own_data"),
        ("bookings", "0014_requests_about_data"),
        ("bookings", "0015_guardians_who_consented"),
        ("bookings", "0016_consent_withdrawn"),
        ("bookings", "0017_who_asked_about_data"),
        ("bookings", "0018_requests_say_more"),
        ("bookings", "0019_links_to_pay"),
        ("bookings", "0020_what_lists_and_numbers_look_for"),
        ("bookings", "0022_answers_kept_for_repetitions"),
        ("bookings", "0023_links_to_rooms"),
        ("bookings", "0024_one_index_of_sponsored"),
        ("bookings", "0025_calendar_entries_that_are_wanted"),
        ("bookings", "0026_language_and_clock"),
    ]

    initial = True

    dependencies = [
        ("people", "0001_clients_psychologists_and_hours"),
    ]

    operations = [
        migrations.CreateModel(
            name="Booking",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[
                            ("DRAFT", "Draft"),
                            ("PENDING", "Pending"),
                            ("APPROVED", "Approved"),
                            ("PAYMENT_PENDING", "Payment pending"),
                            ("CONFIRMED", "Confirmed"),
                            ("COMPLETED", "Completed"),
                            ("REJECTED", "Rejected"),
                            ("CANCELLED", "Cancelled"),
                            ("PAYMENT_FAILED", "Payment failed"),
                        ],
                        default="DRAFT",
                        max_length=16,
                        protected=True,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("email_not_verified", "address not proved in time"),
                            ("superseded", "another draft of the same person was proved"),
                            ("unanswered", "not answered by the practice in time"),
                            ("payment_timed_out", "not paid in time"),
                            ("attempt_failed", "the bank declined the payment"),
                            ("attempt_idle", "the payment was not finished"),
                            ("by_visitor", "cancelled by the visitor"),
                            ("cancelled_late", "cancelled by the visitor inside the last day"),
                            ("by_staff", "cancelled by the practice"),
                            ("declined", "declined by the practice"),
                            ("late_capture", "paid after the deadline, slot still free"),
                        ],
                        max_length=24,
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "acknowledgement_id",
                    models.CharField(
                        default=backend.bookings.models.new_acknowledgement_id,
                        editable=False,
                        max_length=9,
                        unique=True,
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[("visitor", "Visitor"), ("staff", "Staff")], default="visitor", max_length=8
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("full_name", models.CharField(blank=True, max_length=120)),
                ("phone_number", models.CharField(blank=True, max_length=20)),
                ("city", models.CharField(blank=True, max_length=80)),
                ("region", models.CharField(blank=True, max_length=80, verbose_name="state or province")),
                ("country", models.CharField(blank=True, max_length=80)),
                ("age", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "gender",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("MALE", "Male"),
                            ("FEMALE", "Female"),
                            ("OTHER", "Other"),
                            ("PREFER_NOT_TO_SAY", "Prefers not to say"),
                        ],
                        max_length=20,
                    ),
                ),
                ("consent_given_at", models.DateTimeField(blank=True, null=True)),
                ("preferred_date", models.DateField()),
                (
                    "preferred_period",
                    models.CharField(
                        choices=[("MORNING", "Morning"), ("EVENING", "Evening"), ("CUSTOM", "Custom")], max_length=8
                    ),
                ),
                ("preferred_time_start", models.TimeField(blank=True, null=True)),
                ("preferred_time_end", models.TimeField(blank=True, null=True)),
                ("mode", models.CharField(choices=[("ONLINE", "Online"), ("OFFLINE", "In person")], max_length=8)),
                (
                    "payment_mode",
                    models.CharField(choices=[("ONLINE", "Online"), ("OFFLINE", "At the practice")], max_length=8),
                ),
                ("guardian_consent_at", models.DateTimeField(blank=True, null=True)),
                ("guardian_consent_by", models.CharField(blank=True, max_length=80)),
                ("slot_start", models.DateTimeField(blank=True, null=True)),
                ("slot_end", models.DateTimeField(blank=True, null=True)),
                ("meeting_link", models.CharField(blank=True, max_length=200)),
                ("address", models.TextField(blank=True, max_length=500)),
                ("amount_paise", models.PositiveIntegerField(blank=True, null=True)),
                ("pay_by", models.DateTimeField(blank=True, null=True)),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("next_ask_at", models.DateTimeField(blank=True, null=True)),
                ("ledger_sequence", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("purged_at", models.DateTimeField(blank=True, null=True)),
                (
                    "client",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bookings",
                        to="people.client",
                    ),
                ),
                (
                    "corporate",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="people.corporate",
                    ),
                ),
                (
                    "psychologist",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="people.psychologist",
                    ),
                ),
                ("cancellation_requested_at", models.DateTimeField(blank=True, null=True)),
                ("is_priority", models.BooleanField(default=False)),
                ("moved_by_staff_at", models.DateTimeField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("unrecorded", "Not recorded"),
                            ("attended", "Attended"),
                            ("no_show", "Client did not come"),
                            ("practice_absent", "We could not hold it"),
                        ],
                        default="unrecorded",
                        max_length=16,
                    ),
                ),
                (
                    "preferred_psychologist",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="wished_for",
                        to="people.psychologist",
                    ),
                ),
                ("preferred_slot_start", models.DateTimeField(blank=True, null=True)),
                ("sponsor_code", models.CharField(blank=True, max_length=40)),
                ("sponsored_month", models.DateField(blank=True, null=True)),
                ("sponsorship_returned_at", models.DateTimeField(blank=True, null=True)),
                (
                    "follows",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="follow_ups",
                        to="bookings.booking",
                    ),
                ),
                ("moves_by_visitor", models.PositiveSmallIntegerField(default=0)),
                ("message_read_at", models.DateTimeField(blank=True, null=True)),
                ("undo_until", models.DateTimeField(blank=True, null=True)),
                (
                    "user_message",
                    backend.core.encryption.EncryptedTextField(blank=True, default="", row_id="acknowledgement_id"),
                ),
                (
                    "emergency_contact",
                    backend.core.encryption.EncryptedTextField(
                        blank=True, default="", max_length=120, row_id="acknowledgement_id"
                    ),
                ),
                (
                    "note_to_visitor",
                    backend.core.encryption.EncryptedTextField(
                        blank=True, default="", max_length=300, row_id="acknowledgement_id"
                    ),
                ),
                (
                    "refund_note",
                    backend.core.encryption.EncryptedTextField(
                        blank=True, default="", max_length=300, row_id="acknowledgement_id"
                    ),
                ),
                ("choose_by", models.DateTimeField(blank=True, null=True)),
                ("notice_language", models.CharField(blank=True, db_default="", default="", max_length=2)),
                ("notice_version", models.CharField(blank=True, db_default="", default="", max_length=10)),
                (
                    "guardian_name",
                    backend.core.encryption.EncryptedTextField(
                        blank=True, db_default="", default="", max_length=120, row_id="acknowledgement_id"
                    ),
                ),
                (
                    "guardian_proof",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("document", "An identity document was shown"),
                            ("token", "By a Digital Locker or another token of the state"),
                            ("known", "The practice knows them already"),
                            ("spoken", "We called them and asked"),
                        ],
                        db_default="",
                        default="",
                        max_length=10,
                    ),
                ),
                ("consent_withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("calendar_entry", models.BooleanField(db_default=True, default=True)),
                ("language", models.CharField(blank=True, db_default="", default="", max_length=8)),
                ("time_zone", models.CharField(blank=True, db_default="", default="", max_length=40)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["state", "due_at"], name="booking_due"
                    ),
                    models.Index(fields=["client", "-id"], name="booking_client"),
                    models.Index(
                        condition=models.Q(("purged_at", None), ("state", "CANCELLED"), ("verified_at", None)),
                        fields=["closed_at"],
                        name="booking_purge",
                    ),
                    models.Index(fields=["email", "-id"], name="booking_email"),
                    models.Index(
                        condition=models.Q(("cancellation_requested_at__isnull", False)),
                        fields=["cancellation_requested_at"],
                        name="booking_cancellation",
                    ),
                    models.Index(
                        condition=models.Q(("preferred_slot_start__isnull", False), ("state", "PENDING")),
                        fields=["preferred_psychologist", "preferred_slot_start"],
                        name="booking_wish",
                    ),
                    models.Index(
                        condition=models.Q(("slot_start__isnull", False)), fields=["slot_start"], name="booking_slot"
                    ),
                    models.Index(
                        condition=models.Q(("verified_at__isnull", False)),
                        fields=["verified_at"],
                        name="booking_verified",
                    ),
                    models.Index(fields=["psychologist", "-id"], name="booking_psychologist"),
                    models.Index(
                        condition=models.Q(("is_priority", True), ("state", "PENDING")),
                        fields=["-id"],
                        name="booking_again",
                    ),
                    models.Index(fields=["preferred_date"], name="booking_preferred"),
                    models.Index(fields=["full_name", "email", "phone_number"], name="booking_search"),
                    models.Index(
                        condition=models.Q(("follows__isnull", False)), fields=["follows"], name="booking_follows"
                    ),
                    models.Index(
                        condition=models.Q(("choose_by__isnull", False)), fields=["choose_by"], name="booking_choice"
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ["REJECTED", "CANCELLED", "PAYMENT_FAILED"])),
                        fields=["closed_at"],
                        name="booking_called_off",
                    ),
                    models.Index(
                        condition=models.Q(("corporate__isnull", False)),
                        fields=["corporate", "sponsored_month"],
                        name="booking_sponsored",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("closed_at__isnull", False),
                                ("due_at", None),
                                ("state__in", ["COMPLETED", "REJECTED", "CANCELLED", "PAYMENT_FAILED"]),
                            ),
                            models.Q(
                                models.Q(
                                    ("state__in", ["COMPLETED", "REJECTED", "CANCELLED", "PAYMENT_FAILED"]),
                                    _negated=True,
                                ),
                                ("closed_at", None),
                                ("due_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="waiting_has_deadline",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("slot_end", None), ("slot_start", None)),
                            ("slot_end__gt", models.F("slot_start")),
                            _connector="OR",
                        ),
                        name="slot_ends_after_start",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("origin", "visitor"),
                            ("state__in", ["PENDING", "APPROVED", "PAYMENT_PENDING", "CONFIRMED"]),
                        ),
                        fields=("client",),
                        name="one_active_booking_per_client",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("choose_by", None),
                            ("state__in", ["APPROVED", "PAYMENT_PENDING", "CONFIRMED"]),
                            _connector="OR",
                        ),
                        name="choice_is_of_a_session",
                    ),
                ],
                "permissions": [
                    ("view_own_booking", "Can view own bookings"),
                    ("change_own_booking", "Can change own bookings"),
                    ("view_unassigned_booking", "Can decide about requests without a psychologist"),
                    ("view_user_message", "Can read the messages of all bookings"),
                    ("view_phone_number", "Can see telephone numbers"),
                    ("reveal_phone_number", "Can reveal a telephone number, recorded"),
                ],
            },
            bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
        ),
        migrations.CreateModel(
            name="ClosedDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "weekday",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        choices=[
                            (0, "Monday"),
                            (1, "Tuesday"),
                            (2, "Wednesday"),
                            (3, "Thursday"),
                            (4, "Friday"),
                            (5, "Saturday"),
                            (6, "Sunday"),
                        ],
                        null=True,
                        unique=True,
                    ),
                ),
                ("date", models.DateField(blank=True, null=True, unique=True)),
                ("note", models.CharField(blank=True, max_length=120)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("date", None), ("weekday__isnull", False)),
                            models.Q(("date__isnull", False), ("weekday", None)),
                            _connector="OR",
                        ),
                        name="closed_weekday_or_date",
                        violation_error_message="Give either a weekday or a date.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sequence", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                ("intent", models.CharField(max_length=40)),
                ("source", models.CharField(blank=True, max_length=16)),
                (
                    "target",
                    models.CharField(
                        choices=[
                            ("DRAFT", "Draft"),
                            ("PENDING", "Pending"),
                            ("APPROVED", "Approved"),
                            ("PAYMENT_PENDING", "Payment pending"),
                            ("CONFIRMED", "Confirmed"),
                            ("COMPLETED", "Completed"),
                            ("REJECTED", "Rejected"),
                            ("CANCELLED", "Cancelled"),
                            ("PAYMENT_FAILED", "Payment failed"),
                        ],
                        max_length=16,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=24)),
                ("actor", models.CharField(max_length=80)),
                ("details", models.JSONField(blank=True, default=dict)),
                ("correlation_id", models.CharField(blank=True, max_length=64)),
                (
                    "booking",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ledger",
                        to="bookings.booking",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "ledger",
                "ordering": ["booking_id", "sequence"],
                "constraints": [models.UniqueConstraint(fields=("booking", "sequence"), name="ledger_sequence_once")],
            },
        ),
        migrations.CreateModel(
            name="SlotClaim",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("blocked_from", models.DateTimeField()),
                ("blocked_until", models.DateTimeField()),
                (
                    "booking",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="claim", to="bookings.booking"
                    ),
                ),
                (
                    "psychologist",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="people.psychologist",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["psychologist", "blocked_from"], name="claim_psychologist")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("blocked_until__gt", models.F("blocked_from"))),
                        name="claim_ends_after_start",
                    )
                ],
                "verbose_name": "held slot",
            },
        ),
        migrations.CreateModel(
            name="Alternative",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                ("slot_start", models.DateTimeField()),
                ("slot_end", models.DateTimeField()),
                ("amount_paise", models.PositiveIntegerField()),
                (
                    "booking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="alternatives", to="bookings.booking"
                    ),
                ),
                (
                    "psychologist",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="people.psychologist"),
                ),
                (
                    "taken_by",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="taken_from",
                        to="bookings.booking",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(fields=("booking", "number"), name="alternative_once"),
                    models.CheckConstraint(
                        condition=models.Q(("slot_end__gt", models.F("slot_start"))),
                        name="alternative_ends_after_start",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Link",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("booking", "Booking"),
                            ("cancel", "Cancel"),
                            ("cancel_late", "Cancel late"),
                            ("reschedule", "Reschedule"),
                            ("alternative", "Alternative"),
                            ("pay", "Pay"),
                            ("room", "Room"),
                            ("again", "Request again"),
                            ("data", "Your data"),
                            ("erasure", "Erase your data"),
                        ],
                        max_length=16,
                    ),
                ),
                ("message_uuid", models.UUIDField()),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("spent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "booking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="links", to="bookings.booking"
                    ),
                ),
                (
                    "alternative",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="bookings.alternative",
                    ),
                ),
                ("key_id", models.CharField(max_length=8)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["message_uuid"], name="link_message"),
                    models.Index(
                        condition=models.Q(("expires_at__isnull", False)), fields=["expires_at"], name="link_expiry"
                    ),
                    models.Index(
                        condition=models.Q(("alternative__isnull", False)),
                        fields=["alternative"],
                        name="link_alternative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DataRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("correction", "Correct the data"),
                            ("withdrawal", "Withdraw the consent"),
                            ("erasure", "Erase the data"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Asked, not proved"),
                            ("waiting", "Waits for its day"),
                            ("done", "Done"),
                            ("stopped", "Stopped by the person"),
                            ("lapsed", "Not proved in time"),
                        ],
                        max_length=16,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("deadline", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                (
                    "waits_for",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("booking", "a booking that is open"),
                            ("refund", "money that is on its way back"),
                            ("payment", "a session that took place and is not recorded as paid"),
                        ],
                        max_length=16,
                    ),
                ),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "booking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="data_requests", to="bookings.booking"
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="data_requests",
                        to="people.client",
                    ),
                ),
                ("asked_by", models.CharField(db_default="visitor", default="visitor", max_length=80)),
                ("changed", models.CharField(blank=True, db_default="", default="", max_length=120)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="data_request_due"
                    ),
                    models.Index(
                        condition=models.Q(("closed_at", None)), fields=["deadline"], name="data_request_open"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["asked", "waiting"])),
                        fields=("client",),
                        name="one_open_data_request",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("closed_at", None), ("due_at__isnull", False), ("state__in", ["asked", "waiting"])
                            ),
                            models.Q(
                                models.Q(("state__in", ["asked", "waiting"]), _negated=True),
                                ("closed_at__isnull", False),
                                ("due_at", None),
                            ),
                            _connector="OR",
                        ),
                        name="open_data_request_is_due",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="KeptAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("fingerprint", models.CharField(max_length=64)),
                ("fence", models.PositiveIntegerField(default=1)),
                ("reserved_at", models.DateTimeField()),
                ("lease_ends_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("answer", backend.core.encryption.EncryptedTextField(blank=True, default="", row_id="digest")),
                ("about", models.TextField(blank=True, default="")),
            ],
            options={
                "indexes": [models.Index(fields=["reserved_at"], name="kept_answer_reserved")],
            },
        ),
    ]
