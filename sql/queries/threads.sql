-- How many threads the server would give one query: its cores, unless told otherwise.
SELECT toUInt64(getSetting('max_threads')) AS threads
