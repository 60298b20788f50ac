package app

import (
	std "cmp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/watch"
)

const files = `
key: cta
owner: OWNER
variants: {control: 50%, treatment: 50%}
control: control
window: 10s
goals: [sales]
guardrails: [{metric: errors, margin: 0.01, mode: kill}]
kill_switch: flags
`

// lookWorld is a ledger of one shard, an experiment, and a time that stands still
// until it is moved.
type lookWorld struct {
	*Stack
	t   *testing.T
	now time.Time
	seq uint64
	key string // of the experiment; "": cta
}

func newLookWorld(t *testing.T) *lookWorld {
	w := &lookWorld{Stack: newStack(t), t: t, now: time.Now().UTC().Truncate(time.Millisecond).Add(-time.Hour)}
	w.apply("growth")
	w.now = w.now.Add(time.Second)
	w.count("control", 100)
	w.count("treatment", 90)
	return w
}

// apply puts the experiment in force with this owner, which is free to change.
func (w *lookWorld) apply(owner string) {
	w.t.Helper()
	set, problems := experiment.Parse([]experiment.File{
		{Name: "cta.yaml", Data: []byte(strings.NewReplacer("OWNER", owner, "key: cta", "key: "+std.Or(w.key, "cta")).Replace(files))},
		{Name: "sales.yaml", Data: []byte("name: sales\nowner: growth\nevent: buy\nkind: proportion\ndirection: increase\n")},
		{Name: "errors.yaml", Data: []byte("name: errors\nowner: growth\nevent: error\nkind: proportion\ndirection: decrease\n")},
	})
	if err := problems.Err(); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.Apply(w.t.Context(), set, "somebody", func() time.Time { return w.now }); err != nil {
		w.t.Fatal(err)
	}
}

// count appends a part with units of an arm, under version 1, and says how fresh
// the shard is.
func (w *lookWorld) count(variant string, units int64) {
	w.t.Helper()
	w.countWith(variant, units, 0)
}

// countWith is count, of units of which so many bought.
func (w *lookWorld) countWith(variant string, units, buyers int64) {
	w.t.Helper()
	w.seq++
	var rows []ingest.Row
	for _, metric := range []string{ingest.Units, "sales", "errors"} {
		rows = append(rows, ingest.Row{
			Cell:  ingest.Cell{Experiment: std.Or(w.key, "cta"), Iteration: 1, Phase: 1, Variant: variant, Metric: metric, Slot: w.now.Truncate(time.Minute).UnixMilli()},
			Delta: ingest.Delta{N: units}})
	}
	rows[1].NonZero, rows[1].Sum, rows[1].SumSquares = buyers, ingest.Int64(buyers), ingest.Int64(buyers)
	part := ingest.Part{Shard: 0, Seq: w.seq, Config: 1, Rows: rows, Offsets: []ingest.Counts{
		{Topic: 0, From: int64(w.seq-1) * 10, Next: int64(w.seq) * 10, Accepted: 10}}}
	if a, err := w.DB.AppendPart(w.t.Context(), []clickhouse.Topic{{Name: "exposures"}}, part); err != nil || a != clickhouse.Committed {
		w.t.Fatal(a, err)
	}
	w.fresh()
}

