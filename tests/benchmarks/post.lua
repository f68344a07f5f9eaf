-- wrk's script: every request posts the same body; the figures come out as one line of JSON.
-- wrk … -s post.lua URL -- BODY_FILE CONTENT_TYPE

function init(arguments)
   local file = assert(io.open(arguments[1], "rb"))
   wrk.method = "POST"
   wrk.body = file:read("*all")
   wrk.headers["Content-Type"] = arguments[2]
   file:close()
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p95_ms": %.3f, "p99_ms": %.3f, "failed": %d}\n',
      summary.requests,
      summary.duration / 1e6,
      latency:percentile(50) / 1e3,
      latency:percentile(95) / 1e3,
      latency:percentile(99) / 1e3,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout
   ))
end
