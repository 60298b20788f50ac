package kafka

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// memory is a store that keeps the ledger's promise: a part is stored only as
// the shard's next one. Its functions let a test fail or delay any step.
type memory struct {
	mu       sync.Mutex
	events   map[place]ingest.Event
	dead     map[place]ingest.Dead
	parts    map[uint16][]stored
	versions []experiment.Version
	decoding []Decoding
	status   map[uint16]results.ShardStatus
	chain    map[uint16]string
	losses   map[uint16][]Loss
	proven   map[uint16]uint64
	requests []Suppression
	left     map[uint16]map[uint64]Adjustment // of erased units, by part
	carried  map[uint16]uint64
	erased   map[place]bool
	astray   int64 // what reconciliation is to find
	recalls  int   // units that were read back
	run      Run

	// Called without the lock, before the step; an error is returned instead
	// of doing it.
	beforeEvents func(shard uint16) error
	beforePart   func(p ingest.Part) error
	hang         func(ctx context.Context, p ingest.Part)
	beforeMark   func() error
	beforeBelow  func(ctx context.Context) error
	beforeStatus func(ctx context.Context) error
	// afterPart may turn a stored part into an error that its writer sees.
	afterPart func(p ingest.Part) error
}

type place struct {
	shard  uint16
	topic  string
	offset int64
}

type stored struct {
	ingest.Part
	topics []Topic
}

func newMemory() *memory {
	return &memory{
		events: map[place]ingest.Event{}, dead: map[place]ingest.Dead{}, parts: map[uint16][]stored{},
		status: map[uint16]results.ShardStatus{}, chain: map[uint16]string{},
		losses: map[uint16][]Loss{}, proven: map[uint16]uint64{},
		left: map[uint16]map[uint64]Adjustment{}, carried: map[uint16]uint64{}, erased: map[place]bool{},
	}
}

