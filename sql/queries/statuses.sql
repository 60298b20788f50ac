-- The last word of every shard.
SELECT shard, seq, freshness, config, state, detail, at
FROM shard_status FINAL
ORDER BY shard
