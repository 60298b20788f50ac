-- The newest look of an experiment. A look that was kept for a decision is there
-- twice until the next merge; the greater decision wins.
SELECT id, experiment, iteration, kind, at, version, vector, verdict, document, decision, expires
FROM looks
WHERE experiment = {experiment:String} AND ({kind:String} = '' OR kind = {kind:String})
ORDER BY at DESC, id DESC, decision DESC
LIMIT 1
