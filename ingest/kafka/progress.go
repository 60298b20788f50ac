package kafka

import (
	"sync"
	"time"

	"github.com/assay-dev/assay/internal/results"
)

// progress is how far a shard is, shared between the goroutine that works on it
// and the one that reports.
type progress struct {
	mu            sync.Mutex
	state, detail string
	seq           uint64
	config        uint32
	names         []string // of the declared topics
	topics        []topicProgress
	ids           map[string][16]byte // of the topics that are being read
	misplaced     share
}

type topicProgress struct {
	next  int64       // everything below is durable
	waits []int64     // timestamp of the first record of each batch that is not durable yet, oldest first
	ends  []endSample // ends of the log not yet reached, oldest first
	fresh int64       // everything that was in the log at this time is durable; milliseconds, 0: unknown
}

// endSample says that at this time everything in the log was below end.
type endSample struct {
	at  int64
	end int64
}

// maxSamples bounds the memory of a shard that cannot keep up. Beyond it the
// newest sample is replaced, which only makes freshness a little older.
const maxSamples = 1024

// begin is called when a shard has loaded.
func (p *progress) begin(l *life) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.detail, p.seq, p.config = StateOK, "", l.seq, l.config
	p.topics = make([]topicProgress, len(l.source))
	p.ids = map[string][16]byte{}
	for i, topic := range l.source {
		p.topics[i].next = l.from[i]
		p.ids[l.names[topic]] = l.topics[topic].ID
	}
}

// set says why the shard does not go on. What it had under way is forgotten.
func (p *progress) set(state, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.detail = state, detail
	p.topics = nil
}

// waiting notes the first record of a topic in a batch.
func (p *progress) waiting(topic int, timestamp int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.topics[topic].waits = append(p.topics[topic].waits, timestamp)
}

// commit is called when a batch is durable. Offsets of topics that it did not
// touch are negative.
func (p *progress) commit(seq uint64, config uint32, next []int64, misplaced, records uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seq, p.config = seq, config
	p.misplaced.add(misplaced, records)
	for i, n := range next {
		if n < 0 {
			continue
		}
		t := &p.topics[i]
		t.next = n
		if len(t.waits) > 0 {
			t.waits = t.waits[1:]
		}
	}
}

// seen notes where the declared topics ended at a time each, as milliseconds.
func (p *progress) seen(at, ends []int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.topics {
		p.topics[i].seen(at[i], ends[i])
	}
}

func (t *topicProgress) seen(at, end int64) {
	sample := endSample{at, end}
	if last := len(t.ends) - 1; last >= 0 && (t.ends[last].end == end || last+1 >= maxSamples) {
		t.ends[last] = sample
	} else {
		t.ends = append(t.ends, sample)
	}
	for len(t.ends) > 0 && t.ends[0].end <= t.next {
		t.fresh = t.ends[0].at
		t.ends = t.ends[1:]
	}
}

// freshness of a partition: the time of the last look at its end if it is read
// to there, else the timestamp of its next record. While that is not known (not
// fetched yet, or hidden in an open transaction) it is the time of the last look
// whose end has been reached.
func (t *topicProgress) freshness() int64 {
	if len(t.ends) > 0 && len(t.waits) > 0 {
		return min(t.waits[0], t.ends[len(t.ends)-1].at)
	}
	return t.fresh
}

// status is what the shard says of itself. Seq and Freshness belong together.
func (p *progress) status(shard uint16, now time.Time) results.ShardStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := results.ShardStatus{Shard: shard, Seq: p.seq, Config: p.config, State: p.state, Detail: p.detail, At: now}
	fresh := int64(0)
	for i := range p.topics {
		if f := p.topics[i].freshness(); i == 0 || f < fresh {
			fresh = f
		}
	}
	s.Freshness = time.UnixMilli(max(0, fresh)).UTC()
	if s.State == StateOK && p.misplaced.tooHigh() {
		s.State, s.Detail = StateMisplaced, p.misplaced.String()
	}
	return s
}

// snapshot is the state alone.
func (p *progress) snapshot() (s struct{ state, detail string }) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.state, s.detail = p.state, p.detail
	return s
}

// lag is how many offsets are not durable yet, as of the last look.
func (p *progress) lag() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waitingOffsets()
}

// waitingOffsets is lag for who holds the lock.
func (p *progress) waitingOffsets() (n int64) {
	for i := range p.topics {
		if t := &p.topics[i]; len(t.ends) > 0 {
			n += t.ends[len(t.ends)-1].end - t.next
		}
	}
	return n
}

// caughtUp tells whether fewer than so many offsets are not durable yet, as of the
// last look at all topics since the shard has loaded.
func (p *progress) caughtUp(records int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.topics {
		if t := &p.topics[i]; t.fresh == 0 && len(t.ends) == 0 { // not looked at
			return false
		}
	}
	return len(p.topics) > 0 && p.waitingOffsets() < records
}

// reads is the id of a topic that is being read.
func (p *progress) reads(name string) (id [16]byte, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, known = p.ids[name]
	return id, known
}

// durable is the next offset of every declared topic, empty while loading.
func (p *progress) durable() map[string]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make(map[string]int64, len(p.topics))
	for i, t := range p.topics {
		out[p.names[i]] = t.next
	}
	return out
}
