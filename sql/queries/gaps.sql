-- What was lost, with the greatest event time that the shard had counted until
-- then: records that were lost before they were read are later than that.
WITH lost AS
(
    SELECT shard, seq, 'unread' AS kind, written_at AS until, written_at AS noted_at,
        tupleElement(entry, 1) AS topic, tupleElement(entry, 2) AS records
    FROM ledger
    ARRAY JOIN arrayZip(topics, gap) AS entry
    WHERE mark = 1 AND records > 0
    UNION ALL
    SELECT shard, seq, kind, until, noted_at, topic, records
    FROM losses FINAL
)
SELECT lost.shard, lost.topic, toString(lost.kind), lost.seq, lost.records, lost.noted_at,
    maxIf(earlier.newest, earlier.seq <= lost.seq AND lost.kind IN ('unread', 'replaced')) AS since, lost.until
FROM lost
LEFT JOIN (SELECT shard, seq, newest FROM ledger WHERE shard IN (SELECT shard FROM lost)) AS earlier ON earlier.shard = lost.shard
GROUP BY lost.shard, lost.topic, lost.kind, lost.seq, lost.records, lost.noted_at, lost.until
ORDER BY lost.shard, lost.seq, lost.topic, lost.kind
