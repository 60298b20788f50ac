SELECT body FROM configurations ORDER BY number DESC LIMIT 1
