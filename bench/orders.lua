-- The body of a new order with three items, as a channel sends it.
local template = [[{"_id": "%s-%d", "account": "bench-%d", "brandId": "bench-brand-%d", "channelOrderId": "C%d",
"channel": "bench", "customer": {"name": "Aino Virtanen", "phoneNumber": "+358401234567"},
"deliveryAddress": {"city": "Helsinki", "street": "Huuvatie 1", "postalCode": "00100"},
"pickupTime": "%s", "status": 1, "items": [
{"plu": "CAT1-0001", "name": "Hawaii Burger", "quantity": 1, "price": 1290},
{"plu": "CAT2-0001", "name": "Sushi Set Large", "quantity": 2, "price": 2450, "note": "no wasabi"},
{"plu": "DRINK-01", "name": "Lemonade", "quantity": 3, "price": 350}]}]]

PLUS = { "CAT1-0001", "CAT2-0001", "DRINK-01" }
local pickup = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() + 1200)

function new_order(number)
  return string.format(template, PREFIX, number, number % 500, number % 5, number, pickup)
end
