"""The machinery that tells others of orders: webhooks of integrators, and status updates back to channels.

How it goes (ADR 17): the loop (`loop.py`, a Celery task that is always running) reads the change feed, writes a
`Delivery` for each event and each `Sink` that wants it, and sends what is due: many sinks at once, the events of one
order to one sink one after another. An answer of 200 to 299 within 10 s is a delivery; anything else is tried again,
at last given up. Everything is in PostgreSQL; killed anywhere, it is sent again: at least once.

To let another kind of receiver use it, a module needs three things:

1. A model that inherits from `integrations.models.Sink`, with a `kind` of its own set when it is made, and whatever it
   needs to reach the receiver. Say with `events`, `kitchen` and `channel` which events it gets: that choice is made in
   SQL, for all kinds alike. `disabled_at` and `deleted_at` stop it. Whoever makes a sink never writes its deliveries.

2. A `Renderer`: given some pending deliveries of its kind, it says what to send for each, as a `Message` (URL, body,
   headers), or None where there is nothing to send (the delivery ends as *skipped* and the next may go). It is called
   right before sending and again for each try, so signatures carry the present time; with many deliveries at once, so
   that it needs a few statements and not a few for each. `integrations.order_snapshots` gives the orders as they were
   right after the changes. What it raises is a fault of ours: it is logged, and those deliveries are tried again later.

3. In `IntegrationsConfig.ready()`: `deliveries.register(KIND, renderer)`.

    class StatusUpdates:
        gone = frozenset[int]()  # answers that disable the sink at once; a webhook has 410

        def render(self, due: Sequence[Due]) -> Mapping[int, Message | None]:
            links = ChannelLink.objects.in_bulk({one.sink_id for one in due})
            return {one.id: self._message(links[one.sink_id], one) for one in due}

Then retries, order, health, disabling, log, replay (`replay.py`) and metrics come by themselves. Addresses are checked
as they are connected to (`guard.py`); `guard.check_url` is for forms.
"""

from integrations.deliveries.kinds import Message, PendingDelivery, Renderer, register, renderer_of

__all__ = ["Message", "PendingDelivery", "Renderer", "register", "renderer_of"]
