-- Ranges of offsets that the marks counted and that are not all stored: a place
-- belongs to the range with the greatest beginning at or below it. An empty range
-- holds nothing, and what somebody has accepted as lost no longer lacks. What erasure
-- took counts as stored; rows that it is about to delete (hidden) do not.
WITH
    ranges AS
    (
        SELECT
            tupleElement(entry, 1) AS topic, seq, attempt, config,
            tupleElement(entry, 2) AS begin, tupleElement(entry, 3) AS end,
            tupleElement(entry, 4) AS want_events, tupleElement(entry, 5) AS want_dead,
            tupleElement(entry, 6) AS decoding,
            tupleElement(entry, 7) AS id
        FROM ledger
        ARRAY JOIN arrayZip(topics, `from`, next,
            arrayMap((a, d, m) -> toInt64(a + d + m), accepted, duplicate, misplaced),
            arrayMap(d -> toInt64(d), dead), arrayResize(decode, length(topics)), topic_ids) AS entry
        WHERE mark = 1 AND shard = {shard:UInt16} AND seq > {after:UInt64} AND seq <= {seq:UInt64}
            AND tupleElement(entry, 2) < tupleElement(entry, 3)
            AND (topic, seq) NOT IN (SELECT topic, seq FROM losses WHERE shard = {shard:UInt16} AND kind = 'unstored')
    ),
    places AS
    (
        SELECT topic, offset, 0 AS is_dead FROM events WHERE shard = {shard:UInt16} AND unit NOT IN {hidden:Array(UInt128)}
        UNION ALL
        SELECT topic, offset, 1 AS is_dead FROM dead_letters WHERE shard = {shard:UInt16}
    ),
    found AS
    (
        SELECT
            r.topic AS topic, r.seq AS seq,
            toInt64(uniqExactIf(p.offset, p.is_dead = 0)) AS found_events,
            toInt64(uniqExactIf(p.offset, p.is_dead = 1)) AS found_dead
        FROM places AS p
        ASOF INNER JOIN ranges AS r ON p.topic = r.topic AND p.offset >= r.begin
        WHERE p.offset < r.end
        GROUP BY topic, seq
    ),
    gone AS
    (
        SELECT topic, seq, attempt, toInt64(sum(accepted + duplicate + misplaced)) AS gone_events
        FROM (SELECT * FROM erased FINAL WHERE shard = {shard:UInt16} AND topic != '')
        GROUP BY topic, seq, attempt
    )
SELECT
    ranges.topic AS topic, ranges.seq AS seq, ranges.begin AS begin, ranges.end AS end, ranges.decoding AS decoding,
    ranges.want_events - found.found_events - gone.gone_events AS lacking_events, ranges.want_dead - found.found_dead AS lacking_dead,
    ranges.id AS id, ranges.config AS config
FROM ranges
LEFT JOIN found ON ranges.topic = found.topic AND ranges.seq = found.seq
LEFT JOIN gone ON ranges.topic = gone.topic AND ranges.seq = gone.seq AND ranges.attempt = gone.attempt
WHERE lacking_events != 0 OR lacking_dead != 0
ORDER BY topic, seq
