-- A dinner rush: eleven calls for each order, every PATCH a real move. At each tick one order makes its first
-- call, the order LAG ticks older its second, and so on: the mix is steady and an order's calls never overlap.
dofile("bench/report.lua")
dofile("bench/orders.lua")

local LAG = 12
local GET = { "GET" }
local calls = {
  { "POST" },
  GET,
  { "PATCH", "", 2 },                   -- order to PREPARING, the items follow
  GET,
  { "PATCH", "/items/" .. PLUS[1], 3 },
  { "PATCH", "/items/" .. PLUS[2], 3 },
  GET,
  { "PATCH", "", 3 },                   -- order to READY, the third item follows
  { "PATCH", "/items/" .. PLUS[3], 4 },
  { "PATCH", "", 4 },                   -- order to PICKED_UP, the others follow
  GET,
}

function nth(n)
  local tick = math.floor((n - 1) / #calls) + 1
  local step = (n - 1) % #calls + 1
  local number = tick - (step - 1) * LAG
  if number < 1 then  -- before the first orders have reached this call: more new orders, under numbers of their own
    return "POST", "/api/orders", new_order(1000000000 + n)
  end
  local call = calls[step]
  if call[1] == "POST" then return "POST", "/api/orders", new_order(number) end
  local body = call[3] and '{"status": ' .. call[3] .. "}"
  return call[1], order_path(number) .. (call[2] or ""), body
end
