package simulate

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/assay-dev/assay/ingest"
)

// Load is a heavy, tidy stream for benchmarks: every unit is exposed once, to one
// experiment or to each of them, and buys a few times. What must come out is known beforehand:
// Expected adds the same draws up by unit and never sees a record.
type Load struct {
	Seed        uint64
	Units       int
	Experiments []string      // keys; unit i belongs to Experiments[i mod n]
	Each        bool          // or to each of them, in variants that have nothing to do with one another
	Variants    []string      // of every experiment, equal shares
	MostBuys    int           // purchases of a unit, evenly from 0; at most
	Start       time.Time     // of the first exposure
	Every       time.Duration // between exposures
	Partitions  int32         // of both topics, by Kafka's usual partitioner
}

// Units are exposed Every after one another; each purchase follows within
// loadWindow of its exposure, but no two of a unit in the same millisecond.
const (
	loadWindow = 5 * time.Second
	loadBlock  = 1000 // units whose exposures and purchases are mixed
	unitPrefix = "load-user-"
)

// LoadRecord is one record of a Load, about 200 bytes of value. Its bytes are
// good until the next record is made.
type LoadRecord struct {
	Topic     Topic
	Partition int32
	Key       []byte
	Value     []byte
}

// Sums are what one variant of one experiment must come to: units, those who
// bought, and over all units' totals their sum and the sum of their squares, of
// money in hundredths and of the number of purchases.
type Sums struct {
	Experiment, Variant  string
	Units, Buyers        int64
	Cents, SquaredCents  int64
	Events, SquaredCount int64
}

// loadUnit is what is drawn for one of them.
type loadUnit struct {
	variants []int // one for each exposure
	cents    []int // one for each purchase
}

// draw makes unit i; the slice is used again by the next one.
func (l Load) draw(i int, source *rand.PCG, into *loadUnit) {
	source.Seed(l.Seed, uint64(i)*golden)
	random := rand.New(source)
	into.variants = append(into.variants[:0], random.IntN(len(l.Variants)))
	into.cents = into.cents[:0]
	for range random.IntN(l.MostBuys + 1) {
		into.cents = append(into.cents, 1+random.IntN(10_000))
	}
	for len(into.variants) < l.exposures() {
		into.variants = append(into.variants, random.IntN(len(l.Variants)))
	}
}

// exposures is how many each unit has.
func (l Load) exposures() int {
	if l.Each {
		return len(l.Experiments)
	}
	return 1
}

// experiment is which one a unit's exposure is to.
func (l Load) experiment(unit, exposure int) int { return (unit + exposure) % len(l.Experiments) }

// Unit is the id of unit i.
func (l Load) Unit(i int) string { return unitPrefix + strconv.Itoa(i) }

// Expected returns the sums, experiment by experiment, variant by variant.
func (l Load) Expected() []Sums { return l.ExpectedWithout(nil) }

// ExpectedWithout returns the sums without some of the units.
func (l Load) ExpectedWithout(gone map[int]bool) []Sums {
	out := make([]Sums, len(l.Experiments)*len(l.Variants))
	for i := range out {
		out[i].Experiment, out[i].Variant = l.Experiments[i/len(l.Variants)], l.Variants[i%len(l.Variants)]
	}
	var u loadUnit
	source := rand.NewPCG(0, 0)
	for i := range l.Units {
		if gone[i] {
			continue
		}
		l.draw(i, source, &u)
		var total, count int64
		for _, c := range u.cents {
			total, count = total+int64(c), count+1
		}
		for j, variant := range u.variants {
			s := &out[l.experiment(i, j)*len(l.Variants)+variant]
			s.Units++
			s.Buyers += min(count, 1)
			s.Cents += total
			s.SquaredCents += total * total
			s.Events += count
			s.SquaredCount += count * count
		}
	}
	return out
}

// Records calls yield with every record until it returns false. It goes block by
// block, first all exposures and then all purchases, so that a unit has to be
// remembered between its records.
func (l Load) Records(yield func(LoadRecord) bool) {
	w := loadWriter{Load: l, source: rand.NewPCG(0, 0)}
	for from := 0; from < l.Units; from += loadBlock {
		to := min(from+loadBlock, l.Units)
		for i := from; i < to; i++ {
			for j := range l.exposures() {
				if !yield(w.exposure(i, j)) {
					return
				}
			}
		}
		for i := from; i < to; i++ {
			for j := range w.buys(i) {
				if !yield(w.purchase(i, j)) {
					return
				}
			}
		}
	}
}

// Count returns how many records there are.
func (l Load) Count() int {
	events := 0
	for _, s := range l.Expected() {
		events += int(s.Events)
	}
	return l.Units*l.exposures() + events/l.exposures()
}

// loadWriter writes records into buffers that it uses again.
type loadWriter struct {
	Load
	source     *rand.PCG
	unit       loadUnit
	key, value []byte
}

func (w *loadWriter) buys(i int) int {
	w.draw(i, w.source, &w.unit)
	return len(w.unit.cents)
}

// exposure is the j-th of unit i. Their ids go down from 0, those of purchases up.
func (w *loadWriter) exposure(i, j int) LoadRecord {
	w.draw(i, w.source, &w.unit)
	w.begin("exposure", i, -j, w.Start.Add(time.Duration(i)*w.Every))
	w.field("experiment", w.Experiments[w.experiment(i, j)])
	w.field("variant", w.Variants[w.unit.variants[j]])
	w.value = append(w.value, `,"attrs":{"device":"mobile","country":"DE"}}`...)
	return w.record(Exposures)
}

// purchase is the j-th of the unit that was drawn last.
func (w *loadWriter) purchase(i, j int) LoadRecord {
	step := loadWindow / time.Duration(w.MostBuys+1)
	w.begin("outcome", i, j+1, w.Start.Add(time.Duration(i)*w.Every+time.Duration(j+1)*step))
	w.field("event", "purchase")
	w.value = append(w.value, `,"value":`...)
	w.value = appendHundredths(w.value, w.unit.cents[j])
	w.value = append(w.value, `,"attrs":{"device":"mobile","currency":"EUR"}}`...)
	return w.record(Outcomes)
}

// begin writes what both kinds of event begin with.
func (w *loadWriter) begin(kind string, i, number int, t time.Time) {
	w.key = strconv.AppendInt(append(w.key[:0], unitPrefix...), int64(i), 10)
	w.value = append(append(append(w.value[:0], `{"type":"`...), kind...), `","id":"`...)
	w.value = append(strconv.AppendInt(append(w.value, "load-record-"...), int64(i), 10), '-')
	w.value = strconv.AppendInt(w.value, int64(number), 10)
	w.value = strconv.AppendInt(append(w.value, `","ts":`...), t.UnixMilli(), 10)
	w.value = append(append(append(w.value, `,"unit":"`...), w.key...), `","unit_kind":"user"`...)
}

func (w *loadWriter) field(name, text string) {
	w.value = append(append(append(w.value, `,"`...), name...), `":"`...)
	w.value = append(append(w.value, text...), '"')
}

func (w *loadWriter) record(topic Topic) LoadRecord {
	return LoadRecord{topic, ingest.Partition(w.key, w.Partitions, ingest.Murmur2), w.key, w.value}
}
