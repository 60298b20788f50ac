package e2e

import (
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The oracle counts the whole log by brute force, the way docs/semantics.md says
// it: from the records' JSON, their places and the JSON of the configuration
// version, with big numbers. It shares no line with the program, except what it
// counts.

// event is a record that can be one.
type event struct {
	topic                     string
	offset                    int64
	exposure                  bool
	kind, unit, id            string
	t                         int64
	experiment, variant, name string
	value                     *big.Rat // rounded to twelve decimals
	attrs                     map[string]string
}

// fates are what becomes of the records of a log.
type fates struct{ Accepted, Duplicate, Dead, Misplaced uint64 }

// accepted sorts a log out: what remains takes part.
func accepted(log []*kgo.Record, partitions int, allowed []string) ([]event, fates) {
	var f fates
	var out []event
	seen := map[[6]string]bool{}
	spread := kgo.StickyKeyPartitioner(nil).ForTopic("")
	log = slices.Clone(log)
	slices.SortStableFunc(log, func(a, b *kgo.Record) int { return int(a.Offset - b.Offset) })
	for _, r := range log {
		e, ok := parse(r, allowed)
		identity := [6]string{r.Topic, map[bool]string{true: "exposure", false: "outcome"}[e.exposure], e.kind, e.unit, e.id, big.NewInt(e.t).String()}
		switch {
		case !ok:
			f.Dead++
		case spread.Partition(&kgo.Record{Key: []byte(e.unit)}, partitions) != int(r.Partition):
			f.Misplaced++
		case e.id != "" && seen[identity]:
			f.Duplicate++
		default:
			f.Accepted++
			seen[identity] = true
			out = append(out, e)
		}
	}
	return out, f
}

// written is a native event's JSON.
type written struct {
	Type       string          `json:"type"`
	TS         json.RawMessage `json:"ts"`
	Unit       json.RawMessage `json:"unit"`
	UnitKind   *string         `json:"unit_kind"`
	ID         *string         `json:"id"`
	Experiment string          `json:"experiment"`
	Variant    string          `json:"variant"`
	Event      string          `json:"event"`
	Value      json.RawMessage `json:"value"`
}

// parse reads a record; false: it is a dead letter.
func parse(r *kgo.Record, allowed []string) (event, bool) {
	var w written
	e := event{topic: r.Topic, offset: r.Offset, kind: "user", attrs: map[string]string{}}
	if !utf8.Valid(r.Value) || json.Unmarshal(r.Value, &w) != nil || json.Unmarshal(w.Unit, &e.unit) != nil || e.unit == "" {
		return e, false
	}
	var ok bool
	if e.t, ok = moment(w.TS); !ok || e.t > r.Timestamp.UnixMilli()+300_000 {
		return e, false
	}
	if w.UnitKind != nil {
		e.kind = *w.UnitKind
	}
	if w.ID != nil {
		e.id = *w.ID
	}
	for _, name := range allowed {
		if text, ok := attribute(r.Value, name); ok {
			e.attrs[name] = text
		}
	}
	e.exposure, e.experiment, e.variant, e.name = w.Type == "exposure", w.Experiment, w.Variant, w.Event
	switch w.Type {
	case "exposure":
		return e, e.experiment != "" && e.variant != ""
	case "outcome":
		e.value, ok = amount(w.Value)
		return e, ok && e.name != ""
	default:
		return e, false
	}
}

func moment(raw json.RawMessage) (int64, bool) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		t, err := time.Parse(time.RFC3339Nano, text)
		return t.UnixMilli(), err == nil && t.Unix() >= 0
	}
	x, ok := new(big.Rat).SetString(string(raw))
	if !ok {
		return 0, false
	}
	ms := new(big.Int).Quo(x.Num(), x.Denom()).Int64()
	return ms, ms >= 1e11 && ms < 1e13
}

// attribute gives a string's text or a literal as it stands.
func attribute(value []byte, name string) (string, bool) {
	var w struct {
		Attrs map[string]json.RawMessage `json:"attrs"`
	}
	if json.Unmarshal(value, &w) != nil {
		return "", false
	}
	raw := w.Attrs[name]
	var text string
	if len(raw) == 0 || string(raw) == "null" {
		return "", false
	}
	if json.Unmarshal(raw, &text) == nil {
		return text, true
	}
	return string(raw), true
}

// number is JSON's grammar of numbers.
var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func amount(raw json.RawMessage) (*big.Rat, bool) {
	if len(raw) == 0 {
		return big.NewRat(1, 1), true
	}
	x, ok := rational(string(raw))
	return x, ok && new(big.Rat).Abs(x).Cmp(big.NewRat(1e15, 1)) < 0
}

// rational reads a number and rounds it to twelve decimals.
func rational(text string) (*big.Rat, bool) {
	if !number.MatchString(text) {
		return nil, false
	}
	x, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetFrac(scaled(x, 12), power(12)), true
}

func power(decimals int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
}

// scaled is x·10^decimals as a whole number, ties to the even one.
func scaled(x *big.Rat, decimals int) *big.Int {
	y := new(big.Rat).Mul(x, new(big.Rat).SetInt(power(decimals)))
	below := new(big.Int).Div(y.Num(), y.Denom()) // towards minus infinity: the denominator is positive
	rest := new(big.Rat).Sub(y, new(big.Rat).SetInt(below))
	if c := rest.Cmp(big.NewRat(1, 2)); c > 0 || c == 0 && below.Bit(0) == 1 {
		below.Add(below, big.NewInt(1))
	}
	return below
}
