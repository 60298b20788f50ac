-- How far each topic of a shard has been counted, up to a mark.
SELECT topic, argMax(id, seq) AS topic_id, argMax(position, seq) AS next, argMax(epoch, seq) AS epoch
FROM
(
    SELECT seq, tupleElement(entry, 1) AS topic, tupleElement(entry, 2) AS id, tupleElement(entry, 3) AS position, tupleElement(entry, 4) AS epoch
    FROM ledger
    ARRAY JOIN arrayZip(topics, topic_ids, next, arrayResize(epochs, length(topics))) AS entry
    WHERE mark = 1 AND shard = {shard:UInt16} AND seq <= {seq:UInt64}
)
GROUP BY topic
ORDER BY topic