func (m *memory) LastMark(_ context.Context, shard uint16) (Mark, error) {
	m.mu.Lock()
	before := m.beforeMark
	m.mu.Unlock()
	if before != nil {
		if err := before(); err != nil {
			return Mark{}, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lastMark(shard), nil
}

func (m *memory) lastMark(shard uint16) Mark {
	var mark Mark
	for _, parts := range m.parts {
		for _, p := range parts {
			mark.Partitions = max(mark.Partitions, p.Partitions)
		}
	}
	next := map[string]TopicMark{}
	for _, p := range m.parts[shard] {
		mark.Seq, mark.Config = p.Seq, p.Config
		for _, c := range p.Offsets {
			t := p.topics[c.Topic]
			next[t.Name] = TopicMark{Topic: t, Next: c.Next, Epoch: c.Epoch}
		}
	}
	for _, t := range next {
		mark.Topics = append(mark.Topics, t)
	}
	slices.SortFunc(mark.Topics, func(a, b TopicMark) int { return cmp.Compare(a.Name, b.Name) })
	return mark
}

func (m *memory) AppendPart(ctx context.Context, topics []Topic, p ingest.Part) (Appended, error) {
	m.mu.Lock()
	before := m.beforePart
	m.mu.Unlock()
	if before != nil {
		if err := before(p); err != nil {
			return Unknown, err
		}
	}
	if m.hang != nil {
		m.hang(ctx, p)
	}
	if err := ctx.Err(); err != nil {
		return Unknown, err
	}
	m.mu.Lock()
	if p.Seq != m.lastMark(p.Shard).Seq+1 {
		m.mu.Unlock()
		return Lost, nil
	}
	p.Offsets, p.Rows = slices.Clone(p.Offsets), slices.Clone(p.Rows)
	m.parts[p.Shard] = append(m.parts[p.Shard], stored{p, slices.Clone(topics)})
	m.mu.Unlock()
	if m.afterPart != nil {
		if err := m.afterPart(p); err != nil {
			return Unknown, err
		}
	}
	return Committed, nil
}

// Reconciled implements Ledger.
func (m *memory) Reconciled(context.Context) (out []Reconciled, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for shard, parts := range m.parts {
		for _, p := range parts {
			for _, c := range p.Offsets {
				fates := c.Accepted + c.Duplicate + c.Dead + c.Misplaced + c.Suppressed + c.Shed + c.NoRecord + c.Gap
				out = append(out, Reconciled{Shard: shard, Topic: p.topics[c.Topic].Name, Difference: c.Next - c.From - int64(fates) + m.astray})
			}
		}
	}
	return out, nil
}

func (m *memory) CheckChain(context.Context, []uint16) (map[uint16]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[uint16]string{}
	for s, detail := range m.chain {
		out[s] = detail
	}
	return out, nil
}

// Ends implements Ledger.
func (m *memory) Ends(context.Context, []uint16) (map[uint16]uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[uint16]uint64{}
	for shard := range m.parts {
		out[shard] = m.lastMark(shard).Seq
	}
	return out, nil
}

func (m *memory) AppendEvents(_ context.Context, shard uint16, topics []string, events []ingest.Event, dead []ingest.Dead) error {
	if m.beforeEvents != nil {
		if err := m.beforeEvents(shard); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range events {
		e.Attrs = slices.Clone(e.Attrs)
		m.events[place{shard, topics[e.Place.Topic], e.Place.Offset}] = e
	}
	for _, d := range dead {
		m.dead[place{shard, topics[d.Place.Topic], d.Place.Offset}] = d
	}
	return nil
}

// NewRows copies what it is given, as an encoder does: the consumer uses its
// slice of events again.
func (m *memory) NewRows(shard uint16, topics []string) Rows {
	return &memoryRows{m: m, shard: shard, topics: topics}
}

type memoryRows struct {
	m      *memory
	shard  uint16
	topics []string
	events []ingest.Event
}

func (r *memoryRows) Add(events []ingest.Event) {
	for _, e := range events {
		e.Attrs = slices.Clone(e.Attrs)
		r.events = append(r.events, e)
	}
}

func (r *memoryRows) Len() int { return len(r.events) }

func (r *memoryRows) Reset() { r.events = r.events[:0] }

func (r *memoryRows) Append(ctx context.Context) error {
	return r.m.AppendEvents(ctx, r.shard, r.topics, r.events, nil)
}

func (m *memory) EventsBelow(ctx context.Context, shard uint16, next map[string]int64, fn func(*ingest.Event) error) error {
	if m.beforeBelow != nil {
		if err := m.beforeBelow(ctx); err != nil {
			return err
		}
	}
	return m.EventsOf(ctx, shard, nil, next, fn)
}

func (m *memory) Run(context.Context, uint16) (Run, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.run, nil
}

// startAgain makes the server one that was started later, without its events.
func (m *memory) startAgain() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.run.Began = m.run.Began.Add(time.Minute)
	clear(m.events)
}

func (m *memory) UnitsStored(_ context.Context, shard uint16, fn func(ingest.Unit)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for p, e := range m.events {
		if p.shard == shard {
			fn(e.Unit)
		}
	}
	return nil
}

func (m *memory) EventsRecent(_ context.Context, shard uint16, next map[string]int64, within time.Duration, fn func(*ingest.Event) error) error {
	units := []ingest.Unit{}
	m.mu.Lock()
	newest := int64(0)
	for p, e := range m.events {
		if p.shard == shard && p.offset < next[p.topic] {
			newest = max(newest, e.KafkaT)
		}
	}
	for p, e := range m.events {
		if p.shard == shard && e.KafkaT > newest-within.Milliseconds() {
			units = append(units, e.Unit)
		}
	}
	m.mu.Unlock()
	return m.eventsOf(shard, units, next, fn)
}

func (m *memory) EventsSeen(ctx context.Context, shard uint16, experiments []string, next map[string]int64, fn func(*ingest.Event) error) error {
	units := []ingest.Unit{}
	m.mu.Lock()
	for p, e := range m.events {
		if p.shard == shard && e.Type == ingest.Exposure && slices.Contains(experiments, e.Experiment) {
			units = append(units, e.Unit)
		}
	}
	m.mu.Unlock()
	return m.EventsOf(ctx, shard, units, next, fn)
}

func (m *memory) EventsOf(_ context.Context, shard uint16, units []ingest.Unit, next map[string]int64, fn func(*ingest.Event) error) error {
	m.mu.Lock()
	m.recalls += len(units)
	m.mu.Unlock()
	return m.eventsOf(shard, units, next, fn)
}

func (m *memory) eventsOf(shard uint16, units []ingest.Unit, next map[string]int64, fn func(*ingest.Event) error) error {
	m.mu.Lock()
	var rows []ingest.Event
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range next {
			if !yield(name) {
				return
			}
		}
	})
	for p, e := range m.events {
		if p.shard == shard && p.offset < next[p.topic] && (units == nil || slices.Contains(units, e.Unit)) {
			e.Place.Topic = uint8(slices.Index(names, p.topic))
			rows = append(rows, e)
		}
	}
	m.mu.Unlock()
	slices.SortFunc(rows, func(a, b ingest.Event) int {
		return cmp.Or(cmp.Compare(a.Unit.Hi, b.Unit.Hi), cmp.Compare(a.Unit.Lo, b.Unit.Lo), cmp.Compare(a.T, b.T),
			cmp.Compare(a.Place.Topic, b.Place.Topic), cmp.Compare(a.Place.Offset, b.Place.Offset))
	})
	for i := range rows {
		if err := fn(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Missing(_ context.Context, shard uint16, marks int) ([]Range, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	parts := m.parts[shard]
	var out []Range
	for _, p := range parts[min(uint64(max(0, len(parts)-marks)), m.proven[shard]):] {
		for _, c := range p.Offsets {
			topic := p.topics[c.Topic]
			r := Range{Topic: topic.Name, From: c.From, Next: c.Next, ID: topic.ID, Seq: p.Seq, Config: p.Config, Decode: c.Decode}
			accepted := slices.ContainsFunc(m.losses[shard], func(l Loss) bool {
				return l.Kind == LostUnstored && l.Topic == r.Topic && l.Seq == r.Seq
			})
			if have, want := m.rows(shard, r), c.Accepted+c.Duplicate+c.Misplaced+c.Dead; have < want && !accepted {
				r.Records = want - have
				out = append(out, r)
			}
		}
	}
	return out, nil
}

func (m *memory) Proved(_ context.Context, shard uint16, seq uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.proven[shard] = seq
	return nil
}

func (m *memory) NoteLosses(_ context.Context, shard uint16, losses []Loss) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.losses[shard] = append(m.losses[shard], losses...)
	return nil
}

// Suppressed implements Erasures.
func (m *memory) Suppressed(_ context.Context, after, upTo uint64) (out []Suppression, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.requests {
		if r.Request > after && r.Request <= upTo {
			out = append(out, r)
		}
	}
	return out, nil
}

// NoteAdjustments implements Erasures.
func (m *memory) NoteAdjustments(_ context.Context, shard uint16, adjustments []Adjustment) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range adjustments {
		if m.left[shard] == nil {
			m.left[shard] = map[uint64]Adjustment{}
		}
		m.left[shard][a.Seq] = a
	}
	return nil
}

// CarriedOut implements Erasures.
func (m *memory) CarriedOut(_ context.Context, shard uint16) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.carried[shard], nil
}

