SELECT body FROM configurations WHERE number = {number:UInt32} LIMIT 1
