-- How often some events of outcomes came since a time, and when last. Repeated places
-- count again: it tells whether they come at all.
SELECT toString(event) AS name, toUInt64(count()) AS seen, max(t) AS last FROM events
WHERE type = 'outcome' AND event IN {events:Array(String)} AND t >= fromUnixTimestamp64Milli({since:Int64})
GROUP BY event
