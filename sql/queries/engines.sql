-- Engines of some tables, as far as they are there.
SELECT name, engine FROM system.tables WHERE database = {database:String} AND name IN {tables:Array(String)}
