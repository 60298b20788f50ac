package announce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// prepare makes the topic if it is missing, and reads what it ends with.
func (a *Announcer) prepare(ctx context.Context) error {
	admin := kadm.NewClient(a.client)
	forever := "-1"
	_, err := admin.CreateTopic(ctx, 1, -1, map[string]*string{"retention.ms": &forever}, a.cfg.Topic)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		// Who may write to a topic need not be allowed to make one.
		if _, listErr := admin.ListEndOffsets(ctx, a.cfg.Topic); listErr != nil {
			return fmt.Errorf("make the topic %s: %w", a.cfg.Topic, err)
		}
	}
	ends, err := admin.ListEndOffsets(ctx, a.cfg.Topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("look for the end of %s: %w", a.cfg.Topic, err)
	}
	starts, err := admin.ListStartOffsets(ctx, a.cfg.Topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return fmt.Errorf("look for the start of %s: %w", a.cfg.Topic, err)
	}
	start, _ := starts.Lookup(a.cfg.Topic, 0)
	end, _ := ends.Lookup(a.cfg.Topic, 0)
	if end.Offset <= start.Offset {
		a.last = 0 // empty, or all of it has expired: the whole log again
		return nil
	}
	a.last, err = a.numberAt(ctx, end.Offset-1)
	return err
}

// numberAt reads the number of the line at an offset, the topic's last.
func (a *Announcer) numberAt(ctx context.Context, offset int64) (uint64, error) {
	reader, err := kgo.NewClient(a.options(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{a.cfg.Topic: {0: kgo.NewOffset().At(offset)}}))...)
	if err != nil {
		return 0, fmt.Errorf("make a reader of %s: %w", a.cfg.Topic, err)
	}
	defer reader.Close()
	fetches := reader.PollRecords(ctx, 1)
	if err := fetches.Err(); err != nil {
		return 0, fmt.Errorf("read the last record of %s: %w", a.cfg.Topic, err)
	}
	var l line
	records := fetches.Records()
	switch {
	case len(records) == 0:
		return 0, fmt.Errorf("the last record of %s, at offset %d, did not come", a.cfg.Topic, offset)
	case json.Unmarshal(records[0].Value, &l) != nil || l.Seq == 0:
		return 0, fmt.Errorf("the last record of %s, at offset %d, is no decision: is the topic used for something else?", a.cfg.Topic, offset)
	}
	return l.Seq, nil
}
