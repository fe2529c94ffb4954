\set n random(1, 5000)
BEGIN;
SELECT * FROM orders_order WHERE id = 'yard-' || :n::bigint FOR UPDATE;
UPDATE orders_order
SET status = 2, version = version + 1, sequence = sequence + 2, changed_at = now(), updated_at = now()
WHERE id = 'yard-' || :n::bigint RETURNING sequence - 2 AS before, version AS change \gset
UPDATE orders_orderitem SET status = 2 WHERE order_id = 'yard-' || :n::bigint AND plu = 'CAT1-0001';
INSERT INTO orders_statuschange
  (order_id, sequence, plu, from_status, to_status, kind, change, at, recorded_at, actor, reason)
VALUES ('yard-' || :n::bigint, :before::int + 1, NULL, 1, 2, 1, :change::int, now(), now(), 'bench', ''),
  ('yard-' || :n::bigint, :before::int + 2, 'CAT1-0001', 1, 2, 1, :change::int, now(), now(), 'bench', '');
END;
