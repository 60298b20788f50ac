-- The last mark of a shard.
SELECT seq, attempt, config, code, written_at
FROM ledger
WHERE mark = 1 AND shard = {shard:UInt16}
ORDER BY seq DESC
LIMIT 1
