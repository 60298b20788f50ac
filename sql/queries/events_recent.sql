-- Those of events_below that belong to units with a record since some time. Other columns
-- are read only where one of them is, as in events_of.
SELECT
    topic, offset, toInt64(toUnixTimestamp64Milli(t)) AS t_ms, toInt64(toUnixTimestamp64Milli(kafka_t)) AS kafka_ms,
    toUInt8(type) AS kind, unit_kind, unit, id, experiment, variant, event,
    reinterpretAsInt128(value) AS value_int, attrs, misplaced, origin_partition, origin_offset
FROM events
PREWHERE shard = {shard:UInt16} AND unit BETWEEN {first:UInt128} AND {last:UInt128}
    AND unit IN
    (
        SELECT unit
        FROM events
        WHERE shard = {shard:UInt16} AND unit BETWEEN {first:UInt128} AND {last:UInt128}
            AND unit != 0 AND kafka_t > fromUnixTimestamp64Milli({since:Int64})
    )
WHERE offset < transform(topic, {topics:Array(String)}, {next:Array(Int64)}, toInt64(0))
