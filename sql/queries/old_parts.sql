-- Files of events and unit_names that are no longer in use, and still on the disk.
SELECT concat(table, ' ', name) AS part
FROM system.parts
WHERE database = currentDatabase() AND table IN ('events', 'unit_names') AND NOT active
ORDER BY part
