package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
)

// Decodings are how the records of each topic have been read, and are. What is
// decoded depends on the record and on nothing but the decoding of its offset.
type Decodings interface {
	// Decodings lists those with a greater number, of all topics, oldest first.
	Decodings(ctx context.Context, after uint32) ([]Decoding, error)
	// AppendDecoding stores one under its number if that is the next; false when
	// somebody else was faster.
	AppendDecoding(ctx context.Context, d Decoding) (bool, error)
}

// Decoding is how the records of a topic are read.
type Decoding struct {
	Number     uint32 // from 1 without gaps, over all topics; greater is later
	Topic      string
	Mapping    string   // text of the mapping file; empty: native events
	Attributes []string // that are kept, sorted
}

func (d Decoding) same(o Decoding) bool {
	return d.Topic == o.Topic && d.Mapping == o.Mapping && slices.Equal(d.Attributes, o.Attributes)
}

// decodings knows all registered decodings. The last one of a topic is in force,
// whatever a consumer's own configuration says: consumers of two configurations
// must not take turns. See docs/decisions/0005-decodings.md.
type decodings struct {
	store Decodings
	log   *slog.Logger

	mu  sync.Mutex
	all []Decoding
}

// register puts the configured decodings in force, where they are new. One that
// was in force before and is not any more is taken for an old configuration,
// unless own says that it is meant.
func (d *decodings) register(ctx context.Context, wanted []Decoding, own bool) error {
	for _, w := range wanted {
		for done := false; !done; {
			if err := d.refresh(ctx); err != nil {
				return err
			}
			var err error
			if done, err = d.put(ctx, w, own); err != nil {
				return fmt.Errorf("register the decoding of topic %s: %w", w.Topic, err)
			}
		}
	}
	return nil
}

func (d *decodings) put(ctx context.Context, w Decoding, own bool) (done bool, err error) {
	now, known := d.inForce(w.Topic)
	switch {
	case known && now.same(w):
		return true, nil
	case known && !own && d.was(w):
		d.log.Warn("the topic is read by a newer decoding than the configured one",
			"topic", w.Topic, "decoding", now.Number, "attributes", now.Attributes)
		return true, nil
	}
	w.Number = d.newest() + 1
	if done, err = d.store.AppendDecoding(ctx, w); err != nil || !done {
		return false, err
	}
	d.add(w)
	d.log.Info("decoding registered", "topic", w.Topic, "decoding", w.Number, "attributes", w.Attributes)
	return true, nil
}

// refresh asks the store for what is new.
func (d *decodings) refresh(ctx context.Context) error {
	fresh, err := d.store.Decodings(ctx, d.newest())
	if err != nil {
		return fmt.Errorf("read decodings: %w", err)
	}
	d.add(fresh...)
	return nil
}

func (d *decodings) add(fresh ...Decoding) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range fresh {
		if len(d.all) == 0 || f.Number > d.all[len(d.all)-1].Number {
			d.all = append(d.all, f)
		}
	}
}

func (d *decodings) newest() uint32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.all) == 0 {
		return 0
	}
	return d.all[len(d.all)-1].Number
}

// inForce is the last decoding of a topic.
func (d *decodings) inForce(topic string) (last Decoding, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, x := range d.all {
		if x.Topic == topic {
			last, known = x, true
		}
	}
	return last, known
}

// was tells whether the topic was ever read like this.
func (d *decodings) was(w Decoding) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(d.all, w.same)
}

// at is the decoding of that number; 0 stands for the topic's first one, of
// parts that were written before there were numbers.
func (d *decodings) at(topic string, number uint32) (Decoding, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, x := range d.all {
		if x.Topic == topic && (x.Number == number || number == 0) {
			return x, nil
		}
	}
	return Decoding{}, fmt.Errorf("topic %s has no decoding %d", topic, number)
}
