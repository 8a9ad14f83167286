"""The steps between states that the design allows, written by hand: the storm and the model judge the code by them."""

ARROWS = {
    ("DRAFT", "PENDING"),
    ("DRAFT", "CANCELLED"),
    ("PENDING", "APPROVED"),
    ("PENDING", "CONFIRMED"),
    ("PENDING", "REJECTED"),
    ("PENDING", "CANCELLED"),
    ("APPROVED", "PAYMENT_PENDING"),
    ("APPROVED", "CONFIRMED"),
    ("APPROVED", "CANCELLED"),
    ("PAYMENT_PENDING", "CONFIRMED"),
    ("PAYMENT_PENDING", "APPROVED"),
    ("PAYMENT_PENDING", "PAYMENT_FAILED"),
    ("PAYMENT_PENDING", "CANCELLED"),
    ("CONFIRMED", "COMPLETED"),
    ("CONFIRMED", "CANCELLED"),
    ("CONFIRMED", "APPROVED"),  # money at the desk that was recorded by mistake
    ("CANCELLED", "CONFIRMED"),  # late money
    ("PAYMENT_FAILED", "CONFIRMED"),  # late money
    # undone at the desk before anybody was told
    ("APPROVED", "PENDING"),
    ("CONFIRMED", "PENDING"),
    ("REJECTED", "PENDING"),
    ("CANCELLED", "PENDING"),
    ("CANCELLED", "APPROVED"),
}
