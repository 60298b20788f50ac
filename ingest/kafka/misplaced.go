package kafka

import "fmt"

// maxMisplaced is the share of records in the wrong partition above which a
// shard is blind.
const maxMisplaced = 0.001

// shareWindow is over how many records at least the share is taken. A repaired
// producer is believed after at most twice as many.
const shareWindow = 100_000

// share is the misplaced fraction over the last records: of the current window
// and the one before. It begins anew when the shard is taken.
type share struct {
	misplaced, records         uint64
	lastMisplaced, lastRecords uint64
}

func (s *share) add(misplaced, records uint64) {
	s.misplaced += misplaced
	s.records += records
	if s.records >= shareWindow {
		s.lastMisplaced, s.lastRecords = s.misplaced, s.records
		s.misplaced, s.records = 0, 0
	}
}

func (s *share) total() (misplaced, records uint64) {
	return s.misplaced + s.lastMisplaced, s.records + s.lastRecords
}

func (s *share) tooHigh() bool {
	misplaced, records := s.total()
	return records > 0 && float64(misplaced) > maxMisplaced*float64(records)
}

func (s *share) String() string {
	misplaced, records := s.total()
	return fmt.Sprintf("%d of the last %d records are in the wrong partition for their unit: check the producers' partitioner", misplaced, records)
}
