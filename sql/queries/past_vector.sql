-- How far each shard was at a time, by the clocks of the writers.
SELECT shard, max(seq) AS seq
FROM ledger
WHERE mark = 1 AND written_at <= fromUnixTimestamp64Milli({at:Int64})
GROUP BY shard
ORDER BY shard
