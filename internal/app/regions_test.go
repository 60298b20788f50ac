package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/privacy"
	"github.com/assay-dev/assay/internal/results"
)

// continent is an experiment in several regions, each with a ledger of its own.
type continent struct {
	*testing.T
	start   time.Time
	version *experiment.Version
}

func newContinent(t *testing.T) *continent {
	t.Helper()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	set, problems := experiment.Parse([]experiment.File{
		{Name: "cta.yaml", Data: []byte(`
key: cta
owner: growth
variants: {control: 50%, treatment: 50%}
control: control
window: 1m
dimensions: [{attribute: country, values: [DE, FR]}]
goals: [revenue, basket]
guardrails: [{metric: errors, margin: 0.01, mode: notify}]
iterations: [{start: 2026-03-01T12:00:00Z, enrol_until: 2026-03-01T13:00:00Z}]
`)},
		{Name: "revenue.yaml", Data: []byte("name: revenue\nowner: growth\nevent: buy\nkind: mean\ndecimals: 2\ndirection: increase\n")},
		{Name: "basket.yaml", Data: []byte("name: basket\nowner: growth\nkind: ratio\ndirection: increase\nnumerator: {event: buy, aggregation: sum, decimals: 2}\ndenominator: {event: buy, aggregation: count}\n")},
		{Name: "errors.yaml", Data: []byte("name: errors\nowner: growth\nevent: error\nkind: proportion\ndirection: decrease\n")},
	})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	v, _, problems := experiment.Apply(nil, set, start.Add(-time.Hour), "somebody")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return &continent{t, start, v}
}

// events are those of a unit: an exposure, and what it bought.
func (c *continent) events(i int, variant, country string) []ingest.Event {
	r := rand.New(rand.NewPCG(7, uint64(i)))
	at := c.start.UnixMilli() + int64(i)*1000
	event := func(kind ingest.Type, t int64) ingest.Event {
		return ingest.Event{Type: kind, T: t, KafkaT: t, UnitKind: "user", Unit: ingest.Unit{Hi: uint64(i + 1)}, ID: fmt.Sprint(i, t)}
	}
	e := event(ingest.Exposure, at)
	e.Experiment, e.Variant, e.Attrs = "cta", variant, []ingest.Attr{{Name: "country", Value: country}}
	out := []ingest.Event{e}
	for n := range r.IntN(4) {
		e := event(ingest.Outcome, at+1+int64(n))
		e.Name = []string{"buy", "buy", "buy", "error"}[r.IntN(4)]
		e.Value = amountOf(c.T, r.Int64N(1e9))
		out = append(out, e)
	}
	return out
}

// amountOf is so many hundredths.
func amountOf(t *testing.T, cents int64) ingest.Value {
	t.Helper()
	d := ingest.NewDecoder(ingest.Key{1}, nil)
	e, dead, ok := d.Decode(ingest.Record{KafkaT: 1_772_366_412_345, Value: fmt.Appendf(nil, `{"type":"outcome","ts":1772366412345,"unit":"u","event":"e","value":%d.%02d}`, cents/100, cents%100)})
	if !ok {
		t.Fatal(dead)
	}
	return e.Value
}

// ledger counts events in a ledger of its own.
func (c *continent) ledger(events []ingest.Event) *Stack {
	c.Helper()
	s := newStack(c.T)
	if err := s.DB.AppendVersion(c.Context(), *c.version); err != nil {
		c.Fatal(err)
	}
	topics := []string{"exposures", "outcomes"}
	log := slices.Clone(events)
	next := [2]int64{}
	for i := range log {
		topic := uint8(0)
		if log[i].Type == ingest.Outcome {
			topic = 1
		}
		log[i].Place = ingest.Place{Topic: topic, Offset: next[topic]}
		next[topic]++
	}
	j := ingest.NewJoiner(topics, c.version)
	j.AddAll(log, nil)
	p := ingest.Part{Shard: 0, Seq: 1, Config: c.version.Number, Rows: j.Take()}
	named := []clickhouse.Topic{{Name: topics[0]}, {Name: topics[1]}}
	for topic := range named {
		p.Offsets = append(p.Offsets, ingest.Counts{Topic: uint8(topic), Next: next[topic], Accepted: uint64(next[topic])})
	}
	if a, err := s.DB.AppendPart(c.Context(), named, p); err != nil || a != clickhouse.Committed {
		c.Fatal(a, err)
	}
	return s
}

// export is what a region lets out.
func (c *continent) export(s *Stack, smallest int64) []byte {
	c.Helper()
	engine := embeddedtest.ClickHouse(c.T)
	reader := engine.Reader()
	e := &clickhouse.Exporter{Address: "http://" + engine.HTTPAddr(), Database: clickhouse.ViewsOf(s.Config.ClickHouse.Database),
		User: reader.Name, Password: reader.Password, Client: &http.Client{}, SmallestCell: smallest}
	var b bytes.Buffer
	if err := e.Export(c.Context(), &b, clickhouse.View{Name: "moments", Experiment: "cta", Format: "JSONEachRow"}); err != nil {
		c.Fatal(err)
	}
	return b.Bytes()
}

func (c *continent) file(name string, text []byte) RegionFile {
	c.Helper()
	m := privacy.NewMoments()
	if err := m.Read(bytes.NewReader(text)); err != nil {
		c.Fatal(err)
	}
	return RegionFile{name, m}
}

