package kafka

import "context"

// checkEnds has shards begin anew whose ledger is shorter than they know it. Without
// traffic they would not see it themselves: they append nothing.
func (c *Consumer) checkEnds(ctx context.Context, owned []*shard, ids []uint16) {
	known := map[*shard]uint64{}
	for _, s := range owned { // before the ends are read: what comes meanwhile is no difference
		if s.progress.snapshot().state == StateOK { // one that loads reads the end itself
			known[s] = s.progress.sequence()
		}
	}
	ends, err := c.store.Ends(ctx, ids)
	if err != nil {
		if ctx.Err() == nil {
			c.log.Warn("ends of the ledger not read", "error", err)
		}
		return
	}
	for s, seq := range known {
		if ends[s.id] < seq {
			s.restart(errBack)
		}
	}
}

// noteBack tells when a shard finds less in the ledger than it had written: somebody
// truncated or restored it, or the server lost its newest parts. What it lacks is read
// from Kafka again; until then the shard is not fresh, and the guard believes nothing.
func (s *shard) noteBack(mark Mark) {
	before := s.progress.sequence()
	if mark.Seq >= before {
		return
	}
	s.c.metrics.backs.Inc()
	s.log.Error("the ledger went back, what it lacks is counted again from Kafka", "from_part", before, "to_part", mark.Seq)
}
