package kafka

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// DeadLetter is the note in the dead letters' topic. The payload stays where it is.
type DeadLetter struct {
	Reason    ingest.Reason `json:"reason"`
	Topic     string        `json:"topic"`
	Partition uint16        `json:"partition"`
	Offset    int64         `json:"offset"`
	Size      int           `json:"size"`               // bytes of the record's value
	Position  *int          `json:"position,omitempty"` // byte offset of the error in it
	Detail    string        `json:"detail,omitempty"`
	KafkaT    int64         `json:"kafka_t"` // the record's timestamp, milliseconds
}

// noteDead writes a note of each dead record that somebody should look at, at least once: it returns when the
// brokers have them, and the part that passes the records comes after it.
func (l *life) noteDead(ctx context.Context, dead []ingest.Dead) error {
	if l.s.c.cfg.DeadLetters == "" || len(dead) == 0 {
		return nil
	}
	notes := make([]*kgo.Record, 0, len(dead))
	for _, d := range dead {
		if d.Reason == ingest.Filtered {
			continue // nothing is wrong with it
		}
		note := DeadLetter{
			Reason: d.Reason, Topic: l.names[d.Place.Topic], Partition: l.s.id, Offset: d.Place.Offset,
			Size: d.Size, Detail: d.Detail, KafkaT: d.KafkaT,
		}
		if d.Position >= 0 {
			note.Position = &d.Position
		}
		value, err := json.Marshal(note)
		if err != nil {
			return err
		}
		notes = append(notes, &kgo.Record{
			Topic: l.s.c.cfg.DeadLetters,
			Key:   strconv.AppendUint(append([]byte(note.Topic), ':'), uint64(l.s.id), 10),
			Value: value,
		})
	}
	if len(notes) == 0 {
		return nil
	}
	return l.s.c.client.ProduceSync(ctx, notes...).FirstErr()
}
