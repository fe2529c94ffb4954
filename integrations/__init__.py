"""Everything between Huuva and other systems: API keys, webhooks and channels.

Keys: `keys` issues and ends them, `authentication` with `key_cache` identifies the caller, `permissions` and `scopes`
say what it may do, `throttling` how often; `idempotency` stores answers for repeated calls.

Outgoing: `deliveries` sends `events` to receivers of any kind; `webhooks` are one kind, managed by `api`, channels the
other. `order_snapshots` shows an order as it was at an event.

Incoming, beside the order API: `channels`, with an adapter each (`adapters`), one intake and pages in the admin.
"""
