package main

import (
	"errors"
	"time"

	"github.com/assay-dev/assay/ingest"
)

// point is what an event costs the join at so many units.
type point struct {
	units  int
	cost   time.Duration // of one event
	memory int64         // of the state, a unit
}

const (
	joinBatch  = 10_000  // events at once, as a fetch has them
	joinSample = 400_000 // events of a point, of units in random order
)

// curve lets the state grow and measures at each number of units what events of
// random units cost. Random is the worst case: every event meets memory that no
// cache holds. Decoding and encoding cost the same at any size.
func (b *bencher) curve(sizes []int) ([]point, error) {
	v, err := b.version()
	if err != nil {
		return nil, err
	}
	j := ingest.NewJoiner(b.topics[:], v)
	w := &walker{start: b.load.Start.UnixMilli(), events: make([]ingest.Event, joinBatch)}
	var points []point
	for _, n := range sizes {
		for w.units < n {
			j.AddAll(w.expose(n), nil)
			j.Take()
		}
		points = append(points, point{units: n, cost: w.sample(j), memory: j.Bytes() / int64(n)})
	}
	if j.Units() != sizes[len(sizes)-1] {
		return nil, errors.New("the sizes must rise")
	}
	return points, nil
}

// walker makes events without a log.
type walker struct {
	start  int64
	units  int // exposed so far
	at     uint64
	events []ingest.Event
	fates  []ingest.Fate
}

func unitOf(i uint64) ingest.Unit {
	h := scramble(i + 1)
	return ingest.Unit{Hi: h, Lo: scramble(h)}
}

func scramble(v uint64) uint64 {
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}

// expose makes the exposures of the next units, up to n of them.
func (w *walker) expose(n int) []ingest.Event {
	out := w.events[:0]
	for ; w.units < n && len(out)+len(keys) <= joinBatch; w.units++ {
		for k, key := range keys {
			out = append(out, ingest.Event{
				Type: ingest.Exposure, Place: ingest.Place{Offset: int64(w.at)}, T: w.start + int64(w.at>>10), UnitKind: "user",
				Unit: unitOf(uint64(w.units)), ID: idOf(w.at), Experiment: key, Variant: [...]string{"control", "treatment"}[(w.units>>k)&1],
				Attrs: []ingest.Attr{{Name: "country", Value: "DE"}, {Name: "device", Value: "mobile"}},
			})
			w.at++
		}
	}
	return out
}

func idOf(n uint64) string {
	var b [8]byte
	for i := range b {
		b[i] = byte(n >> (8 * i))
	}
	return string(b[:])
}

// sample is the cost of an outcome of a random unit.
func (w *walker) sample(j *ingest.Joiner) time.Duration {
	var spent time.Duration
	for from := 0; from < joinSample; from += joinBatch {
		for i := range w.events {
			w.at++
			w.events[i] = ingest.Event{
				Type: ingest.Outcome, Place: ingest.Place{Topic: 1, Offset: int64(w.at)}, T: w.start + int64(w.at>>10), UnitKind: "user",
				Unit: unitOf(scramble(w.at) % uint64(w.units)), ID: idOf(w.at), Name: "purchase", Value: ingest.Value{Lo: 19_990_000_000_000},
			}
		}
		before := ownTime()
		w.fates = j.AddAll(w.events, w.fates[:0])
		spent += ownTime() - before
		j.Take()
	}
	return spent / joinSample
}
