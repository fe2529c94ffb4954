dofile("bench/report.lua")
dofile("bench/orders.lua")

function nth(n)
  return "POST", "/api/orders", new_order(n)
end
