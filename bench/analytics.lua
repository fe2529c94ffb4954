dofile("bench/report.lua")

local reports = { "order-status-durations", "item-status-durations", "hourly-throughput", "customer-order-counts" }

function nth(n)
  return "GET", "/api/analytics/" .. reports[(n - 1) % 4 + 1]
end
