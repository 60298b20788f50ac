-- Shards whose parts are not 1, 2, 3 … once each and complete.
SELECT
    shard,
    max(seq) AS last,
    countIf(mark = 1) AS marks,
    uniqExactIf(seq, mark = 1) AS distinct_seqs,
    uniqExactIf((seq, attempt), mark = 1) AS attempts,
    count() AS rows_there,
    toUInt64(sum(rows)) AS declared
FROM ledger
GROUP BY shard
HAVING marks != last OR distinct_seqs != last OR attempts != last OR rows_there != declared
ORDER BY shard
