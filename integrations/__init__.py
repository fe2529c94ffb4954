"""Those outside: who may call us, what we tell them, and channels that speak in their own words.

Keys: `keys` makes and ends them, `authentication` with `key_cache` says who calls, `permissions` and `scopes` what they
may, `throttling` how often; `idempotency` keeps answers for calls that are repeated.

What goes out: `events` are told of by `deliveries`, the machinery that sends to whatever kind of receiver; `webhooks`
are one kind, managed over `api`, channels the other. `orders_then` shows an order as it was at an event.

What comes in beside the order API: `channels`, each an adapter before one intake, with pages of their own in the admin.
"""
