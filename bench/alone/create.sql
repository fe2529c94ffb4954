\set n random(1, 1000000000000000)
BEGIN;
INSERT INTO orders_order (id, status, version, sequence, changed_at, account, brand_id, channel, channel_order_id,
  channel_display_id, customer_name, customer_phone, delivery_address, note, currency, pickup_time, due_at, created_at,
  updated_at, kitchen_id)
VALUES ('yard-new-' || :n::bigint, 1, 1, 4, now(), 'yard', 'yard', 'bench', 'C1', '', 'Aino Virtanen', '+358401234567',
  '{"city": "Helsinki", "street": "Huuvatie 1", "postalCode": "00100"}', '', 'EUR', now(), now(), now(), now(),
  'yardstick');
INSERT INTO orders_orderitem (order_id, plu, position, name, quantity, status, note, modifiers, allergens, price)
VALUES ('yard-new-' || :n::bigint, 'CAT1-0001', 0, 'Hawaii Burger', 1, 1, '', '[]', '[]', 1290),
  ('yard-new-' || :n::bigint, 'CAT2-0001', 1, 'Sushi Set Large', 2, 1, '', '[]', '[]', 2450),
  ('yard-new-' || :n::bigint, 'DRINK-01', 2, 'Lemonade', 3, 1, '', '[]', '[]', 350);
INSERT INTO orders_statuschange (order_id, sequence, plu, to_status, kind, change, at, recorded_at, actor, reason)
VALUES ('yard-new-' || :n::bigint, 1, NULL, 1, 1, 1, now(), now(), 'bench', ''),
  ('yard-new-' || :n::bigint, 2, 'CAT1-0001', 1, 1, 1, now(), now(), 'bench', ''),
  ('yard-new-' || :n::bigint, 3, 'CAT2-0001', 1, 1, 1, now(), now(), 'bench', ''),
  ('yard-new-' || :n::bigint, 4, 'DRINK-01', 1, 1, 1, now(), now(), 'bench', '');
END;
