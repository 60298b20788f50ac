package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// life is a shard between two readings of its last mark. Everything in it is a
// cache of the store.
type life struct {
	s      *shard
	topics []Topic // of the declared topics and of the mark, sorted by name
	names  []string
	source []int // index of the declared topic → index into topics
	joiner *ingest.Joiner
	fates  []ingest.Fate // of the records joined last; used again

	decoders *decoders
	read     []reading // by declared topic: in the open batch
	decoded  uint32    // the newest decoding when read was made

	seq       uint64 // of the last part that was taken
	config    uint32
	admission ingest.Admission // of that version
	shedder   *ingest.Shedder  // of that version: whose events are left out
	erasure   uint64           // of that version: the last request of erasure that holds
	hidden    suppressed
	from      []int64 // by declared topic: the next offset to be read
	goal      []int64 // by declared topic: read no further; nil: without end
	accepted  []ingest.Counts
	below     map[string]int64 // by topic: the offset below which everything is durable, as the join knows it
	run       Run              // of the server, in which marks and stored rows were compared
	partly    bool             // stored rows are still to be read into memory when work begins
	// begins says of which declared topics the first records were deleted before
	// they were ever read: up to that offset, 0 when nothing was. See losses.go.
	begins []int64
}

// load brings the shard back from the store alone.
func (s *shard) load(ctx context.Context) (*life, error) {
	mark, err := s.lastMark(ctx)
	if err != nil {
		return nil, err
	}
	l, err := s.depart(ctx, mark)
	if err != nil {
		return nil, err
	}
	version, err := versionAt(ctx, s.c.store, mark.Config)
	if err != nil {
		return nil, err
	}
	if err := s.c.decodings.refresh(ctx); err != nil { // never an older one than the mark's
		return nil, err
	}
	l.decoders, l.admission, l.shedder = newDecoders(l), ingest.AdmissionOf(version), ingest.ShedderOf(version)
	if err := l.suppress(ctx, ingest.ErasureOf(version)); err != nil {
		return nil, err
	}
	if l.run, err = s.serverRun(ctx); err != nil {
		return nil, err
	}
	if err := l.heal(ctx); err != nil {
		return nil, err
	}
	l.joiner = ingest.NewJoiner(l.names, version)
	l.below = map[string]int64{}
	for _, name := range l.names {
		l.below[name] = 0
	}
	for _, t := range mark.Topics {
		l.below[t.Name] = t.Next
	}
	if l.partly, err = l.know(ctx); err != nil {
		return nil, err
	}
	s.progress.begin(l)
	s.log.Info("shard loaded", "seq", l.seq, "config", l.config, "next", l.below)
	return l, nil
}

// lastMark reads the mark of a ledger that is a chain.
func (s *shard) lastMark(ctx context.Context) (Mark, error) {
	faults, err := s.c.store.CheckChain(ctx, []uint16{s.id})
	if err != nil {
		return Mark{}, fmt.Errorf("check chain: %w", err)
	}
	if detail, bad := faults[s.id]; bad {
		return Mark{}, &halt{StateChain, detail}
	}
	mark, err := s.c.store.LastMark(ctx, s.id)
	if err != nil {
		return Mark{}, fmt.Errorf("read last mark: %w", err)
	}
	s.noteBack(mark)
	return mark, nil
}

// depart compares the mark with the cluster and says where to read from.
func (s *shard) depart(ctx context.Context, mark Mark) (*life, error) {
	now, err := s.describe(ctx)
	if err != nil {
		return nil, err
	}
	if n := int32(mark.Partitions); n != 0 && n != now.partitions {
		return nil, changedPartitions(n)
	}
	l := &life{s: s, seq: mark.Seq, config: mark.Config}
	l.gather(s.c.cfg.names(), now.ids, mark)
	ends, err := s.bounds(ctx, mark)
	if err != nil {
		return nil, err
	}
	for i, source := range s.c.cfg.Topics {
		left := markOf(mark, source.Name)
		from, err := l.departTopic(ctx, i, left, ends[source.Name])
		if err != nil {
			return nil, err
		}
		l.from = append(l.from, from)
		l.begins = append(l.begins, 0)
		if left == nil {
			l.begins[i] = from
		}
		if s.c.goals != nil {
			l.goal = append(l.goal, s.c.goals[source.Name][int32(s.id)].Offset)
		}
	}
	return l, nil
}

