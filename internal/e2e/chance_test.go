package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// chance returns the test's source of chance and prints its seed. In CI the
// commit decides, so that every commit tries another one and each can be tried
// again.
func chance(t *testing.T) (*rand.Rand, uint64) {
	t.Helper()
	seed, from := *seedFlag, "-e2e.seed"
	if seed == 0 && os.Getenv("CI") == "true" {
		out, err := exec.Command("git", "rev-parse", "HEAD").Output()
		if err != nil {
			t.Fatalf("ask for the commit: %v", err)
		}
		commit := strings.TrimSpace(string(out))
		if seed, err = strconv.ParseUint(commit[:15], 16, 64); err != nil {
			t.Fatal(err)
		}
		from = "commit " + commit
	}
	if seed == 0 {
		seed, from = uint64(time.Now().UnixNano()), "the clock"
	}
	t.Logf("seed %d (from %s): repeat it with -e2e.seed %d", seed, from, seed)
	return rand.New(rand.NewPCG(seed, 0)), seed
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// babble makes records of all sorts about the experiments below testdata/exact.
type babble struct {
	*rand.Rand
	units int
	until int64 // events lie in the day before this time, and a little after it
	named bool  // every record has an id and lies where it belongs
	said  []*kgo.Record
}

// batch makes n records.
func (b *babble) batch(n int) []*kgo.Record {
	out := make([]*kgo.Record, n)
	for i := range out {
		switch p := b.IntN(1000); {
		case p < 50 && len(b.said) > 0: // sent again
			old := pick(b.Rand, b.said...)
			out[i] = &kgo.Record{Topic: old.Topic, Key: old.Key, Value: old.Value}
		case p < 75:
			out[i] = b.garbled()
		default:
			out[i] = b.event()
		}
		if !b.named && b.IntN(200) == 0 { // in the wrong partition, most of the time
			out[i].Partition = int32(-1 - b.IntN(2))
		}
	}
	for _, r := range out {
		if b.IntN(10) == 0 {
			b.said = append(b.said, &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value})
		}
	}
	return out
}

// time draws when a unit does something: near its own time of the day, often on
// a grid, so that ties and borders of windows are common.
func (b *babble) time(unit int) int64 {
	t := b.until - int64(unit%97)*900_000 + int64(b.IntN(4*3_600_000)) - 3_600_000
	if b.IntN(20) == 0 {
		t = b.until - int64(b.IntN(26*3_600_000))
	}
	if b.IntN(2) == 0 {
		t -= t % pick[int64](b.Rand, 60_000, 600_000, 1_800_000)
	}
	if b.IntN(20) == 0 {
		t += pick[int64](b.Rand, -1, 1)
	}
	return min(t, b.until+int64(b.IntN(120_000)))
}

// event makes a well-formed record.
func (b *babble) event() *kgo.Record {
	unit := b.IntN(b.units)
	name := fmt.Sprintf("u-%d", unit)
	e := map[string]any{"type": "exposure", "unit": name, "ts": b.stamp(b.time(unit)), "ignored": []int{1}}
	if b.named || b.IntN(3) > 0 {
		e["id"] = fmt.Sprintf("%s.%d", name, b.IntN(6)) // often in conflict: other times, other types
	}
	if kind := pick(b.Rand, "", "", "", "", "user", "device"); kind != "" {
		e["unit_kind"] = kind
	}
	topic := exposures
	if b.IntN(5) < 2 {
		e["experiment"] = pick(b.Rand, "alpha", "alpha", "beta", "gamma", "delta", "omega")
		e["variant"] = pick(b.Rand, "control", "control", "control", "treatment", "treatment", "third", "zeta")
		if b.IntN(3) > 0 { // most units see one variant
			e["variant"] = []string{"control", "treatment", "third"}[unit%3]
		}
	} else {
		topic = outcomes
		e["type"], e["event"] = "outcome", pick(b.Rand, "purchase", "purchase", "click", "timing", "other")
		if b.IntN(5) > 0 {
			e["value"] = json.Number(pick(b.Rand, values...))
		}
	}
	if b.IntN(30) == 0 { // either topic may hold both
		topic = pick(b.Rand, exposures, outcomes)
	}
	e["attrs"] = b.attrs()
	return record(topic, name, e)
}

// values are amounts at the borders of rounding and range: 2^47 = 140737488355328.
var values = []string{
	"1", "0", "-1", "2.5", "-2.5", "3.5", "19.99", "7e-1", "0.005", "0.015", "0.0000000000005", "1e-13", "12.345678901234567",
	"1407374883553.28", "1407374883553.27", "1407374883553.275", "-1407374883553.285", "900000000000.5", "999999999999999", "140737488355327",
}

// stamp writes a time in one of the forms that there are.
func (b *babble) stamp(t int64) any {
	switch b.IntN(4) {
	case 0:
		return t
	case 1:
		return json.Number(fmt.Sprintf("%d.75", t))
	case 2:
		return time.UnixMilli(t).In(time.FixedZone("", 19800)).Format("2006-01-02T15:04:05.000Z07:00")
	default:
		return time.UnixMilli(t).UTC().Format("2006-01-02T15:04:05.000999Z")
	}
}

func (b *babble) attrs() map[string]any {
	out := map[string]any{"secret": "not on the list"}
	if v := pick(b.Rand, "", "DE", "FR", "PL"); v != "" {
		out["country"] = v
	}
	if v := pick[any](b.Rand, nil, nil, json.Number("12.5"), json.Number("1.50"), "3.25", "fast", true, json.Number("1e15"), json.Number("140737488355.328")); v != nil {
		out["ms"] = v
	}
	return out
}

// garbled makes a record that cannot be an event.
func (b *babble) garbled() *kgo.Record {
	unit := b.IntN(b.units)
	name := fmt.Sprintf("u-%d", unit)
	e := map[string]any{"type": "outcome", "unit": name, "ts": b.until, "event": "purchase", "value": 3}
	switch b.IntN(11) {
	case 0:
		return &kgo.Record{Topic: outcomes, Key: []byte(name), Value: []byte(`{"type":"outcome","unit":"` + name)}
	case 1:
		return &kgo.Record{Topic: exposures, Key: []byte(name)}
	case 2:
		return &kgo.Record{Topic: outcomes, Key: []byte(name), Value: []byte("{\"type\":\"outcome\",\"unit\":\"\xff\"}")}
	case 3:
		delete(e, "unit")
	case 4:
		e["type"] = "purchase"
	case 5:
		e["ts"] = b.until / 1000
	case 6:
		e["ts"] = b.until + 3_600_000 // in the future
	case 7:
		e["value"] = "19.99"
	case 8:
		e["value"] = nil
	case 9:
		e["value"] = json.Number("-1e15")
	case 10:
		e["type"], e["experiment"] = "exposure", "alpha" // and no variant
	}
	return record(pick(b.Rand, exposures, outcomes), name, e)
}

func record(topic, unit string, e map[string]any) *kgo.Record {
	value, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return &kgo.Record{Topic: topic, Key: []byte(unit), Value: value}
}
