SELECT id, experiment, iteration, kind, at, version, vector, verdict, document, decision, expires
FROM looks
WHERE id = {id:String}
ORDER BY decision DESC
LIMIT 1
