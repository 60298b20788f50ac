-- The backups that were made, the newest first.
SELECT name, begun, state, schema, code, unit_key, vector, bytes, nodes
FROM backups FINAL
ORDER BY begun DESC, name
