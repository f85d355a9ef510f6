"""What is recorded about billing: which fields changed, never what stands in them."""

UPDATED = "billing.updated"
TARGET = "billing"
