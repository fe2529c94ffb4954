"""What the domain tells its users, who import it and not the other way round."""

from django.dispatch import Signal

# Sent with `order` (its items in `order.loaded_items`) and `change` (orders.models.Change) inside the transaction,
# after every change, creations included. A receiver that writes does so with it;
# one that publishes waits for the commit.
order_changed = Signal()
# Sent with `order` (as it is now) and `amendment` (orders.models.Amendment) likewise, after every amendment.
order_amended = Signal()
# Sent with `order_ids` and `account` inside the transaction that removes customers' data from those orders: who keeps a
# copy of it removes it too. `account` is what their account is called from now on; None: as before.
customer_data_removed = Signal()
# Sent with `account`, `to` and `traces` (orders.traces.Traces) at the end of the transaction that erases an account:
# who keeps texts that belong to no order looks for the customer there.
customer_erased = Signal()
# Sent with `account` and `to` at the beginning of the transaction that gives all orders of an account another name: who
# keeps figures by account renames them too.
account_renamed = Signal()
# Sent with `pace` (orders.models.KitchenPace) inside the transaction, when a kitchen pauses, is busy, or needs longer.
pace_changed = Signal()
