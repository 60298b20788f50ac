-- The ranges of a topic's partition as the marks have them, from an offset to
-- another, each with the decoding (0: none was named) and the configuration version under
-- which it was read.
SELECT
    tupleElement(entry, 2) AS begin, tupleElement(entry, 3) AS end, tupleElement(entry, 4) AS decoding, config
FROM ledger
ARRAY JOIN arrayZip(topics, `from`, next, arrayResize(decode, length(topics))) AS entry
WHERE mark = 1 AND shard = {shard:UInt16} AND tupleElement(entry, 1) = {topic:String}
    AND begin < {next:Int64} AND end > {from:Int64}
ORDER BY begin, end
