-- How many events of each unit kind the months before one have.
SELECT toString(toYYYYMM(t)) AS month, unit_kind, count() AS stored
FROM events
WHERE toYYYYMM(t) < {month:UInt64}
GROUP BY month, unit_kind
ORDER BY month, unit_kind
