-- The newest look of every experiment and kind from a time on, without its document.
SELECT id, experiment, iteration, kind, at, verdict
FROM looks
WHERE at >= fromUnixTimestamp64Milli({since:Int64})
ORDER BY at DESC, id DESC
LIMIT 1 BY experiment, kind
