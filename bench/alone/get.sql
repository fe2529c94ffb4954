\set n random(1, 5000)
SELECT * FROM orders_order WHERE id = 'yard-' || :n::bigint;
SELECT * FROM orders_orderitem WHERE order_id = 'yard-' || :n::bigint ORDER BY position;
SELECT * FROM orders_statuschange WHERE order_id = 'yard-' || :n::bigint ORDER BY sequence LIMIT 50;
