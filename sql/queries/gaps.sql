-- What was lost before it was read and accepted as lost, with the greatest event
-- time that the shard had counted until then: the lost records are later than that.
WITH lost AS
(
    SELECT shard, seq, written_at, tupleElement(entry, 1) AS topic, tupleElement(entry, 2) AS records
    FROM ledger
    ARRAY JOIN arrayZip(topics, gap) AS entry
    WHERE mark = 1 AND records > 0
)
SELECT lost.shard, lost.topic, lost.seq, lost.records, lost.written_at, max(earlier.newest) AS since
FROM (SELECT shard, seq, newest FROM ledger WHERE shard IN (SELECT shard FROM lost)) AS earlier
INNER JOIN lost ON earlier.shard = lost.shard
WHERE earlier.seq <= lost.seq
GROUP BY lost.shard, lost.topic, lost.seq, lost.records, lost.written_at
ORDER BY lost.shard, lost.seq, lost.topic
