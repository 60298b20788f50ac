-- Where every shard stands: its last part, and the next offset of each topic.
SELECT shard, max(seq) AS last, maxMap(arrayZip(topics, next)::Map(String, Int64)) AS positions
FROM ledger
WHERE mark = 1
GROUP BY shard
ORDER BY shard
