SELECT table, partition, count() AS parts, sum(rows) AS rows_there, sum(bytes_on_disk) AS bytes
FROM system.parts
WHERE database = currentDatabase() AND active
GROUP BY table, partition
ORDER BY table, partition
