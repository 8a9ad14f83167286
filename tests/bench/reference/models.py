"""A request and a mail, each one row without constraints, states or history."""

from __future__ import annotations

import secrets

from django.db import models


def new_id() -> str:
    return f"MS-{secrets.token_hex(5).upper()}"  # long enough that ten thousand in a run do not meet


class Request(models.Model):
    """What the site's form says."""

    acknowledgement_id = models.CharField(max_length=13, unique=True, default=new_id)
    email = models.EmailField()
    full_name = models.CharField(max_length=120)
    phone_number = models.CharField(max_length=20)
    city = models.CharField(max_length=80)
    state = models.CharField(max_length=80)
    country = models.CharField(max_length=80)
    age = models.PositiveSmallIntegerField()
    gender = models.CharField(max_length=20)
    emergency_contact = models.CharField(max_length=120)
    consent_given = models.BooleanField()
    preferred_date = models.DateField()
    preferred_period = models.CharField(max_length=8)
    mode = models.CharField(max_length=8)
    payment_mode = models.CharField(max_length=8)
    status = models.CharField(max_length=16, default="DRAFT")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "reference"

    def __str__(self) -> str:
        return self.acknowledgement_id


class Mail(models.Model):
    """What is to be said to whom."""

    recipient = models.EmailField()
    context = models.JSONField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "reference"

    def __str__(self) -> str:
        return self.recipient
