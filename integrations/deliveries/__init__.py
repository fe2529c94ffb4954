"""Sends events of orders to receivers: webhooks of integrators, and status updates back to channels.

How it works (ADR 17): the loop (`loop.py`, a process beside each worker's tasks) reads the change feed, stores a
`Delivery` for each event and each receiver (`Sink`) that wants it, and sends those that are due: many receivers at
once, the events of one order to one receiver one after another. An answer of 200 to 299 within 10 s is a success;
anything else is tried again and given up at last. Everything is in PostgreSQL; after a kill it is sent again: at least
once.

To add another kind of receiver, write three things:

1. A model that inherits from `integrations.models.Sink`, with a `kind` of its own set when it is created and whatever
   is needed to reach the receiver. `events`, `kitchen` and `channel` say which events it gets: that choice is made in
   SQL, for all kinds alike. `disabled_at` and `deleted_at` stop it. Deliveries are created by the loop alone.

2. A `Renderer`: given some pending deliveries of its kind, it returns what to send for each, a `Message` (URL, body,
   headers), or None where there is nothing to send (the delivery ends as *skipped* and the next may go). It is called
   right before sending, and again for each attempt, so that signatures carry the present time; with many deliveries at
   once, so that it needs a few statements and not a few for each. `integrations.order_snapshots` gives the orders as
   they were right after the changes. What it raises is a fault of ours: it is logged, and those deliveries are tried
   again later.

3. In `IntegrationsConfig.ready()`: `deliveries.register(KIND, renderer)`.

    class StatusUpdates:
        gone = frozenset[int]()  # answers that disable the receiver at once; a webhook has 410

        def render(self, deliveries: Sequence[PendingDelivery]) -> Mapping[int, Message | None]:
            links = ChannelLink.objects.in_bulk({delivery.sink_id for delivery in deliveries})
            return {delivery.id: self._message(links[delivery.sink_id], delivery) for delivery in deliveries}

Retries, order, health, disabling, log, replay (`replay.py`) and metrics need nothing more. Addresses are checked when a
connection is made (`guard.py`); `guard.check_url` is for forms.
"""

from integrations.deliveries.kinds import Message, PendingDelivery, Renderer, register, renderer_of

__all__ = ["Message", "PendingDelivery", "Renderer", "register", "renderer_of"]
