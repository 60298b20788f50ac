SELECT number AS seq, attempt FROM deliveries WHERE number IN ({seq:UInt64}, {seq:UInt64} - 1)
