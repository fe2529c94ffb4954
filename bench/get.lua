dofile("bench/report.lua")

function nth(n)
  return "GET", order_path((n - 1) % ORDERS + 1)
end