// erase files a request and makes the version that it holds under.
func (m *memory) erase(retract bool, units ...string) {
	m.mu.Lock()
	r := Suppression{Request: uint64(10*len(m.requests) + 7), Retract: retract}
	for _, u := range units {
		r.Units = append(r.Units, Config{}.UnitKey.Unit("user", u))
	}
	m.requests = append(m.requests, r)
	next := m.versions[len(m.versions)-1]
	m.mu.Unlock()
	next.Erasure = r.Request
	m.apply(next)
}

// carryOut deletes the rows of all requests, and notes where they were.
func (m *memory) carryOut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.requests {
		for p, e := range m.events {
			if slices.Contains(r.Units, e.Unit) {
				m.erased[p] = true
				delete(m.events, p)
			}
		}
		for shard := range uint16(shards) {
			m.carried[shard] = r.Request
		}
	}
}

// kept adds up what erased units leave in the sums of one cell.
func (m *memory) kept(variant, metric string) (d ingest.Delta) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, parts := range m.left {
		for _, a := range parts {
			for _, r := range a.Rows {
				if r.Variant == variant && r.Metric == metric && r.Dimension == "" {
					d.Add(r.Delta)
				}
			}
		}
	}
	return d
}

// lossesOf sums up what was noted as lost, by kind.
func (m *memory) lossesOf(topic string) map[LossKind]uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[LossKind]uint64{}
	for _, losses := range m.losses {
		for _, l := range losses {
			if l.Topic == topic {
				out[l.Kind] += l.Records
			}
		}
	}
	return out
}

// rows counts what is stored of a range.
func (m *memory) rows(shard uint16, r Range) (n uint64) {
	for at := r.From; at < r.Next; at++ {
		p := place{shard, r.Topic, at}
		_, event := m.events[p]
		_, dead := m.dead[p]
		if event || dead || m.erased[p] {
			n++
		}
	}
	return n
}

