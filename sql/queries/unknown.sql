-- Experiments that are exposed and that no file declares, as far as they are stored.
SELECT toString(experiment) AS key, toUInt64(exposures) AS seen, last_seen
FROM unknown_experiments
ORDER BY seen DESC
LIMIT 100
