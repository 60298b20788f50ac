-- Every decoding of every topic, oldest first.
SELECT number, topic, mapping, attributes FROM decodings ORDER BY number