func (w *lookWorld) fresh() {
	w.t.Helper()
	status := results.ShardStatus{Seq: w.seq, Freshness: w.now, Config: 1, State: "ok", At: w.now}
	if err := w.DB.WriteStatus(w.t.Context(), []results.ShardStatus{status}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *lookWorld) look(iteration uint32) *results.Document {
	w.t.Helper()
	v, err := w.DB.Version(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	d, err := w.Look(w.t.Context(), &v, v.Find(std.Or(w.key, "cta")), iteration, w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *lookWorld) write(e guardrails.Entry) {
	w.t.Helper()
	e.At, e.Experiment, e.Iteration, e.Actor = w.now, "cta", 1, "guard"
	if hash, err := (journal{w.DB}).Append(w.t.Context(), e, ""); err != nil || len(hash) != 64 {
		w.t.Fatal(hash, err)
	}
}

// TestLook: a look stands for the ledger and the configuration that it was taken
// of, and for a minute; then what has matured is another matter.
func TestLook(t *testing.T) {
	w := newLookWorld(t)
	first := w.look(0)
	if len(first.Troubles) > 0 || first.Phases[0].Arms[0].Units != 100 || first.Comparisons[0].Matured.Treatment.Units != 0 {
		t.Errorf("the first look: %+v", first)
	}
	row, err := w.DB.LatestLook(t.Context(), "cta", clickhouse.FullLook)
	if err != nil || row.Verdict != "inconclusive" {
		t.Errorf("it is stored with verdict %q, %v", row.Verdict, err)
	}
	w.now = w.now.Add(30 * time.Second)
	if again := w.look(0); !again.At.Equal(first.At) {
		t.Errorf("nothing has changed, but a look was taken at %v after that of %v", again.At, first.At)
	}
	w.now = w.now.Add(5 * time.Minute)
	w.fresh()
	later := w.look(0)
	if !later.At.Equal(w.now) || later.Comparisons[0].Matured.Treatment.Units != 90 || cmp.Diff(first.Vector, later.Vector) != "" {
		t.Errorf("five minutes later %d units have matured, at %v", later.Comparisons[0].Matured.Treatment.Units, later.At)
	}
	w.now = w.now.Add(time.Second)
	w.count("control", 1)
	if moved := w.look(0); !moved.At.Equal(w.now) || moved.Phases[0].Arms[0].Units != 101 {
		t.Errorf("the ledger moved and the look did not: %+v", moved.Phases)
	}
}

// TestLookAfterFreeChange: a version that counts alike is no reason to distrust
// the shards that have not adopted it.
func TestLookAfterFreeChange(t *testing.T) {
	w := newLookWorld(t)
	w.apply("sales")
	if d := w.look(0); d.Version != 2 || len(d.Troubles) != 0 {
		t.Errorf("version %d, troubles %+v", d.Version, d.Troubles)
	}
}

// TestLookTellsWhatWasDecided: a look by hand shows the guard's last verdicts, the
// latched alarm and the kill, also when a later iteration runs.
func TestLookTellsWhatWasDecided(t *testing.T) {
	w := newLookWorld(t)
	verdict := results.Verdict{Metric: "errors", Arm: "treatment", Verdict: "breached", Reason: "harm"}
	guard := w.look(0).Guard()
	guard.At, guard.Verdicts = w.now.Add(time.Second), []results.Verdict{verdict}
	if err := (looks{w.DB}).Store(t.Context(), []*watch.Look{{Verdict: guardrails.Breached, Document: &guard}}); err != nil {
		t.Fatal(err)
	}
	w.write(guardrails.Entry{Seq: 1, Kind: guardrails.SRMAlarm, Phase: 1})
	w.write(guardrails.Entry{Seq: 2, Kind: guardrails.Decided, Decision: 2, Act: guardrails.DoKill, Guardrail: "errors", Arm: "treatment", Text: "errors rose"})
	w.now = w.now.Add(2 * time.Second)
	w.write(guardrails.Entry{Seq: 3, Kind: guardrails.Failed, Decision: 2})
	w.count("control", 1)
	check := func(d *results.Document) {
		t.Helper()
		if len(d.Verdicts) != 1 || d.Verdicts[0].Verdict != "breached" {
			t.Errorf("verdicts %+v", d.Verdicts)
		}
		if a := d.Phases[0].Alarm; a == nil || !a.Acknowledged.IsZero() {
			t.Errorf("alarm %+v, want an open one", a)
		}
		if d.Kill == nil || d.Kill.State != "failed" || d.Kill.Reason != "errors rose" {
			t.Errorf("kill %+v, want the failed one", d.Kill)
		}
		if _, head, err := w.DB.LastDecision(t.Context()); err != nil || d.LogHead != head || len(head) != 64 {
			t.Errorf("the head is %q, the log ends with %q, %v", d.LogHead, head, err)
		}
	}
	check(w.look(0))

	v, err := w.DB.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	killed, err := v.Kill("cta", w.now, 2, "errors rose", "guard", w.now)
	if err != nil {
		t.Fatal(err)
	}
	resumed, err := killed.Resume("cta", 0, "mended", "somebody", w.now.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	for _, next := range []*experiment.Version{killed, resumed} {
		if err := w.DB.AppendVersion(t.Context(), *next); err != nil {
			t.Fatal(err)
		}
	}
	w.now = w.now.Add(time.Minute)
	check(w.look(1)) // the first look after the end
	w.now = w.now.Add(time.Minute)
	if d := w.look(0); d.Iteration != 2 || d.Kill != nil || len(d.Verdicts) != 0 {
		t.Errorf("iteration %d, kill %+v, verdicts %+v: want the second, with a clean sheet", d.Iteration, d.Kill, d.Verdicts)
	}
	w.now = w.now.Add(time.Minute)
	check(w.look(1))
}

// TestGapsOf: a gap is told by the results that it may have taken something from.
//
// semantics: gap-shown gap-before
func TestGapsOf(t *testing.T) {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	it := &experiment.Iteration{Start: start, End: start.Add(24 * time.Hour)}
	vector := map[uint16]uint64{0: 5}
	gap := func(shard uint16, seq uint64, since, accepted time.Duration) clickhouse.Gap {
		return clickhouse.Gap{Shard: shard, Topic: "outcomes", Seq: seq, Records: 4, Since: start.Add(since), AcceptedAt: start.Add(accepted), Until: start.Add(accepted)}
	}
	for name, c := range map[string]struct {
		gap  clickhouse.Gap
		want int
	}{
		"while it ran":                 {gap(0, 5, time.Hour, 2*time.Hour), 1},
		"accepted after the end":       {gap(0, 5, 23*time.Hour, 48*time.Hour), 1},
		"lost before anything":         {clickhouse.Gap{Seq: 1, Until: start.Add(time.Hour)}, 1},
		"deleted before the start":     {clickhouse.Gap{Kind: clickhouse.Before, Seq: 1, Until: start.Add(-time.Second), AcceptedAt: start.Add(time.Hour)}, 0},
		"deleted from the iteration":   {clickhouse.Gap{Kind: clickhouse.Before, Seq: 1, Until: start}, 1},
		"lost after the end":           {gap(0, 5, 24*time.Hour, 48*time.Hour), 0},
		"accepted before the start":    {gap(0, 5, -2*time.Hour, -time.Hour), 0},
		"later than the look":          {gap(0, 6, time.Hour, 2*time.Hour), 0},
		"of a shard that was not read": {gap(1, 1, time.Hour, 2*time.Hour), 0},
	} {
		if got := gapsOf([]clickhouse.Gap{c.gap}, it, vector); len(got) != c.want {
			t.Errorf("%s: %+v, want %d", name, got, c.want)
		}
	}
}

// TestLookTellsGaps: a gap stands on the result whether it was taken before or not.
//
// semantics: gap-shown
func TestLookTellsGaps(t *testing.T) {
	w := newLookWorld(t)
	w.seq++
	part := ingest.Part{Shard: 0, Seq: w.seq, Config: 1, Offsets: []ingest.Counts{{Topic: 0, From: 20, Next: 27, Gap: 7}}}
	if a, err := w.DB.AppendPart(t.Context(), []clickhouse.Topic{{Name: "exposures"}}, part); err != nil || a != clickhouse.Committed {
		t.Fatal(a, err)
	}
	w.fresh()
	for range 2 {
		if d := w.look(0); len(d.Gaps) != 1 || d.Gaps[0].Records != 7 || d.Gaps[0].Topic != "exposures" {
			t.Errorf("gaps %+v", d.Gaps)
		}
	}
}

func TestIterationOf(t *testing.T) {
	now := time.Now()
	e := &experiment.Experiment{Iterations: []experiment.Iteration{
		{Number: 1, Start: now.Add(-2 * time.Hour), End: now.Add(-time.Hour)}, {Number: 2, Start: now.Add(time.Hour)},
	}}
	for _, c := range []struct {
		number uint32
		at     time.Time
		want   uint32
	}{{0, now, 1}, {2, now, 2}, {0, now.Add(2 * time.Hour), 2}, {0, now.Add(-3 * time.Hour), 1}} {
		if got := iterationOf(e, c.number, c.at); got == nil || got.Number != c.want {
			t.Errorf("%d at %v: %+v, want iteration %d", c.number, c.at.Sub(now), got, c.want)
		}
	}
	if got := iterationOf(e, 3, now); got != nil {
		t.Errorf("there is no iteration 3, but got %+v", got)
	}
}
