package kafka

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Sizes of what is fetched ahead of each topic of a shard. One fetch a broker is
// under way or waiting while the records of the one before are decoded. Unpacked,
// and with what the client keeps of each record, a fetch takes about ten times its
// size, in some stages at once: with 4 MiB four shards of two topics held 640 MB that
// no limit on units bounds, and read no faster than with 1 MiB, which take 220.
const (
	fetchBytes = 1 << 20
	pollSize   = 10_000
)

// reader makes a client that reads these partitions from these offsets: committed
// records, and the control records between them. It never resets by itself.
func (c *Consumer) reader(at map[string]map[int32]kgo.Offset) (*kgo.Client, error) {
	return c.cfg.client(
		kgo.ConsumePartitions(at),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.FetchMaxBytes(fetchBytes),
		kgo.FetchMaxPartitionBytes(fetchBytes),
		kgo.FetchMaxWait(500*time.Millisecond),
		kgo.WithPools(&c.pool),
	)
}

// sameTopics refuses records of a topic that was made again after this life had
// looked at its id: the client learns ids for itself.
func (l *life) sameTopics(fetches kgo.Fetches) error {
	var none [16]byte
	for _, f := range fetches {
		for _, t := range f.Topics {
			if id, _ := l.s.progress.reads(t.Topic); t.TopicID != none && t.TopicID != id {
				return errReloaded
			}
		}
	}
	return nil
}

// fetchError is the first error of a poll. Lost data stops the shard; anything
// else makes it load again, which looks at the offsets once more.
func fetchError(fetches kgo.Fetches) error {
	errs := fetches.Errors()
	if len(errs) == 0 {
		return nil
	}
	var loss *kgo.ErrDataLoss
	if errors.As(errs[0].Err, &loss) {
		return &halt{StateGap, loss.Error()}
	}
	return fmt.Errorf("fetch topic %s partition %d: %w", errs[0].Topic, errs[0].Partition, errs[0].Err)
}
