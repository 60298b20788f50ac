-- The decodings of every topic after a number, oldest first.
SELECT number, topic, mapping, attributes FROM decodings WHERE number > {after:UInt32} ORDER BY number
