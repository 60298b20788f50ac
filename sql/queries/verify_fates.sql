-- What became of the stored records of a slice of a shard, by topic: places, how
-- many of them are misplaced, how many are the first of their identity, and how
-- many contents they have. More contents than places: a place was stored twice, with
-- two meanings.
SELECT
    toString(topic) AS topic,
    toInt64(uniqExact(offset)) AS places,
    toInt64(uniqExactIf(offset, misplaced)) AS astray,
    toInt64(uniqExactIf((unit, t, type, unit_kind, id, if(id = '', place, (-1, -1))), NOT misplaced)) AS accepted,
    toInt64(uniqExact(offset, content)) AS contents
FROM
(
    SELECT
        topic, offset, unit, t, type, unit_kind, id, misplaced,
        (origin_partition, if(origin_partition < 0, offset, origin_offset)) AS place,
        sipHash128(unit, t, kafka_t, type, unit_kind, id, experiment, variant, event, value, misplaced,
            arraySort(arrayZip(mapKeys(attrs), mapValues(attrs))), origin_partition, origin_offset) AS content
    FROM events
    WHERE shard = {shard:UInt16} AND unit >= {first:UInt128} AND unit <= {last:UInt128} AND unit NOT IN {hidden:Array(UInt128)}
        AND offset < transform(topic, {topics:Array(String)}, {next:Array(Int64)}, toInt64(0))
)
GROUP BY topic
ORDER BY topic