// of is the document of one ledger.
func (c *continent) of(s *Stack, at time.Time) results.Document {
	c.Helper()
	e := c.version.Find("cta")
	statuses := []results.ShardStatus{{Seq: 1, Freshness: at, Config: 1, State: "ok", At: at}}
	m, err := s.DB.Moments(c.Context(), []clickhouse.MomentsSpec{{Experiment: "cta", Iteration: 1, Dimensions: true, Matured: results.Maturity(e, e.Latest(), statuses)}})
	if err != nil {
		c.Fatal(err)
	}
	d := results.Compute(c.version, e, 1, m, statuses, at, results.Options{Code: "test", Kind: results.KindFull})
	d.Vector = nil
	return d
}

// TestRegionsAreOneLedger spreads units over three regions, adds their exports up, and
// holds the results to those of one ledger with all events: they are the same document.
func TestRegionsAreOneLedger(t *testing.T) {
	c := newContinent(t)
	var all []ingest.Event
	var regions [3][]ingest.Event
	for i := range 900 {
		events := c.events(i, []string{"control", "treatment"}[i/3%2], []string{"DE", "FR", "US"}[i/6%3])
		all = append(all, events...)
		regions[i%3] = append(regions[i%3], events...)
	}
	var files []RegionFile
	for i, events := range regions {
		files = append(files, c.file(fmt.Sprint("region ", i), c.export(c.ledger(events), 0)))
	}
	one := c.ledger(all)
	e := c.version.Find("cta")
	for when, at := range map[string]time.Time{"all windows have passed": c.start.Add(2 * time.Hour), "none has": c.start.Add(time.Minute)} {
		want := c.of(one, at)
		got, used, err := Regions(c.version, e, 0, files, at, "test")
		if err != nil || len(used) != 3 || len(used[0].Left) > 0 {
			t.Fatal(used, err)
		}
		if diff := cmp.Diff(asJSON(t, want), asJSON(t, got)); diff != "" {
			t.Errorf("%s (-one ledger +regions):\n%s", when, diff)
		}
		if n := got.Comparisons[0].Open.Treatment.Units; n != 450 {
			t.Errorf("%s: %d units are compared", when, n)
		}
	}
	got, _, err := Regions(c.version, e, 1, files, time.Time{}, "test")
	if err != nil || !got.At.After(c.start.Add(14*time.Minute)) || got.At.After(c.start.Add(16*time.Minute)) {
		t.Errorf("without a time it is of %v, %v", got.At, err)
	}
	if _, _, err := Regions(c.version, e, 7, files, time.Time{}, "test"); err == nil {
		t.Error("an iteration that is not there has results")
	}
}

func asJSON(t *testing.T, d results.Document) any {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSmallCellsStay: no export has a cell of fewer units than the operator allows, nor
// what it could be computed from; and a region of which an arm is too small gives no
// units to the other one alone.
func TestSmallCellsStay(t *testing.T) {
	const smallest = 10
	c := newContinent(t)
	var large, small []ingest.Event
	for i := range 200 { // 3 French units in each arm
		country := "DE"
		if i < 6 {
			country = "FR"
		}
		large = append(large, c.events(i, []string{"control", "treatment"}[i%2], country)...)
	}
	for i := 200; i < 215; i++ { // 12 and 3
		small = append(small, c.events(i, []string{"control", "treatment"}[min(i/212, 1)], "DE")...)
	}
	whole, bounded := c.export(c.ledger(large), 0), c.export(c.ledger(large), smallest)
	for name, want := range map[string]map[string]bool{string(whole): {"DE": true, "FR": true, "": true}, string(bounded): {"": true}} {
		values := map[string]bool{}
		for line := range strings.Lines(name) {
			var row struct {
				Metric, Dimension, Value string
				N, Over                  json.RawMessage
			}
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			n, err := strconv.ParseInt(strings.Trim(string(row.N), `"`), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			if !want["FR"] && n < smallest {
				t.Errorf("a cell of %d units: %s", n, line)
			}
			if row.Metric == "revenue" {
				values[row.Value] = true
			}
		}
		if diff := cmp.Diff(want, values); diff != "" {
			t.Errorf("countries (-want +got):\n%s", diff)
		}
	}
	e := c.version.Find("cta")
	text := c.export(c.ledger(small), smallest)
	if !bytes.Contains(text, []byte(`"control"`)) || bytes.Contains(text, []byte(`"treatment"`)) {
		t.Fatalf("of 12 and 3 units is exported:\n%s", text)
	}
	if _, _, err := Regions(c.version, e, 1, []RegionFile{c.file("large", bounded), c.file("small", text)}, c.start.Add(2*time.Hour), "test"); err == nil || !strings.Contains(err.Error(), "small has nothing") {
		t.Errorf("a region with one arm alone: %v", err)
	}
	d, used, err := Regions(c.version, e, 1, []RegionFile{c.file("large", bounded), c.file("small", c.export(c.ledger(small), 3))}, c.start.Add(2*time.Hour), "test")
	if err != nil || d.Comparisons[0].Open.Treatment.Units != 103 || d.Comparisons[0].Open.Control.Units != 112 {
		t.Errorf("%+v, %v", used, err)
	}
}
