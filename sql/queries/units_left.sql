-- How many rows there are of the units of requests of erasure, by table.
SELECT 'events' AS name, toInt64(count()) AS left FROM events
WHERE unit GLOBAL IN (SELECT unit FROM suppressed WHERE request IN {requests:Array(String)})
UNION ALL
SELECT 'unit_names', toInt64(count()) FROM unit_names
WHERE unit IN (SELECT unit FROM suppressed WHERE request IN {requests:Array(String)})
