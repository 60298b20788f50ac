package pages

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/planning"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/privacy"
	"github.com/assay-dev/assay/internal/results"
)

// world is what the demo left after seventy seconds: a winner, a kill, a broken split
// and a producer that died. It is the reader and the hand of the tests.
type world struct {
	told    bytes.Buffer // what was logged
	erased  bool         // every unit is
	t       testing.TB
	details map[string]catalog.Detail
	log     []guardrails.Entry
	health  catalog.Health
	past    Past
	now     time.Time

	runs     []catalog.AnalysisRun
	analyses []*results.Analysis // oldest first
	explored []catalog.Exploration

	late  error // of who plans
	zone  *time.Location
	acted []string // what the hand was asked for
	fails error    // what it answers
	saw   []string // units that were explained
	ticks int
	still bool
	real  bool
	asked int // for details
}

func read[T any](t testing.TB, name string) (out T) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, details: map[string]catalog.Detail{}, now: time.Date(2026, 11, 28, 22, 8, 40, 0, time.UTC)}
	w.log = read[[]guardrails.Entry](t, "log.json")
	for i, x := range read[[]struct {
		Hash string `json:"hash_"`
	}](t, "log.json") {
		w.log[i].Hash = x.Hash
	}
	version := demoVersion(t)
	for _, d := range read[[]*results.Document](t, "looks.json") {
		e := version.Find(d.Experiment)
		it := e.Latest()
		it.Start, it.EnrolUntil, it.End = d.Start, d.EnrolUntil, d.End
		if d.Killed != nil {
			it.Killed = &experiment.Killed{At: d.Killed.At, Decision: d.Killed.Decision, Reason: d.Killed.Reason}
		}
		results.AddDetails(e, d)
		d.Plan = results.PlanAnalysis(e, d)
		w.put(e, d)
	}
	w.health = sound(w.now)
	w.past = past(w.now)
	return w
}

// put makes the detail of a look.
func (w *world) put(e *experiment.Experiment, d *results.Document) {
	now := w.now
	if d != nil && d.At.After(now) {
		now = d.At
	}
	w.details[e.Key] = catalog.DetailOf(catalog.Subject{Experiment: e, Iteration: e.Latest(), Document: d, Now: now}, "look-1", "tag-1")
}

func demoVersion(t testing.TB) *experiment.Version {
	t.Helper()
	names, err := filepath.Glob("../simulate/demo/*/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatal("the demo's files are not there", err)
	}
	var files []experiment.File
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, experiment.File{Name: name, Data: b})
	}
	set, problems := experiment.Parse(files)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	v, _, problems := experiment.Apply(nil, set, time.Date(2026, 11, 28, 22, 7, 34, 0, time.UTC), "ada")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return v
}

func sound(now time.Time) catalog.Health {
	h := catalog.Health{At: now}
	for i := range 4 {
		h.Shards = append(h.Shards, catalog.ShardOf(results.ShardStatus{Shard: uint16(i), State: "ok", Seq: 240, Config: 2, Freshness: now.Add(-300 * time.Millisecond), At: now}, now))
	}
	h.Reconciliation = catalog.Reconciliation{Records: 48211, Partitions: []catalog.Partition{
		{Topic: "assay.exposures", Shard: 0, Next: 12001, Accepted: 11990, Duplicate: 8, Dead: 3}, {Topic: "assay.outcomes", Shard: 0, Next: 9120, Accepted: 9120}}}
	h.DeadLetters = []catalog.DeadLetters{{Topic: "assay.exposures", Reason: "no_unit", Count: 3, First: now.Add(-time.Minute), Last: now.Add(-2 * time.Second),
		Samples: []catalog.DeadLetter{{Shard: 0, Offset: 812, At: now.Add(-2 * time.Second), Size: 188, Position: 41, Detail: "unit is missing"}}}}
	h.Placebos = []catalog.Placebo{{Experiment: "checkout-button", Iteration: 1, At: now.Add(-4 * time.Minute), Looks: 12, Splits: 20, Alpha: .05, Judged: 60, Alarms: 1, Outside: 3}}
	h.Judge()
	return h
}

// past is an interval that narrows, and guardrails that came to a verdict.
func past(now time.Time) Past {
	p := Past{Effects: map[Series][]plots.Point{}}
	for i := range 40 {
		at, half := now.Add(time.Duration(i-40)*time.Second), results.Number(2/(1+float64(i)/4))
		for _, metric := range []string{"conversion", "errors"} {
			s := Series{metric, "treatment"}
			p.Effects[s] = append(p.Effects[s], plots.Point{At: at, Estimate: .55, Sequential: results.Interval{Low: .55 - half, High: .55 + half}})
		}
		verdict := "inconclusive"
		if i > 25 {
			verdict = "breached"
		}
		p.Verdicts = append(p.Verdicts, Judged{at, verdict})
	}
	calm := make([]Judged, len(p.Verdicts))
	for i, v := range p.Verdicts {
		calm[i] = Judged{v.At, "healthy"}
	}
	p.Lanes = []Lane{{Series{"errors", "treatment"}, p.Verdicts}, {Series{"latency", "treatment"}, calm}}
	return p
}

