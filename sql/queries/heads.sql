-- Where each shard stands: its last part and the version under which it counts.
SELECT shard, max(seq) AS last, max(config) AS version
FROM ledger
WHERE experiment = ''
GROUP BY shard
ORDER BY shard
