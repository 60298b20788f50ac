package experiment

import "time"

// Erasing makes the version under which the units of all requests of erasure up to
// one are suppressed: nothing that comes of them is stored or counted any more. It
// returns nil when the version in force does so already.
func (v *Version) Erasing(request uint64, reason, author string, now time.Time) *Version {
	if request <= v.Erasure {
		return nil
	}
	next := v.clone()
	next.Number, next.Author, next.Login, next.Reason, next.Erasure = v.Number+1, author, "", reason, request
	if now = now.UTC().Truncate(time.Millisecond); now.After(v.AppliedAt) {
		next.AppliedAt = now
	}
	return next
}
