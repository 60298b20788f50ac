package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// layout is what the cluster says of the declared topics.
type layout struct {
	partitions int32
	ids        map[string][16]byte
}

// describe asks for all topics at once. Unequal numbers of partitions, and a
// topic that does not exist, are a [TopicsError].
func describe(ctx context.Context, client *kgo.Client, names []string) (layout, error) {
	found, err := metadata(ctx, client, names)
	if err != nil {
		return layout{}, err
	}
	l := layout{ids: map[string][16]byte{}}
	counts := make([]string, 0, len(names))
	equal := true
	for i, name := range names {
		n := int32(len(found[name].Partitions))
		if i == 0 {
			l.partitions = n
		}
		equal = equal && n == l.partitions
		l.ids[name] = found[name].TopicID
		counts = append(counts, fmt.Sprintf("%s has %d", name, n))
	}
	if !equal {
		return layout{}, unequal(counts)
	}
	if l.partitions == 0 || l.partitions > 1<<16 {
		return layout{}, &TopicsError{
			Problem: fmt.Sprintf("the topics have %d partitions", l.partitions), Remedy: "use between 1 and 65536"}
	}
	return l, nil
}

// metadata asks the cluster itself: the answers of kadm come from a cache that
// is seconds old, and a topic that was made again must be seen at once.
func metadata(ctx context.Context, client *kgo.Client, names []string) (map[string]kmsg.MetadataResponseTopic, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range names {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, topic)
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("describe topics: %w", err)
	}
	found := map[string]kmsg.MetadataResponseTopic{}
	for _, t := range resp.Topics {
		if t.Topic == nil {
			continue
		}
		switch err := kerr.ErrorForCode(t.ErrorCode); {
		case errors.Is(err, kerr.UnknownTopicOrPartition):
			return nil, &TopicsError{
				Problem: fmt.Sprintf("topic %s does not exist", *t.Topic),
				Remedy:  fmt.Sprintf("create it with as many partitions as the others, or correct its name (declared: %s)", strings.Join(names, ", ")),
			}
		case err != nil:
			return nil, fmt.Errorf("describe topic %s: %w", *t.Topic, err)
		}
		found[*t.Topic] = t
	}
	return found, nil
}

func unequal(counts []string) error {
	return &TopicsError{
		unequal: true,
		Problem: "the topics have unequal numbers of partitions: " + strings.Join(counts, ", "),
		Remedy: "a unit's records must lie in the same partition of every topic: make new topics with equal numbers of " +
			"partitions, let the producers write to them, and declare those",
	}
}

// offsets are the bounds of one topic's partition at one moment.
type offsets struct {
	start int64 // the first record that is still there
	end   int64 // after the last record, committed or not
	// term is where the leader epoch of the last record that was counted ends; -1
	// when that is not known.
	term int64
}

// bounds lists both ends of partition P of every topic.
func bounds(ctx context.Context, admin *kadm.Client, names []string, partition int32) (map[string]offsets, error) {
	starts, err := listed(admin.ListStartOffsets(ctx, names...))
	if err != nil {
		return nil, fmt.Errorf("list first offsets: %w", err)
	}
	ends, err := listed(admin.ListEndOffsets(ctx, names...))
	if err != nil {
		return nil, fmt.Errorf("list end offsets: %w", err)
	}
	out := make(map[string]offsets, len(names))
	for _, name := range names {
		start, known := starts.Lookup(name, partition)
		end, knownEnd := ends.Lookup(name, partition)
		if !known || !knownEnd {
			return nil, fmt.Errorf("topic %s: the offsets of partition %d are not known yet", name, partition)
		}
		out[name] = offsets{start: start.Offset, end: end.Offset, term: -1}
	}
	return out, nil
}

// listed is the answer, if every partition gave one.
func listed(l kadm.ListedOffsets, err error) (kadm.ListedOffsets, error) {
	if err == nil {
		err = l.Error()
	}
	return l, err
}

// departure compares where a partition was left with what it is now. It returns
// the offset to go on from, how many offsets before it were lost, and what is
// wrong; "" when nothing is.
func departure(left *TopicMark, id [16]byte, now offsets) (from, lost int64, problem string) {
	var none [16]byte
	switch {
	case left == nil:
		return now.start, 0, ""
	case left.ID != id && left.ID != none && id != none:
		lost = max(0, now.start-left.Next)
		problem = fmt.Sprintf("topic %s was deleted and made again: its offsets below %d meant other records", left.Name, left.Next)
	case now.start > left.Next:
		lost = now.start - left.Next
		problem = fmt.Sprintf("topic %s: offsets %d to %d were deleted before they were read", left.Name, left.Next, now.start-1)
	case now.end < left.Next:
		problem = fmt.Sprintf("topic %s ends at offset %d, but everything below %d was counted: it lost its end", left.Name, now.end, left.Next)
	case now.term >= now.start && now.term < left.Next:
		problem = fmt.Sprintf("topic %s lost its end at offset %d and was written on: offsets %d to %d were counted and hold other records now",
			left.Name, now.term, now.term, left.Next-1)
	}
	return left.Next + lost, lost, problem
}
