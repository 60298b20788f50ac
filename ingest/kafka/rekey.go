package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// RekeyConfig is a stage's that writes the records of one topic anew: one native
// event each, under its unit's id. Start from [DefaultRekeyConfig].
type RekeyConfig struct {
	Brokers []string
	Topic   string // the source
	Target  string // the topic of the copies; empty: CopyTopic(Topic)
	Group   string // shares the source among the stages of that name
	// Beside are the topics that are read with the copies. The copies' topic gets
	// as many partitions as they have, or Partitions where there are none.
	Beside     []string
	Partitions int32
	Convert    Convert
	// UnitOf, if set, spreads the copies by their units' hashes ([ingest.ByUnit]) instead
	// of by their ids. It is called by one goroutine.
	UnitOf func(value []byte) (ingest.Unit, bool)
	// AcceptGap goes on where records of the source were deleted before they were copied.
	AcceptGap bool
	// UntilEnd stops when all that the source had at the start is copied.
	UntilEnd bool

	Backoff    time.Duration // first pause before the stage starts again
	Client     []kgo.Opt
	Registerer prometheus.Registerer
	Logger     *slog.Logger
}

// DefaultRekeyConfig is a stage that lacks its topic.
func DefaultRekeyConfig() RekeyConfig {
	return RekeyConfig{Group: "assay.rekey", Backoff: 100 * time.Millisecond}
}

// Convert makes native events of a record. Both results may be there: of a record
// that holds a list, some elements may be broken. It is called by one goroutine.
type Convert func(ingest.Record) ([]Keyed, *ingest.Dead)

// Keyed is a native event with its unit's id.
type Keyed struct {
	Unit  string // empty: the value names none, and whoever decodes it will say so
	Value []byte
}

// ConvertNative reads the unit out of records that are native events already.
func ConvertNative() Convert {
	d := ingest.NewDecoder(ingest.Key{}, nil)
	return func(rec ingest.Record) ([]Keyed, *ingest.Dead) {
		if len(rec.Value) > ingest.MaxSize {
			_, why, _ := d.Decode(rec)
			return nil, why
		}
		unit, _ := d.UnitID(rec.Value)
		return []Keyed{{unit, rec.Value}}, nil
	}
}

// CopyTopic is the topic of the copies of another topic's records.
func CopyTopic(source string) string { return ingest.CopiesPrefix + source }

// ShardTopic is the topic of the copies that are spread over so many shards, whatever
// number of partitions the source has.
func ShardTopic(source string, shards int32) string {
	return fmt.Sprintf("%s%d.%s", ingest.CopiesPrefix, shards, source)
}

// Rekey copies the records of a topic whose producers do not key by the unit, or
// whose records hold several events. Each event is written at least once; it
// carries the place where it was first written, which is its identity when it has
// no id, so that copies that were made twice count once.
type Rekey struct {
	cfg     RekeyConfig
	log     *slog.Logger
	records *prometheus.CounterVec
}

// NewRekey checks the configuration. It connects to nothing.
func NewRekey(cfg RekeyConfig) (*Rekey, error) {
	if len(cfg.Brokers) == 0 || cfg.Topic == "" || cfg.Group == "" || cfg.Convert == nil || cfg.Partitions < 1 || cfg.Backoff <= 0 {
		return nil, errors.New("rekey: brokers, topic, group, partitions, backoff and a conversion are needed")
	}
	cfg.Target = cmp.Or(cfg.Target, CopyTopic(cfg.Topic))
	r := &Rekey{cfg: cfg, log: cfg.Logger, records: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "assay_rekey_records_total", Help: "Copies that were written of topics that are keyed anew, by source topic and kind: events, and notes of what is no event."},
		[]string{"topic", "kind"})}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if cfg.Registerer != nil {
		var already prometheus.AlreadyRegisteredError // by the stage of another topic
		switch err := cfg.Registerer.Register(r.records); {
		case errors.As(err, &already):
			r.records, _ = already.ExistingCollector.(*prometheus.CounterVec)
		case err != nil:
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return r, nil
}

// Prepare makes the topic of the copies if it is missing.
func (r *Rekey) Prepare(ctx context.Context) error {
	client, err := r.client()
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := describe(ctx, client, []string{r.cfg.Topic}); err != nil {
		return err
	}
	target := r.cfg.Target
	var topics *TopicsError
	if _, err := describe(ctx, client, []string{target}); !errors.As(err, &topics) {
		return err
	}
	partitions := r.cfg.Partitions
	if len(r.cfg.Beside) > 0 {
		l, err := describe(ctx, client, r.cfg.Beside)
		if err != nil {
			return err
		}
		partitions = l.partitions
	}
	return r.makeTopic(ctx, client, target, partitions)
}

func (r *Rekey) makeTopic(ctx context.Context, client *kgo.Client, target string, partitions int32) error {
	_, err := kadm.NewClient(client).CreateTopic(ctx, partitions, -1, nil, target)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return &TopicsError{
			Problem: fmt.Sprintf("topic %s, for the copies of topic %s, does not exist and cannot be made: %v", target, r.cfg.Topic, err),
			Remedy:  fmt.Sprintf("make it with %d partitions, or allow the consumer's user to", partitions),
		}
	}
	r.log.Info("topic made", "topic", target, "partitions", partitions)
	return nil
}

// Run copies until the context ends (nil), or until the end (nil, with UntilEnd).
// Whatever fails makes it begin again after the last record whose copies are
// known to be written.
func (r *Rekey) Run(ctx context.Context) error {
	var goals kadm.ListedOffsets
	if r.cfg.UntilEnd {
		var err error
		if goals, err = r.ends(ctx); err != nil {
			return err
		}
	}
	for pause := r.cfg.Backoff; ; pause = min(2*pause, 32*r.cfg.Backoff) {
		err := r.copy(ctx, goals)
		if err == nil || ctx.Err() != nil {
			return nil //nolint:nilerr // the end that was asked for is no error
		}
		r.log.Error("keying anew starts again", "topic", r.cfg.Topic, "error", err)
		if !rested(ctx, pause) {
			return nil
		}
	}
}

func (r *Rekey) ends(ctx context.Context) (kadm.ListedOffsets, error) {
	client, err := r.client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ends, err := listed(kadm.NewClient(client).ListCommittedOffsets(ctx, r.cfg.Topic))
	if err != nil {
		return nil, fmt.Errorf("list ends: %w", err)
	}
	return ends, nil
}

func (r *Rekey) client(opts ...kgo.Opt) (*kgo.Client, error) {
	c := Config{Brokers: r.cfg.Brokers, Client: r.cfg.Client}
	return c.client(opts...)
}