func (w *world) Rows(context.Context) ([]catalog.Row, error) {
	var rows []catalog.Row
	for _, d := range w.details {
		rows = append(rows, d.Row)
	}
	slices.SortFunc(rows, func(a, b catalog.Row) int { return strings.Compare(a.Key, b.Key) })
	return rows, nil
}

func (w *world) Detail(_ context.Context, key string, iteration uint32) (catalog.Detail, error) {
	w.asked++
	d, ok := w.details[key]
	if !ok || iteration > 1 {
		return catalog.Detail{}, fmt.Errorf("look: %w", &catalog.Missing{What: "experiment " + key})
	}
	return d, nil
}

func (w *world) Health(context.Context) (catalog.Health, error)      { return w.health, nil }
func (w *world) Past(context.Context, *catalog.Detail) (Past, error) { return w.past, nil }
func (w *world) Log(_ context.Context, key string) ([]guardrails.Entry, string, error) {
	var out []guardrails.Entry
	for _, e := range w.log {
		if key == "" || e.Experiment == key {
			out = append(out, e)
		}
	}
	return out, w.log[len(w.log)-1].Hash, nil
}

func (w *world) PrivacyNotice(_ context.Context, key string) (privacy.Notice, error) {
	d, ok := w.details[key]
	if !ok {
		return privacy.Notice{}, &catalog.Missing{What: "experiment " + key}
	}
	return privacy.Of(&experiment.Version{Number: 7}, d.Experiment, privacy.Terms{Attributes: []string{"device", "health"}, Sensitive: []string{"health"}}), nil
}

func (w *world) Plan(_ context.Context, comparisons []planning.Comparison, q planning.Question) ([]planning.Answer, error) {
	return planning.PlanAll(comparisons, q), w.late
}

func (w *world) ExplainUnit(_ context.Context, key, unit string) ([]catalog.Explained, error) {
	w.saw = append(w.saw, key+" "+unit)
	if w.erased {
		return []catalog.Explained{{At: w.now, Type: "erasure", What: "request 17", Finding: "erased", Why: "its rows are deleted"}}, nil
	}
	return []catalog.Explained{
		{At: w.now, What: key + " treatment", Topic: "assay.exposures", Offset: 12, Finding: "first_exposure", Why: "the earliest exposure of this unit"},
		{At: w.now.Add(time.Second), What: "purchase", Topic: "assay.outcomes", Offset: 7, Finding: "counted", Metrics: []string{"conversion", "revenue"}, Why: "within the window"},
	}, nil
}

func (w *world) note(who access.Principal, what string, on acts.On, more any) error {
	w.acted = append(w.acted, fmt.Sprintf("%s: %s %s/%d %v because %s", who.Name, what, on.Experiment, on.Iteration, more, on.Reason))
	return w.fails
}

func (w *world) Kill(_ context.Context, who access.Principal, o acts.Kill) (guardrails.Kill, error) {
	return guardrails.Kill{State: guardrails.Verified}, w.note(who, "kill", o.On, o.Arm)
}

func (w *world) Drill(_ context.Context, who access.Principal, o acts.Kill) (acts.Drill, error) {
	return acts.Drill{Switch: "flags", Reads: "on", Method: "POST", Host: "flags.example.com", Headers: []string{"Authorization"}, Bytes: 31, Body: `{"enabled":false}`},
		w.note(who, "drill", o.On, o.Arm)
}

func (w *world) Resume(_ context.Context, who access.Principal, o acts.Resume) (*experiment.Version, error) {
	return demoVersion(w.t), w.note(who, "resume", o.On, o.Rearm)
}

func (w *world) Snooze(_ context.Context, who access.Principal, o acts.Snooze) (time.Time, error) {
	return w.now.Add(o.For), w.note(who, "snooze", o.On, o.For)
}

func (w *world) Acknowledge(_ context.Context, who access.Principal, o acts.Acknowledge) error {
	return w.note(who, "acknowledge", o.On, o.Phase)
}

func (w *world) Approve(_ context.Context, who access.Principal, o acts.Approve) (*governance.Proposal, error) {
	return nil, w.note(who, "approve", o.On, fmt.Sprintf("%.4s, withdraw %v", o.Hash, o.Withdraw))
}

func (w *world) Ramp(_ context.Context, who access.Principal, o acts.Ramp) (acts.Ramped, error) {
	state := ""
	if o.Act == acts.RevertRamp {
		state = string(guardrails.Verified)
	}
	return acts.Ramped{Act: o.Act, Step: 2, Traffic: .1, State: state}, w.note(who, string(o.Act)+" the ramp", o.On, "")
}

func (w *world) Note(_ context.Context, who access.Principal, o acts.Note) (uint64, error) {
	return 41, w.note(who, "note", o.On, "")
}

