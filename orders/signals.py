"""Signals that orders sends to the apps above it, which it doesn't import."""

from django.dispatch import Signal

# Sent with `order` (its items in `order.loaded_items`) and `change` (orders.models.Change) inside the transaction,
# after every change, creations included. A receiver that writes does so with it;
# one that publishes waits for the commit.
order_changed = Signal()
# Sent with `order` (as it is now) and `amendment` (orders.models.Amendment) likewise, after every amendment.
order_amended = Signal()
# Sent with `order_ids` and `account` inside the transaction that removes customers' data from those orders: receivers
# remove their copies. `account` is the new name of the orders' account; None: unchanged.
customer_data_removed = Signal()
# Sent with `account`, `to` and `traces` (orders.traces.Traces) at the end of the transaction that erases an account:
# receivers look for the customer in texts that belong to no order.
customer_erased = Signal()
# Sent with `account` and `to` at the beginning of the transaction that renames the account of all its orders: receivers
# rename it in their figures.
account_renamed = Signal()
# Sent with `pace` (orders.models.KitchenPace) inside the transaction, when a kitchen pauses, is busy, or needs longer.
pace_changed = Signal()
