package app

import (
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/privacy"
	"github.com/assay-dev/assay/internal/results"
)

// RegionFile is what one region exported.
type RegionFile struct {
	Name string
	Sums *privacy.Moments
}

// Regions is the results document of several regions, from nothing but their sums, and
// what each of them gave. at is up to when every region had counted when it exported;
// zero: the newest event that all of them have. Exports have the sums over all units:
// those over units whose windows have passed are known once that is all of them.
func Regions(v *experiment.Version, e *experiment.Experiment, number uint32, files []RegionFile, at time.Time, code string) (d results.Document, regions []privacy.Region, err error) {
	it := iterationOf(e, number, time.Now())
	if it == nil {
		return d, nil, fmt.Errorf("experiment %s has no iteration %d", e.Key, number)
	}
	var until time.Time
	for i, f := range files {
		r, err := privacy.RegionOf(f.Name, f.Sums, e, it)
		if err != nil {
			return d, nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		if len(r.Cells) == 0 {
			return d, nil, WithHint(fmt.Errorf("%s has nothing of iteration %d of %s that all arms have", f.Name, it.Number, e.Key), "leave it out, or name another iteration: --iteration")
		}
		if regions = append(regions, r); i == 0 || r.Until.Before(until) {
			until = r.Until
		}
	}
	if at.IsZero() {
		at = until
	}
	statuses := []results.ShardStatus{{Freshness: at, Config: v.Number, State: "ok", At: at}}
	m := results.Moments{Vector: map[uint16]uint64{0: 0}, Config: map[uint16]uint32{0: v.Number}, Cells: privacy.Together(regions)}
	last := it.EnrolUntil
	if it.End.Before(last) {
		last = it.End
	}
	matured := results.Maturity(e, it, statuses)
	for i := range m.Cells {
		if cutoff, ok := matured[m.Cells[i].Metric]; ok && !cutoff.Before(last) {
			m.Cells[i].Matured = m.Cells[i].Open
		}
	}
	d = results.Compute(v, e, it.Number, m, statuses, at, results.Options{Code: code, Kind: results.KindFull})
	d.Vector = nil // there is no one ledger
	return d, regions, nil
}
