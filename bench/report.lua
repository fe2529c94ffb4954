-- Shared by all workloads. A workload defines nth(n) -> method, path, body: the n-th request of the whole
-- series, so that a measured run can go on exactly where the warm-up stopped (HUUVA_BENCH_FROM).
local headers = {
  ["Authorization"] = "Bearer " .. os.getenv("HUUVA_BENCH_KEY"),
  ["Content-Type"] = "application/json",
}
PREFIX = os.getenv("HUUVA_BENCH_PREFIX")            -- order ids are PREFIX-1, PREFIX-2, …
ORDERS = tonumber(os.getenv("HUUVA_BENCH_ORDERS"))  -- how many of them exist already

sent = tonumber(os.getenv("HUUVA_BENCH_FROM"))      -- global: done() reads it from the thread
local verified = false
local threads = {}

function order_path(number)
  return "/api/orders/" .. PREFIX .. "-" .. number
end

function request()
  -- wrk asks for one request at start only to look at it, and never sends that one.
  local n = sent + 1
  if verified then sent = n end
  verified = true
  local method, path, body = nth(n)
  return wrk.format(method, path, headers, body)
end

function setup(thread)
  table.insert(threads, thread)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "sent": %d, "p50_ms": %.2f, "p95_ms": %.2f, "p99_ms": %.2f, '
      .. '"bad_status": %d, "socket_errors": %d}\n',
    summary.requests, summary.duration, threads[1]:get("sent"), latency:percentile(50) / 1000,
    latency:percentile(95) / 1000, latency:percentile(99) / 1000, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
