package ingest

import "unsafe"

const (
	pageBits = 10
	pageSize = 1 << pageBits
)

// arena is a list that grows by pages, so that growing copies nothing and costs
// no more than a page too much. T holds no pointers. Indexes begin at 1.
type arena[T any] struct {
	pages []*[pageSize]T
	used  int
}

// alloc returns the index of n neighbouring elements, n ≤ pageSize. They are zero
// unless used was set back.
func (a *arena[T]) alloc(n int) uint32 {
	if at := a.used % pageSize; at+n > pageSize {
		a.used += pageSize - at
	}
	first := a.used
	if a.used += n; a.used > len(a.pages)*pageSize {
		a.pages = append(a.pages, new([pageSize]T))
	}
	if uint64(a.used) >= 1<<32-1 {
		panic("ingest: a sixteenth of a shard holds more than 2^32 rows; it needs more partitions")
	}
	return uint32(first + 1)
}

// at returns the element with that index.
func (a *arena[T]) at(i uint32) *T {
	i--
	return &a.pages[i>>pageBits][i&(pageSize-1)]
}

// each visits all elements that were given out, and those skipped at the end of a
// page, which are zero.
func (a *arena[T]) each(visit func(*T)) {
	for left := a.used; left > 0; {
		page := a.pages[(a.used-left)/pageSize]
		n := min(left, pageSize)
		for i := range n {
			visit(&page[i])
		}
		left -= n
	}
}

func (a *arena[T]) clear() { *a = arena[T]{} }

func (a *arena[T]) size() int64 {
	var zero T
	return int64(len(a.pages)) * pageSize * int64(unsafe.Sizeof(zero))
}

// standing is what one unit is in one iteration: a cache of what assess finds in
// the unit's rows. A unit's standings are a list.
type standing struct {
	next    uint32
	profile uint32 // what the unit's cells have in common
	totals  uint32 // y of each metric, neighbours in totals
	firstT  int64
	crossT  int64 // time of the crossover that took the unit out, else neverT
}

// totals keeps each y in 64 bits while it fits. An event's x stays below 2^47, so
// only a unit with tens of thousands of huge events needs the wide ones.
type totals struct {
	narrow arena[int64]
	wide   map[uint32]Int128
}

const isWide = int64(-1 << 63)

func (t *totals) get(i uint32) Int128 {
	if v := *t.narrow.at(i); v != isWide {
		return Int64(v)
	}
	return t.wide[i]
}

func (t *totals) set(i uint32, y Int128) {
	at := t.narrow.at(i)
	if *at == isWide {
		delete(t.wide, i)
	}
	if v := int64(y.Lo); Int64(v) == y && v != isWide {
		*at = v
		return
	}
	*at = isWide
	if t.wide == nil {
		t.wide = map[uint32]Int128{}
	}
	t.wide[i] = y
}

// touch brings a total into the cache.
func (t *totals) touch(i uint32) bool { return i != 0 && *t.narrow.at(i) == isWide }
