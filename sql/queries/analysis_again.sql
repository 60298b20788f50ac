-- How many rows of a slice share unit, time and type with another one: without any
-- there is no duplicate to look for.
SELECT toUInt64(count()) AS again
FROM
(
    SELECT cityHash64(unit, t, type) AS h
    FROM events
    WHERE shard = {shard:UInt16} AND unit >= {first:UInt128} AND unit <= {last:UInt128} AND unit != 0 AND NOT misplaced
        AND offset < transform(topic, {topics:Array(String)}, {next:Array(Int64)}, toInt64(0))
    GROUP BY h
    HAVING count() > 1
)
SETTINGS max_threads = 1
