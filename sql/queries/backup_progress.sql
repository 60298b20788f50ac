-- How a backup or a restore fares that the server works on by itself.
SELECT toString(status) AS state, error, total_size
FROM system.backups
WHERE id = {id:String}
