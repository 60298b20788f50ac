-- The fingerprint of the key under which this ledger's units are hashed.
SELECT fingerprint
FROM unit_keys
ORDER BY at, fingerprint
LIMIT 1
