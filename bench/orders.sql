-- New orders like those of orders.lua, with their items and the rows of their creation: <prefix>-1 to <prefix>-<number>.
INSERT INTO orders_order (id, status, version, sequence, changed_at, account, brand_id, channel, channel_order_id,
  channel_display_id, customer_name, customer_phone, delivery_address, note, currency, pickup_time, due_at, created_at,
  updated_at, kitchen_id)
SELECT %(prefix)s || '-' || n, 1, 1, 4, now(), 'bench-' || n %% 500, 'bench-brand-' || n %% 5, 'bench', 'C' || n, '',
  'Aino Virtanen', '+358401234567', '{"city": "Helsinki", "street": "Huuvatie 1", "postalCode": "00100"}', '', 'EUR',
  now() + interval '20 minutes', now() + interval '20 minutes', now(), now(), %(kitchen)s
FROM generate_series(1, %(number)s) n;
INSERT INTO orders_orderitem (order_id, plu, position, name, quantity, status, note, modifiers, allergens, price)
SELECT %(prefix)s || '-' || n, plu, position, name, position + 1, 1, '', '[]', '[]', 1290
FROM generate_series(1, %(number)s) n,
  (VALUES ('CAT1-0001', 0, 'Hawaii Burger'), ('CAT2-0001', 1, 'Sushi Set Large'), ('DRINK-01', 2, 'Lemonade'))
  item (plu, position, name);
INSERT INTO orders_statuschange (order_id, sequence, plu, to_status, kind, change, at, recorded_at, actor, reason)
SELECT %(prefix)s || '-' || n, number, plu, 1, 1, 1, now(), now(), 'key:bench', ''
FROM generate_series(1, %(number)s) n,
  (VALUES (1, NULL), (2, 'CAT1-0001'), (3, 'CAT2-0001'), (4, 'DRINK-01')) line (number, plu)
