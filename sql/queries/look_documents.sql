-- Documents of some looks. The experiments and times are those of the ids: they are
-- what the table is sorted by.
SELECT id, document
FROM looks
WHERE experiment IN {experiments:Array(String)} AND id IN {ids:Array(String)}
    AND at >= fromUnixTimestamp64Milli({from:Int64}) AND at <= fromUnixTimestamp64Milli({to:Int64})
LIMIT 1 BY id
