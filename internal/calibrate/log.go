package main

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/assay-dev/assay/ingest"
)

// record is one record of the simulated log.
type record struct {
	arrives int64 // milliseconds after the start
	at      int64 // event time, likewise
	unit    int32
	id      int32 // 0: its place is its identity
	arm     int8  // exposures
	seen    bool  // an exposure
	name    string
	value   ingest.Value
}

// draw makes the log, in the order of arrival.
func (w *world) draw(r *rand.Rand) (entries []int64, log []record) {
	entries = make([]int64, w.units)
	log = make([]record, 0, 2*w.units)
	shares := w.actual
	if shares == nil {
		shares = w.phases
	}
	for i := range w.units {
		at := (float64(i) + r.Float64()) / float64(w.units)
		u := entrant{number: i, at: at, phase: int(at * float64(len(shares)))}
		u.arm = pick(r, shares[u.phase])
		entries[i] = int64(at * float64(w.enrol.Milliseconds()))
		log = append(log, record{arrives: entries[i], at: entries[i], unit: int32(i), arm: int8(u.arm), seen: true})
		w.unit(r, u, func(after time.Duration, event string, value ingest.Value) {
			t := entries[i] + after.Milliseconds()
			log = append(log, record{arrives: t, at: t, unit: int32(i), name: event, value: value})
		})
	}
	if w.twice > 0 {
		log = repeat(r, log, w.twice)
	}
	if !slices.IsSortedFunc(log, byArrival) {
		slices.SortFunc(log, byArrival)
	}
	return entries, log
}

// byArrival breaks ties so that a unit is seen before anything happens to it.
func byArrival(a, b record) int {
	switch {
	case a.arrives != b.arrives:
		return cmp.Compare(a.arrives, b.arrives)
	case a.unit != b.unit:
		return cmp.Compare(a.unit, b.unit)
	case a.seen != b.seen && a.seen:
		return -1
	case a.seen != b.seen:
		return 1
	}
	return 0
}

// repeat gives all records ids and sends some of them again, up to an hour later.
func repeat(r *rand.Rand, log []record, share float64) []record {
	for i := range log {
		log[i].id = int32(i + 1)
		if r.Float64() < share {
			again := log[i]
			again.arrives += r.Int64N(3_600_000)
			log = append(log, again)
		}
	}
	return log
}

// pick draws an arm.
func pick(r *rand.Rand, shares []float64) int {
	x := r.Float64()
	for i, s := range shares {
		if x -= s; x < 0 {
			return i
		}
	}
	return len(shares) - 1
}
