-- Walks item 1 of all prepared orders to PREPARING, then item 2, item 3, then the same to READY and PICKED_UP.
dofile("bench/report.lua")
dofile("bench/orders.lua")

function nth(n)
  local number = (n - 1) % ORDERS + 1
  local round = math.floor((n - 1) / ORDERS)
  local status = math.floor(round / 3) + 2
  return "PATCH", order_path(number) .. "/items/" .. PLUS[round % 3 + 1], '{"status": ' .. status .. "}"
end
