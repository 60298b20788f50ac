-- Places of a slice that are stored with several contents; the columns are those of
-- verify_fates.
SELECT toString(topic) AS topic, offset, uniqExact(sipHash128(unit, t, kafka_t, type, unit_kind, id, experiment, variant, event, value, misplaced,
    arraySort(arrayZip(mapKeys(attrs), mapValues(attrs))), origin_partition, origin_offset)) AS contents
FROM events
WHERE shard = {shard:UInt16} AND unit >= {first:UInt128} AND unit <= {last:UInt128}
    AND offset < transform(topic, {topics:Array(String)}, {next:Array(Int64)}, toInt64(0))
GROUP BY topic, offset
HAVING contents > 1
ORDER BY topic, offset
LIMIT 1000
