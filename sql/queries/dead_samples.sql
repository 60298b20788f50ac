-- The newest records of each topic and reason that could not be read. One that was
-- written twice may take two places until the next merge.
SELECT topic, reason, shard, offset, kafka_t, size, position, detail
FROM dead_letters
ORDER BY kafka_t DESC, shard, offset
LIMIT {each:UInt64} BY topic, reason
