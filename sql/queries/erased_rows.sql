-- What the marks of a shard counted of some units, by the part that did: places that
-- are stored below the watermark, and what became of each.
WITH
    places AS
    (
        SELECT
            topic, offset, misplaced, unit, t, type, unit_kind, id,
            (origin_partition, if(origin_partition < 0, offset, origin_offset)) AS place
        FROM events
        WHERE shard = {shard:UInt16} AND unit IN {units:Array(UInt128)}
        LIMIT 1 BY topic, offset
    ),
    fates AS
    (
        SELECT
            topic, offset, misplaced,
            row_number() OVER (PARTITION BY topic, misplaced, unit, t, type, unit_kind, id, if(id = '', place, (-1, -1)) ORDER BY offset) = 1 AS is_first
        FROM places
    ),
    ranges AS
    (
        SELECT seq, attempt, tupleElement(entry, 1) AS topic, tupleElement(entry, 2) AS begin, tupleElement(entry, 3) AS end
        FROM ledger
        ARRAY JOIN arrayZip(topics, `from`, next) AS entry
        WHERE mark = 1 AND shard = {shard:UInt16} AND tupleElement(entry, 2) < tupleElement(entry, 3)
    )
SELECT
    toString(r.topic) AS topic, r.seq AS seq, r.attempt AS attempt,
    countIf(NOT f.misplaced AND f.is_first) AS accepted, countIf(NOT f.misplaced AND NOT f.is_first) AS duplicate, countIf(f.misplaced) AS misplaced
FROM fates AS f
ASOF INNER JOIN ranges AS r ON f.topic = r.topic AND f.offset >= r.begin
WHERE f.offset < r.end
GROUP BY topic, seq, attempt
ORDER BY topic, seq
