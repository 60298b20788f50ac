-- By shard and topic: the offsets that were passed, and what became of them. One
-- shard, or all (-1), up to a mark.
SELECT
    shard, topic,
    count() AS parts,
    min(from_offset) AS first_offset,
    max(next_offset) AS next,
    sum(c.1) AS accepted, sum(c.2) AS duplicate, sum(c.3) AS dead, sum(c.4) AS misplaced,
    sum(c.5) AS suppressed, sum(c.6) AS shed, sum(c.7) AS norecord, sum(c.8) AS gap,
    toInt64(sum(abs(next_offset - from_offset - toInt64(c.1 + c.2 + c.3 + c.4 + c.5 + c.6 + c.7 + c.8)))) AS difference,
    countIf(previous >= 0 AND previous != from_offset) AS breaks
FROM
(
    SELECT
        shard, topic, from_offset, next_offset, c,
        lagInFrame(next_offset, 1, toInt64(-1)) OVER (
            PARTITION BY shard, topic ORDER BY seq ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS previous
    FROM
    (
        SELECT
            shard, seq,
            tupleElement(entry, 1) AS topic,
            tupleElement(entry, 2) AS from_offset,
            tupleElement(entry, 3) AS next_offset,
            tupleElement(entry, 4) AS c
        FROM ledger
        ARRAY JOIN arrayZip(topics, `from`, next,
            arrayZip(accepted, duplicate, dead, misplaced, suppressed, shed, norecord, gap)) AS entry
        WHERE mark = 1 AND ({shard:Int32} < 0 OR shard = {shard:Int32}) AND seq <= {seq:UInt64}
    )
)
GROUP BY shard, topic
ORDER BY shard, topic
