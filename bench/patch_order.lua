-- Walks all prepared orders to PREPARING, then all to READY, then all to PICKED_UP; their items follow.
dofile("bench/report.lua")

function nth(n)
  local number = (n - 1) % ORDERS + 1
  local status = math.floor((n - 1) / ORDERS) + 2
  return "PATCH", order_path(number), '{"status": ' .. status .. "}"
end
