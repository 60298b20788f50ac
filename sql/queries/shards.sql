-- Shards that have a part.
SELECT DISTINCT shard FROM ledger WHERE mark = 1 ORDER BY shard
