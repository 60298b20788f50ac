SELECT number, applied_at, author, reason, toString(hash) AS sha256 FROM configurations ORDER BY number
