"""Reading and writing billing details.

Promise: an Owner alone reads and writes them; what is secret in them is sealed in the database, shown masked,
and never in the log.
"""

import msgspec
from msgspec import UNSET

from lumio.access.action import action
from lumio.access.context import Context
from lumio.accounts.memberships import here, this_account
from lumio.billing import events
from lumio.billing.model import BillingView, Details, ShowBilling, UpdateBilling
from lumio.billing.rules import known_country, masked, payout_account, plain
from lumio.billing.store import BillingStore
from lumio.crypto.sealing import Sealer
from lumio.kernel.errors import FieldError, Invalid
from lumio.storage.unit import View


class Billing:
    """Billing details of an account."""

    def __init__(self, store: BillingStore, sealer: Sealer) -> None:
        """Work on `store`; `sealer` binds what lies there to its account."""
        self._store = store
        self._sealer = sealer

    @action("billing.show", permission="billing:read")
    async def show(self, context: Context, form: ShowBilling) -> BillingView:
        """Return the details, masked; empty ones before anybody wrote them."""
        return await self._shown(context.view, here(context, form.account_id))

    @action("billing.update", permission="billing:edit", event=events.UPDATED, step_up=True, ends=this_account)
    async def update(self, context: Context, form: UpdateBilling) -> BillingView:
        """Replace the details; a secret that is left out stays as it was."""
        account_id = here(context, form.account_id)
        before = await self._kept(context.unit, account_id)
        after = _details(form, before)
        changed = [name for name in Details.__struct_fields__ if getattr(before, name, None) != getattr(after, name)]
        sealed = self._sealer.seal(msgspec.json.encode(after), _place(account_id))
        await self._store.keep(context.unit, account_id, sealed)
        context.record(events.UPDATED, (events.TARGET, account_id), detail={"changed": changed})
        return await self._shown(context.unit, account_id)

    async def _kept(self, view: View, account_id: str) -> Details | None:
        row = await self._store.of(view, account_id)
        if row is None:
            return None
        return msgspec.json.decode(self._sealer.open(row.sealed, _place(account_id)), type=Details)

    async def _shown(self, view: View, account_id: str) -> BillingView:
        row, kept = await self._store.of(view, account_id), await self._kept(view, account_id)
        if row is None or kept is None:
            return BillingView()
        plain_ones = {name: getattr(kept, name) for name in Details.__struct_fields__}
        hidden = {"tax_id": masked(kept.tax_id), "payout_account": masked(kept.payout_account)}
        return BillingView(**{**plain_ones, **hidden}, updated_at=row.updated_at)


def _place(account_id: str) -> str:
    return f"billing/{account_id}"


def _details(form: UpdateBilling, before: Details | None) -> Details:
    """Return the details that a request comes to.

    Raises:
        Invalid: a rule is broken, or there is no payout account yet that could stay.
    """
    return Details(
        legal_name=plain("legal_name", form.legal_name, needed=True),
        address_line1=plain("address_line1", form.address_line1, needed=True),
        address_line2=plain("address_line2", form.address_line2, needed=False),
        city=plain("city", form.city, needed=True),
        postal_code=plain("postal_code", form.postal_code, needed=False),
        region=plain("region", form.region, needed=False),
        country=known_country(form.country),
        currency=form.currency,
        payout_method=form.payout_method,
        payout_account=_account(form, before),
        tax_id=(before.tax_id if before else None) if form.tax_id is UNSET else form.tax_id,
    )


def _account(form: UpdateBilling, before: Details | None) -> str:
    if form.payout_account is not UNSET:
        return payout_account(form.payout_method, form.payout_account)
    if before is None or before.payout_method != form.payout_method:
        message = "Is required: there is none for this way of payment yet."
        raise Invalid([FieldError("payout_account", "required", message)])
    return before.payout_account
