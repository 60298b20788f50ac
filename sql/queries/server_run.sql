-- The present run of the server: its host, and when it was started, to a second.
SELECT hostName() AS server, toUnixTimestamp64Milli(now64(3)) - 1000 * toInt64(uptime()) AS began
