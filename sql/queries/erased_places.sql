-- How many places a request of erasure takes, by topic, over all shards.
SELECT topic, sum(p) AS places
FROM (SELECT topic, max(places) AS p FROM erased WHERE request = {request:UInt64} AND topic != '' GROUP BY shard, topic, seq, attempt)
GROUP BY topic
ORDER BY topic