func (m *memory) Decodings(_ context.Context, after uint32) ([]Decoding, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.decoding[min(int(after), len(m.decoding)):]), nil
}

func (m *memory) AppendDecoding(_ context.Context, d Decoding) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if int(d.Number) != len(m.decoding)+1 {
		return false, nil
	}
	m.decoding = append(m.decoding, d)
	return true, nil
}

func (m *memory) VersionNumber(context.Context) (uint32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint32(len(m.versions)), nil
}

func (m *memory) VersionAt(_ context.Context, number uint32) (experiment.Version, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if number == 0 || int(number) > len(m.versions) {
		return experiment.Version{}, fmt.Errorf("no version %d", number)
	}
	return m.versions[number-1], nil
}

func (m *memory) WriteStatus(ctx context.Context, statuses []results.ShardStatus) error {
	m.mu.Lock()
	before := m.beforeStatus
	m.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range statuses {
		m.status[s.Shard] = s
	}
	return nil
}

// apply makes a version the current one.
func (m *memory) apply(v experiment.Version) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v.Number = uint32(len(m.versions) + 1)
	m.versions = append(m.versions, v)
}

func (m *memory) statusOf(shard uint16) results.ShardStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status[shard]
}

func (m *memory) partsOf(shard uint16) []stored {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.parts[shard])
}

// sums are the moments of all shards, over all slots.
type sums struct {
	n       int64
	sum, sq string
}

func (m *memory) sums() map[string]sums {
	m.mu.Lock()
	defer m.mu.Unlock()
	total := map[string]ingest.Delta{}
	for _, parts := range m.parts {
		for _, p := range parts {
			for _, r := range p.Rows {
				if r.Dimension != "" {
					continue
				}
				key := r.Experiment + " " + r.Variant + " " + r.Metric
				d := total[key]
				d.N += r.N
				d.Sum, d.SumSquares = d.Sum.Add(r.Sum), d.SumSquares.Add(r.SumSquares)
				total[key] = d
			}
		}
	}
	out := map[string]sums{}
	for key, d := range total {
		if d.N != 0 || !d.Sum.IsZero() || !d.SumSquares.IsZero() {
			out[key] = sums{d.N, d.Sum.String(), d.SumSquares.String()}
		}
	}
	return out
}

// counted sums the marks of all shards by topic.
func (m *memory) counted() map[string]ingest.Counts {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]ingest.Counts{}
	for _, parts := range m.parts {
		for _, p := range parts {
			for _, c := range p.Offsets {
				t := out[p.topics[c.Topic].Name]
				t.Accepted += c.Accepted
				t.Duplicate += c.Duplicate
				t.Dead += c.Dead
				t.Misplaced += c.Misplaced
				t.Suppressed += c.Suppressed
				t.NoRecord += c.NoRecord
				t.Gap += c.Gap
				out[p.topics[c.Topic].Name] = t
			}
		}
	}
	return out
}

// reconcile checks that every mark begins where the one before ended and that
// its counts add up to its offsets.
func (m *memory) reconcile(t *testing.T) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for shard, parts := range m.parts {
		next := map[string]int64{}
		for i, p := range parts {
			if p.Seq != uint64(i+1) {
				t.Errorf("shard %d: part %d has seq %d", shard, i+1, p.Seq)
			}
			for _, c := range p.Offsets {
				name := p.topics[c.Topic].Name
				if from, seen := next[name]; seen && from != c.From {
					t.Errorf("shard %d part %d: %s begins at %d, the part before ended at %d", shard, p.Seq, name, c.From, from)
				}
				next[name] = c.Next
				if n := c.Accepted + c.Duplicate + c.Dead + c.Misplaced + c.Suppressed + c.Shed + c.NoRecord + c.Gap; int64(n) != c.Next-c.From {
					t.Errorf("shard %d part %d: %s has %d offsets and accounts for %d", shard, p.Seq, name, c.Next-c.From, n)
				}
			}
		}
	}
}

// set changes what is called before steps.
func (m *memory) set(change func(m *memory)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(m)
}

func (m *memory) setBeforePart(fn func(ingest.Part) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.beforePart = fn
}

// truncate takes every part away.
func (m *memory) truncate() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.parts)
}

func (m *memory) breakChain(shard uint16, detail string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.chain[shard] = detail
}
