-- Exact sums of one experiment.
SELECT * FROM moments WHERE experiment = {experiment:String}
