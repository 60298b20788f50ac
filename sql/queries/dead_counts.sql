-- Records that could not be read, by topic and reason, each place once.
SELECT topic, reason, uniqExact(shard, offset) AS records, min(kafka_t) AS first, max(kafka_t) AS last
FROM dead_letters
GROUP BY topic, reason
ORDER BY records DESC, topic, reason
LIMIT 200
