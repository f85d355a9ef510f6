-- What wrk sends: the requests of a file, one after the other, over and over; and what it reports at the end.
-- One thread only: each thread of wrk has a Lua of its own, and they would not take turns with each other.

local requests, given = {}, 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local content = file:read("*a") .. "\0"
  file:close()
  local start = 1
  while start <= #content do
    local stop = content:find("\0", start, true)
    requests[#requests + 1] = content:sub(start, stop - 1)
    start = stop + 1
  end
end

function request()
  given = given % #requests + 1
  return requests[given]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'REPORT {"answers": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "longest": %.3f, "bad": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency.max / 1e3, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
