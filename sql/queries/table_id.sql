-- The id of a table that every server has that holds decisions and configurations.
SELECT toString(uuid) AS id FROM system.tables WHERE database = {database:String} AND name = 'configurations'
