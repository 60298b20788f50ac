package kafka

import "time"

// Way is the way of one batch from its first record until it was durable.
type Way struct {
	Shard   uint16
	Seq     uint64 // of its part
	Records int
	Rows    int // of its part
	Stages  []Stretch
}

// Stretch is a stage of a way. A stage that is passed several times is one stretch.
type Stretch struct {
	Stage        Stage
	Began, Ended time.Time     // of its first time and its last
	Busy         time.Duration // in all of them
	Records      int
}

// observe measures a stage, and adds it to a batch's way where somebody wants to know.
func (l *life) observe(b *batch, stage Stage, began time.Time, records int) {
	c := l.s.c
	c.observe(stage, began, records)
	if c.cfg.Traced == nil || b == nil {
		return
	}
	now := c.cfg.Now()
	for i := range b.way {
		if st := &b.way[i]; st.Stage == stage {
			st.Ended, st.Busy, st.Records = now, st.Busy+now.Sub(began), st.Records+records
			return
		}
	}
	b.way = append(b.way, Stretch{Stage: stage, Began: began, Ended: now, Busy: now.Sub(began), Records: records})
}

// trace tells of a batch that is durable.
func (l *life) trace(job work) {
	if l.s.c.cfg.Traced == nil || job.batch == nil {
		return
	}
	l.s.c.cfg.Traced(Way{Shard: l.s.id, Seq: job.part.Seq, Records: job.batch.records(), Rows: len(job.part.Rows), Stages: job.batch.way})
}
