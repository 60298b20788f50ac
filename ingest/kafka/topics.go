package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// layout is what the cluster says of the declared topics.
type layout struct {
	partitions int32
	ids        map[string][16]byte
}

// describe asks for all topics at once. Unequal numbers of partitions, and a
// topic that does not exist, are a [TopicsError].
func describe(ctx context.Context, admin *kadm.Client, names []string) (layout, error) {
	details, err := admin.ListTopics(ctx, names...)
	if err != nil {
		return layout{}, fmt.Errorf("describe topics: %w", err)
	}
	l := layout{ids: map[string][16]byte{}}
	counts := make([]string, 0, len(names))
	equal := true
	for i, name := range names {
		d := details[name]
		switch {
		case errors.Is(d.Err, kerr.UnknownTopicOrPartition):
			return layout{}, &TopicsError{
				Problem: fmt.Sprintf("topic %s does not exist", name),
				Remedy:  fmt.Sprintf("create it with as many partitions as the others, or correct its name (declared: %s)", strings.Join(names, ", ")),
			}
		case d.Err != nil:
			return layout{}, fmt.Errorf("describe topic %s: %w", name, d.Err)
		}
		n := int32(len(d.Partitions))
		if i == 0 {
			l.partitions = n
		}
		equal = equal && n == l.partitions
		l.ids[name] = d.ID
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
		out[name] = offsets{starts[name][partition].Offset, ends[name][partition].Offset}
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
	}
	return left.Next + lost, lost, problem
}
