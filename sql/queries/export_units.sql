-- Units of every arm of one experiment.
SELECT * FROM units WHERE experiment = {experiment:String}
