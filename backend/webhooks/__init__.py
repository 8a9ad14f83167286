"""Outgoing webhooks: who is told what at which address, signed with which secret, and how each delivery went."""
