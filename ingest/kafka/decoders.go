package kafka

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// Decoder turns the records of a topic into events, or says why one is dead. It
// is used by one goroutine at a time and holds on to no record's bytes.
type Decoder interface {
	Decode(ingest.Record) (ingest.Event, *ingest.Dead, bool)
}

// Expecting is a decoder that can be told how units are spread: over n
// partitions, by topic (index of Place.Topic), who checks their assignment, and who
// their proofs.
type Expecting interface {
	Decoder
	Expect(n int32, by []ingest.Partitioner)
	Check(c ingest.Checker)
	Prove(p ingest.Prover, require bool)
}

// reading is how the records of one topic are read.
type reading struct {
	Decoder
	number  uint32 // of the decoding
	headers bool   // the decoder asks for them; native events have none
}

// decoders are the readings of a shard's topics. Topics that are read alike share
// a decoder with its tables.
type decoders struct {
	c      *Consumer
	names  []string             // of the topics, by Place.Topic
	by     []ingest.Partitioner // of the topics
	native map[string]*ingest.Decoder
	last   []ingest.Header // used again
}

func newDecoders(l *life) *decoders {
	d := &decoders{c: l.s.c, names: l.names, by: make([]ingest.Partitioner, len(l.names)), native: map[string]*ingest.Decoder{}}
	for i, topic := range l.source {
		d.by[topic] = d.c.cfg.Topics[i].Partitioner
	}
	return d
}

// of makes the reading of a topic by a decoding.
func (d *decoders) of(topic uint8, x Decoding) (reading, error) {
	r := reading{number: x.Number}
	copied := copies(d.names[topic])
	attributes, verify := cutVerify(x.Attributes)
	prover, err := d.c.cfg.prover(x.Topic, verify)
	if err != nil {
		return r, err
	}
	if x.Mapping == "" {
		native := d.nativeOf(attributes, prover, verify)
		r.headers = prover != nil
		if r.Decoder = native; copied {
			r.Decoder, r.headers = ingest.NewCopyDecoder(native), true
		}
		return r, nil
	}
	if d.c.cfg.Mapped == nil {
		return r, fmt.Errorf("topic %s has a mapping, and there is nobody to read by it", x.Topic)
	}
	mapped, err := d.c.cfg.Mapped(x.Mapping, d.c.cfg.UnitKey, attributes)
	if err != nil {
		return r, fmt.Errorf("topic %s: %w", x.Topic, err)
	}
	mapped.Expect(d.c.layout.partitions, d.by)
	mapped.Check(d.c.versions.check)
	mapped.Prove(prover, verify == VerifyRequire)
	r.Decoder, r.headers = mapped, true
	return r, nil
}

func (d *decoders) nativeOf(attributes []string, prover ingest.Prover, verify string) *ingest.Decoder {
	key := fmt.Sprintf("%s %q", verify, attributes)
	if d.native[key] == nil {
		d.native[key] = ingest.NewDecoder(d.c.cfg.UnitKey, attributes)
		d.native[key].Expect(d.c.layout.partitions, d.by)
		d.native[key].Check(d.c.versions.check)
		d.native[key].Prove(prover, verify == VerifyRequire)
	}
	return d.native[key]
}

// decode reads one record. The event carries the number of the decoding.
func (d *decoders) decode(by *reading, r *kgo.Record, topic uint8) (e ingest.Event, dead *ingest.Dead, ok bool) {
	rec := record(r, topic)
	if by.headers {
		d.last = d.last[:0]
		for i := range r.Headers {
			d.last = append(d.last, ingest.Header{Key: r.Headers[i].Key, Value: r.Headers[i].Value})
		}
		rec.Headers = d.last
	}
	e, dead, ok = by.Decode(rec)
	switch {
	case ok:
		e.Decode = by.number
	case dead == nil:
		// The decoder owes one of the two; never lose the record silently.
		dead = &ingest.Dead{Place: rec.Place, KafkaT: rec.KafkaT, Reason: ingest.BadJSON, Size: len(rec.Value), Position: -1}
	}
	return e, dead, ok
}

// readings brings the life's readings up to what is in force. It is called where
// a batch begins, so that each part has one decoding a topic.
func (l *life) readings(b *batch) error {
	if newest := l.s.c.decodings.newest(); l.decoded != newest || l.read == nil {
		if err := l.renew(newest); err != nil {
			return err
		}
	}
	for i := range l.read {
		b.counts[i].Decode = l.read[i].number
	}
	return nil
}

func (l *life) renew(newest uint32) error {
	read := make([]reading, len(l.source))
	for i, topic := range l.source {
		x, known := l.s.c.decodings.inForce(l.names[topic])
		if !known {
			return fmt.Errorf("topic %s has no decoding", l.names[topic])
		}
		if l.read != nil && l.read[i].number == x.Number {
			read[i] = l.read[i]
			continue
		}
		var err error
		if read[i], err = l.decoders.of(uint8(topic), x); err != nil {
			return err
		}
	}
	l.read, l.decoded = read, newest
	return nil
}

// wanted are the decodings of the configured topics. The list of attributes is
// sorted: its order means nothing.
func (c *Config) wanted() []Decoding {
	attributes := slices.Compact(slices.Sorted(slices.Values(c.Attributes)))
	out := make([]Decoding, 0, len(c.Topics))
	for _, t := range c.Topics {
		out = append(out, Decoding{Topic: t.Name, Mapping: t.Mapping, Attributes: withVerify(attributes, t.Verify)})
	}
	return out
}

// copies tells whether a topic holds records that were keyed anew. The name says
// it, so that it is known of topics that are not declared any more.
func copies(topic string) bool { return strings.HasPrefix(topic, ingest.CopiesPrefix) }
