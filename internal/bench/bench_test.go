package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// TestBenchRuns runs the short form. It fails when a sum is wrong and never
// because the machine is slow.
func TestBenchRuns(t *testing.T) {
	embeddedtest.Library(t)
	o := shortOptions(false)
	o.long = 100_000_000 // a tenth of a second
	var out bytes.Buffer
	if err := bench(t.Context(), &out, o); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log(out.String())
	for _, want := range []string{"THE WHOLE PATH, all sums exact", "processor time of an event", "parts of events", "verified in SQL", "fetch: ", "decode: ",
		"consumer: ", "insert: ", "20000  ", "FROM ACKNOWLEDGED TO VISIBLE at 2000 events/s", "THE LONG RUN, all sums exact"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report has no %q", want)
		}
	}
}

// TestAnalysesAreMeasured runs few units: it fails when one of them is missing.
func TestAnalysesAreMeasured(t *testing.T) {
	embeddedtest.Library(t)
	var out bytes.Buffer
	if err := bench(t.Context(), &out, options{analysis: 2000}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"2000 units and 8000 outcomes", "another window", "units of a country", "99th percentile"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report has no %q:\n%s", want, out.String())
		}
	}
}

// TestErasureIsMeasured runs few units: it fails when anything of them is left, comes
// back, or changes what it must not.
func TestErasureIsMeasured(t *testing.T) {
	embeddedtest.Library(t)
	var out bytes.Buffer
	if err := bench(t.Context(), &out, options{erase: 400, units: 400, partitions: 2, eraseMany: 20, memory: 1 << 30, keepMerged: time.Second}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log(out.String())
	for _, want := range []string{"keep, 1 units", "retract, 1 units", "keep, 20 units", "retract, 20 units", "delete the rows", "events:0 unit_names:0", "none of 42 units is back"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report has no %q", want)
		}
	}
}

// TestKillsAreMeasured runs the short form: all harmed experiments are called off,
// none before there was harm, and the guard looks at many others.
func TestKillsAreMeasured(t *testing.T) {
	embeddedtest.Library(t)
	var out bytes.Buffer
	if err := bench(t.Context(), &out, shortOptions(true)); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log(out.String())
	for _, want := range []string{"FROM THE EVENT THAT SHOWS HARM TO THE OFF CALL", "produced → in the ledger", "parts of the ledger", "A ROUND OF THE GUARD over 20 experiments"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report has no %q", want)
		}
	}
}

// TestAssigningIsMeasured runs every part for a moment, flagd's where it was fetched.
func TestAssigningIsMeasured(t *testing.T) {
	var out bytes.Buffer
	if err := bench(t.Context(), &out, options{assign: 20 * time.Millisecond}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log(out.String())
	for _, want := range []string{"assay: a decision", "computing growthbook's anew", "one flag, 16 clients", "all ten, 2000 a second"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report has no %q", want)
		}
	}
}

// TestReadersAreMeasured runs the short form: every request is answered while events are
// counted, and all are told of.
func TestReadersAreMeasured(t *testing.T) {
	embeddedtest.Library(t)
	var out bytes.Buffer
	if err := bench(t.Context(), &out, shortReaders()); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log(out.String())
	for _, want := range []string{"READERS for 2s", "results of 20 metrics and 10,000,000 units", "page of the same experiment", "list of 20 experiments", "page of the list"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report has no %q", want)
		}
	}
}

// TestWrongSumsAreNoResult reads one load and expects the sums of another.
func TestWrongSumsAreNoResult(t *testing.T) {
	embeddedtest.Library(t)
	o := shortOptions(false)
	o.units = 500
	b, err := prepare(t.Context(), t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	}()
	other := b.load
	other.Seed++
	if _, err := b.whole(t.Context(), b.topics, other); err == nil || !strings.Contains(err.Error(), "it must be") {
		t.Errorf("got %v", err)
	}
}

func TestParts(t *testing.T) {
	var p parts
	p.see([]clickhouse.PartCount{{Table: "events", Partition: "202601", Parts: 30, Rows: 10, Bytes: 300}, {Table: "events", Partition: "202602", Parts: 10, Rows: 10, Bytes: 100},
		{Table: "ledger", Partition: "0", Parts: 5}, {Table: "ledger", Partition: "1", Parts: 9}, {Table: "looks", Partition: "1", Parts: 99}})
	p.see([]clickhouse.PartCount{{Table: "events", Partition: "202601", Parts: 3, Rows: 20, Bytes: 300}, {Table: "ledger", Partition: "0", Parts: 2}})
	want := parts{events: 3, eventsMost: 40, ledger: 2, ledgerMost: 9, bytes: 300, rows: 20}
	if diff := cmp.Diff(want, p, cmp.AllowUnexported(parts{})); diff != "" {
		t.Error(diff)
	}
}

// However many units a load has, none is exposed in the future: such records are
// dead, and no run would be what it says.
func TestLoadLiesInThePast(t *testing.T) {
	l := load(20_000_000, 4)
	if last := l.Start.Add(time.Duration(l.Units) * l.Every); time.Until(last) > 0 {
		t.Errorf("the last unit is exposed in %v", time.Until(last))
	}
}
