dofile("bench/report.lua")

function nth()
  return "GET", "/api/orders?limit=20"
end