func (w *world) Explore(_ context.Context, who access.Principal, o catalog.Exploration) (catalog.AnalysisRun, error) {
	w.explored = append(w.explored, o)
	return catalog.AnalysisRun{ID: "00ff", Author: who.Name}, w.fails
}

func (w *world) Runs(context.Context, string) []catalog.AnalysisRun { return w.runs }

func (w *world) Analyses(context.Context, string, uint32) ([]catalog.AnalysisHead, error) {
	var out []catalog.AnalysisHead
	for _, a := range w.analyses {
		out = append(out, catalog.HeadOf(a))
	}
	return out, nil
}

func (w *world) Analysis(_ context.Context, key, which string) (*results.Analysis, error) {
	for _, a := range w.analyses {
		if a.Experiment == key && (a.ID == which || a.Name == which) {
			return a, nil
		}
	}
	return nil, &catalog.Missing{What: "analysis " + which}
}

// analyse stores what an analysis of an experiment could have found.
func (w *world) analyse(key, id, name string, number int) *results.Analysis {
	doc := *w.details[key].Document
	doc.Kind, doc.Exploratory = results.KindAnalysis, "exploratory"
	a := &results.Analysis{
		ID: id, Name: name, Exploratory: true, Notice: "exploratory", Experiment: key, Iteration: 1, Changes: []string{"window 14d", `units first exposed with country "DE"`},
		Author: "ann", At: w.now, Version: 2, Code: "v1", Number: number, Level: .05 / float64(number), Caps: map[string]string{"revenue": "250"}, Document: &doc,
		Warnings: []results.Doubt{{Code: results.ExploratoryDoubt, Text: "exploratory"}, {Code: results.WindowCut, Text: "the iteration ends before the last window"}},
	}
	w.analyses = append(w.analyses, a)
	return a
}

// clock goes on by a second whenever it is read: no page is kept, but where a test
// makes it stand still.
func (w *world) clock() time.Time {
	if w.real {
		return time.Now()
	}
	w.ticks++
	if w.still {
		return w.now
	}
	return w.now.Add(time.Duration(w.ticks) * time.Second)
}

func (w *world) Readiness(_ context.Context, key string, lift, power float64) (governance.Readiness, error) {
	if _, ok := w.details[key]; !ok || lift != .05 || power != .8 {
		return governance.Readiness{}, &catalog.Missing{What: "experiment " + key}
	}
	return governance.Readiness{Experiment: key, At: w.now, Items: []governance.Item{
		{Name: "story", Ready: governance.Yes, Text: "owned by ada"}, {Name: "data", Ready: governance.No, Text: "no such event came lately: <buy>", Do: "send it"}, {Name: "power", Ready: governance.Unknown, Text: "nothing is known"}}}, nil
}

func (w *world) FindPast(_ context.Context, q catalog.FoundQuery) (catalog.FoundPage, error) {
	var all []catalog.Found
	for _, key := range slices.Sorted(maps.Keys(w.details)) {
		d := w.details[key]
		all = append(all, catalog.FoundIn(catalog.Subject{Experiment: d.Experiment, Iteration: d.Iteration, Document: d.Document, Now: w.now}, []string{"a <small> note"})...)
	}
	return catalog.FindPast(all, q), nil
}

func (w *world) Writeup(_ context.Context, key string) (*catalog.Writeup, error) {
	d, ok := w.details[key]
	if !ok {
		return nil, &catalog.Missing{What: "experiment " + key}
	}
	lines := []catalog.WrittenLine{{Decision: 9, At: w.now, Kind: "noted", By: "ada", Text: "a <small> campaign began"}, {Decision: 8, At: w.now, Kind: "change_applied", By: "ada", Text: "version 2"}}
	x := catalog.WriteUp(d.Experiment, []*results.Document{d.Document}, lines, "ab12", w.now)
	x.Together = []results.Together{{Metric: "conversion", Arm: "sticky", Kind: "mean", Runs: []uint32{1, 2}, LeftOut: []string{"iteration 3 had another control"}}}
	return x, nil
}

// mux are the pages as somebody sees them.
func (w *world) mux(who access.Principal) http.Handler {
	w.t.Helper()
	p, err := New(Config{Reader: w, Explainer: w, Planner: w, Privacy: w, Governance: w, Past: w, Hand: w, Explorer: w, OffersArm: func(_, arm string) bool { return arm == "treatment" }, Zone: w.zone, Code: "v1", Log: slog.New(slog.NewTextHandler(&w.told, nil)), Now: w.clock})
	if err != nil {
		w.t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, h := range p.Routes() {
		mux.Handle(pattern, h)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(rw, r.WithContext(access.With(r.Context(), who)))
	})
}

var (
	reader   = access.Principal{Role: access.Analyst}
	operator = access.Principal{Name: "ada", Role: access.Operator, Login: "session"}
)

// get asks for a page.
func get(h http.Handler, address string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
