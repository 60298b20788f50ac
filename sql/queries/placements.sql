-- On which node each shard is.
SELECT shard, number, node, leaves, actor
FROM placements
ORDER BY number DESC
LIMIT 1 BY shard
