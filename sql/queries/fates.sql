-- By topic: what became of the records of the parts after some position of every shard,
-- up to another. A shard that is not named gives nothing.
SELECT
    tupleElement(entry, 1) AS topic,
    sum(tupleElement(entry, 2)) AS records,
    sum(tupleElement(entry, 3)) AS dead,
    sum(tupleElement(entry, 4)) AS misplaced
FROM
(
    SELECT arrayJoin(arrayZip(topics,
        arrayMap((a, d, e, m, p, s) -> a + d + e + m + p + s, accepted, duplicate, dead, misplaced, suppressed, shed),
        dead, misplaced)) AS entry
    FROM ledger
    WHERE mark = 1
        AND seq > transform(shard, {shards:Array(UInt16)}, {after:Array(UInt64)}, toUInt64(18446744073709551615))
        AND seq <= transform(shard, {shards:Array(UInt16)}, {upto:Array(UInt64)}, toUInt64(0))
)
GROUP BY topic
ORDER BY topic
