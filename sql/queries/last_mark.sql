-- The last mark of a shard. The sorting key is read backwards and stops at once.
SELECT seq, attempt, config, code, written_at
FROM ledger
WHERE mark = 1 AND shard = {shard:UInt16}
ORDER BY mark DESC, experiment DESC, iteration DESC, metric DESC, variant DESC,
    phase DESC, dimension DESC, value DESC, slot DESC, seq DESC
LIMIT 1