// describe asks for the topics; other partition counts than at the start stop
// the shard, because units are then spread in another way.
func (s *shard) describe(ctx context.Context) (layout, error) {
	now, err := describe(ctx, s.c.client, s.c.cfg.names())
	var topics *TopicsError
	unequal := errors.As(err, &topics) && topics.unequal
	if err != nil && !unequal {
		return layout{}, err
	}
	if n := s.c.layout.partitions; unequal || now.partitions != n || int32(s.id) >= n {
		return layout{}, changedPartitions(n)
	}
	return now, nil
}

func changedPartitions(n int32) *halt {
	return &halt{StatePartitions, fmt.Sprintf("the topics no longer have the %d partitions with which everything was counted: a unit's records may now "+
		"lie in another partition than before; make new topics with %d partitions each, and declare those", n, n)}
}

// gather makes the life's list of topics: the declared ones, and those of the
// mark, whose events still count when they are no longer read.
func (l *life) gather(declared []string, ids map[string][16]byte, mark Mark) {
	l.names = slices.Clone(declared)
	for _, t := range mark.Topics {
		l.names = append(l.names, t.Name)
	}
	slices.Sort(l.names)
	l.names = slices.Compact(l.names)
	for _, name := range l.names {
		id, known := ids[name]
		if left := markOf(mark, name); !known && left != nil {
			id = left.ID
		}
		l.topics = append(l.topics, Topic{Name: name, ID: id})
	}
	for _, name := range declared {
		l.source = append(l.source, slices.Index(l.names, name))
	}
}

func markOf(m Mark, name string) *TopicMark {
	for i := range m.Topics {
		if m.Topics[i].Name == name {
			return &m.Topics[i]
		}
	}
	return nil
}

// departTopic says where to go on in one topic. Gaps stop the shard unless
// somebody accepts them; then they are noted, to be part of the first mark.
func (l *life) departTopic(ctx context.Context, declared int, left *TopicMark, now offsets) (int64, error) {
	topic := l.source[declared]
	from, lost, problem := departure(left, l.topics[topic].ID, now)
	if problem == "" {
		return from, nil
	}
	if !l.s.c.cfg.AcceptGap {
		return 0, &halt{StateGap, problem + "; `assay ingest --accept-gap` goes on without them"}
	}
	l.s.log.Warn("gap accepted", "problem", problem, "lost", lost)
	if now.end < from {
		// The places up to here are taken by records that were counted.
		return 0, &halt{StateGap, fmt.Sprintf("%s; its places below %d are taken, so nothing can be read before it reaches that offset: "+
			"declare a new topic instead", problem, from)}
	}
	l.accepted = append(l.accepted, ingest.Counts{Topic: uint8(topic), From: left.Next, Next: from, Gap: uint64(lost)})
	return from, l.noteReplaced(ctx, left, l.topics[topic].ID, now)
}

// open makes a client for each topic of this life that has more to be read.
func (l *life) open() ([]*kgo.Client, error) {
	var clients []*kgo.Client
	for i, source := range l.s.c.cfg.Topics {
		if l.goal != nil && l.from[i] >= l.goal[i] {
			continue
		}
		client, err := l.s.c.reader(map[string]map[int32]kgo.Offset{source.Name: {int32(l.s.id): kgo.NewOffset().At(l.from[i])}})
		if err != nil {
			closeAll(clients)
			return nil, err
		}
		clients = append(clients, client)
	}
	return clients, nil
}

func closeAll(clients []*kgo.Client) {
	for _, c := range clients {
		c.Close()
	}
}
