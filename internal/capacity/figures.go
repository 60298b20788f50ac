// Package capacity computes what a number of events a day needs: processors, memory,
// disks, partitions, machines and money, from what was measured and from what the asker
// assumes. docs/capacity.md holds what it says of three loads.
package capacity

// Figure is one number that the plan rests on, measured unless By says otherwise.
type Figure struct {
	Value float64
	Unit  string
	What  string
	By    string // what measures it again
}

// Figures are all that was measured and is used. Where a measurement is a range, it is
// the worse end.
type Figures struct {
	Consumer     Figure
	ClickHouse   Figure
	Broker       Figure
	Shard        Figure
	Whole        Figure
	Unit         Figure
	Event        Figure
	Row          Figure
	Record       Figure
	Insert       Figure
	Restore      Figure
	RestoreDB    Figure
	PartsOfShard Figure
	Part         Figure
}

// Measured are the figures of the program as it is.
func Measured() Figures {
	return Figures{
		Consumer:     Figure{3.6, "µs", "processor time of an event, consumer: 2.8, and 1.28 times that at 10⁷ units", "`make bench`; `go test ./ingest -run xxx -bench Join/by_time`"},
		ClickHouse:   Figure{2.0, "µs", "processor time of an event, ClickHouse, merges included", "`make bench`"},
		Broker:       Figure{0.2, "µs", "processor time of an event, broker", "`make bench`"},
		Shard:        Figure{90e3, "events/s", "in each of four shards at once, on two cores", "`make bench`"},
		Whole:        Figure{370e3, "events/s", "the most that one ClickHouse server was given for seven minutes", "`make bench ARGS=\"-whole -long -runs 1 -units 600000 -memory 15000000000\"`"},
		Unit:         Figure{114, "bytes", "memory of a unit in an experiment with three metrics", "`go test ./ingest -run TestBytes -v`"},
		Event:        Figure{43, "bytes", "memory of an event of a unit in memory", "`go test ./ingest -run TestBytes -v`"},
		Row:          Figure{33, "bytes", "disk of an event in `events`, parts still to be merged", "`make bench`"},
		Record:       Figure{200, "bytes", "a record in Kafka, and on the network to a consumer", "`make bench`"},
		Insert:       Figure{100, "bytes", "an event on the network to ClickHouse, not compressed", "an estimate from the columns"},
		Restore:      Figure{1.6, "µs", "processor time of a consumer for each event that it reads back at a start", "`go test ./internal/clickhouse -run xxx -bench Restore`"},
		RestoreDB:    Figure{0.9, "µs", "the same, of ClickHouse", "`go test ./internal/clickhouse -run xxx -bench Restore`"},
		PartsOfShard: Figure{6, "parts", "active parts of a shard in `ledger` while it is written to, at most", "`make bench`"},
		Part:         Figure{0.15, "ms", "reading all sums, for each active part", "tables of 10 to 1,600 parts, once; no command repeats it"},
	}
}

// list is in the order of the page.
func (f Figures) list() []Figure {
	return []Figure{f.Consumer, f.ClickHouse, f.Broker, f.Shard, f.Whole, f.Unit, f.Event, f.Row, f.Record, f.Insert, f.Restore, f.RestoreDB, f.PartsOfShard, f.Part}
}
