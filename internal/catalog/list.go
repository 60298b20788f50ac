package catalog

import (
	"cmp"
	"slices"
	"strings"
)

// Query narrows a list; empty fields do not.
type Query struct {
	Text   string // in the key, the owner, the objective or the hypothesis, in any case
	State  []State
	Health []Fitness
	Call   []Call
	Owner  string
	Sort   Order
	After  string // key of the last row that was read; only in the order of keys
	Limit  int    // rows at most; 0: all
}

// Order is how a list is sorted.
type Order string

// The orders; the zero value is ByKey.
const (
	ByKey    Order = "key"
	ByHealth Order = "health" // the gravest first
	ByStart  Order = "start"  // the youngest first
)

// Page is a stretch of a list.
type Page struct {
	Rows []Row
	Of   int    // rows that the query finds, on all pages
	Next string // what comes after Rows, for Query.After; "": nothing
}

// Find gives the rows of a list that the query asks for. A page begins after the row
// whose key is Query.After, in whatever order.
func Find(rows []Row, q Query) Page {
	var found []Row
	for i := range rows {
		if q.takes(&rows[i]) {
			found = append(found, rows[i])
		}
	}
	slices.SortStableFunc(found, q.compare)
	page := Page{Of: len(found), Rows: found}
	if q.After != "" {
		if i := slices.IndexFunc(found, func(r Row) bool { return r.Key == q.After }); i >= 0 {
			page.Rows = found[i+1:]
		}
	}
	if q.Limit > 0 && len(page.Rows) > q.Limit {
		page.Rows = page.Rows[:q.Limit]
		page.Next = page.Rows[q.Limit-1].Key
	}
	return page
}

func (q *Query) takes(r *Row) bool {
	return (len(q.State) == 0 || slices.Contains(q.State, r.State)) &&
		(len(q.Health) == 0 || slices.Contains(q.Health, r.Health)) &&
		(len(q.Call) == 0 || slices.Contains(q.Call, r.Call)) &&
		(q.Owner == "" || q.Owner == r.Owner) && q.says(r)
}

func (q *Query) says(r *Row) bool {
	if q.Text == "" {
		return true
	}
	text := strings.ToLower(q.Text)
	for _, s := range []string{r.Key, r.Owner, r.Objective, r.Hypothesis} {
		if strings.Contains(strings.ToLower(s), text) {
			return true
		}
	}
	return false
}

func (q *Query) compare(a, b Row) int {
	byKey := cmp.Compare(a.Key, b.Key)
	switch q.Sort {
	case ByHealth:
		return cmp.Or(cmp.Compare(slices.Index(Fitnesses(), a.Health), slices.Index(Fitnesses(), b.Health)), byKey)
	case ByStart:
		return cmp.Or(b.Start.Compare(a.Start), byKey)
	}
	return byKey
}
