-- Units of every arm of one experiment, but for arms of fewer than {smallest}.
SELECT * FROM units WHERE experiment = {experiment:String} AND units >= {smallest:Int64}
