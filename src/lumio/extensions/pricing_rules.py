"""Prices: what must stand together. Promise: a price is complete, or it is refused with the field that lacks."""

import math
from collections.abc import Iterator

from lumio.extensions.model import Pricing
from lumio.kernel.errors import FieldError

AMOUNT_MAX = 1_000_000


def mistakes(pricing: Pricing, field: str) -> Iterator[FieldError]:
    """Yield every rule that a price breaks, under the name `field`."""
    extras = {"amount": pricing.amount, "currency": pricing.currency, "interval": pricing.interval}
    wanted = {"free": (), "one_time": ("amount", "currency"), "subscription": tuple(extras)}[pricing.type]
    for name, value in extras.items():
        if name in wanted and value is None:
            yield FieldError(f"{field}.{name}", "required", f"Is required for the type {pricing.type}.")
        elif name not in wanted and value is not None:
            yield FieldError(f"{field}.{name}", "unknown", f"Has no meaning for the type {pricing.type}.")
    amount = pricing.amount
    if amount is not None and "amount" in wanted and not (math.isfinite(amount) and 0 < amount <= AMOUNT_MAX):
        yield FieldError(f"{field}.amount", "range", f"Must be above 0 and at most {AMOUNT_MAX}.")
