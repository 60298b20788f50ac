package simulate

import "time"

// entry is something that will happen: a record arrives, or a visitor is back.
type entry struct {
	at     time.Time
	story  *Story
	record Delivery
	back   *Visitor
}

// agenda is a heap of entries, the next one first. It implements heap.Interface.
type agenda []entry

// Len implements sort.Interface.
func (a agenda) Len() int { return len(a) }

// Less implements sort.Interface.
func (a agenda) Less(i, j int) bool { return a[i].at.Before(a[j].at) }

// Swap implements sort.Interface.
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push implements heap.Interface.
func (a *agenda) Push(x any) { *a = append(*a, x.(entry)) }

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	last := len(*a) - 1
	e := (*a)[last]
	(*a)[last] = entry{}
	*a = (*a)[:last]
	return e
}
