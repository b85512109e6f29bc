-- Sends the requests of a file, each behind its length in four octets, round and round. Counts answers whose OCSP status
-- is not successful: in the DER of one that is, ENUMERATED 0 stands behind the outermost header.
local file = io.open(os.getenv("REQUESTS"), "rb")
local octets = file:read("*a")
file:close()
local requests, at = {}, 1
while at <= #octets do
  local a, b, c, d = octets:byte(at, at + 3)
  local length = ((a * 256 + b) * 256 + c) * 256 + d
  requests[#requests + 1] = octets:sub(at + 4, at + 3 + length)
  at = at + 4 + length
end
local number = 0
wrong = 0

function request()
  number = number % #requests + 1
  return requests[number]
end

function response(status, _, body)
  local head = body:sub(1, 7)
  if status ~= 200 or not head:find("\10\1\0", 3, true) then wrong = wrong + 1 end
end

local threads = {}
function setup(thread) threads[#threads + 1] = thread end

function done(summary, latency)
  local bad = 0
  for _, thread in ipairs(threads) do bad = bad + thread:get("wrong") end
  local errors = summary.errors
  bad = bad + errors.connect + errors.read + errors.write + errors.timeout
  io.stderr:write(string.format('{"answers": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "wrong": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, bad))
end
