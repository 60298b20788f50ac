package sources_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/sources"
)

// A source's own records are told from all the others'.
func TestDetect(t *testing.T) {
	samples := map[string][]ingest.Record{}
	for _, f := range fixtures(t) {
		samples[f.mapping] = append(samples[f.mapping], record(f.record))
	}
	for name, records := range samples {
		proposals := sources.Detect(records)
		if len(proposals) == 0 || proposals[0].Mapping != name {
			t.Errorf("the records of %s are taken for %+v", name, proposals)
		}
	}
}

// What a proposal counts is what the fixtures say.
func TestProposalCounts(t *testing.T) {
	var records []ingest.Record
	for _, f := range fixtures(t) {
		if f.mapping == "statsig" || f.mapping == "launchdarkly" {
			records = append(records, record(f.record))
		}
	}
	records = append(records, record("not JSON"))
	got := sources.Detect(records)
	for i := range got {
		got[i].Detail = ""
	}
	// Neither reads half of them, so there is a draft, too.
	if len(got) != 3 || got[2].Draft == "" {
		t.Fatalf("%+v", got)
	}
	want := []sources.Proposal{
		{Mapping: "launchdarkly", Samples: 14, Recognised: 8, Filtered: 3, Dead: map[ingest.Reason]int{"bad_field": 1, "missing_field": 1}, Exposures: 2, Outcomes: 1},
		{Mapping: "statsig", Samples: 14, Recognised: 5, Filtered: 1, Dead: map[ingest.Reason]int{}, Several: 1, Exposures: 3, Outcomes: 2},
	}
	if diff := cmp.Diff(want, got[:2]); diff != "" {
		t.Error(diff)
	}
	if share := got[0].Share(); share != 6.0/14 {
		t.Errorf("the share is %v", share)
	}
}

// A draft is a mapping: it loads, and reads the samples that it was made of.
func TestDraft(t *testing.T) {
	samples := []ingest.Record{
		record(`{"kind":"view","at":"2026-03-01T12:00:00Z","event":"e1","visitor":{"id":"v-1"},"test":{"key":"cta","arm":"A"}}`),
		record(`{"kind":"order","at":"2026-03-01T12:00:01Z","event":"e2","visitor":{"id":"v-1"},"total":"19.99"}`),
		record(`{"kind":"order","at":"2026-03-01T12:00:02Z","event":"e3","visitor":{"id":"v-2"},"total":"5"}`),
	}
	got := sources.Detect(samples)
	if len(got) != 1 || got[0].Mapping != "" {
		t.Fatalf("%+v", got)
	}
	for _, want := range []string{
		`unit: "visitor.id" # in 3 of 3 records`, `time: {path: "at", layout: rfc3339}`, `exposure: {path: "test.key"}`, `variant: "test.arm" # in 1 of 3 records`,
		`value: {first: ["total", {constant: "1"}]}`, `# "kind" is one of: "view", "order"`, `- outcome: {path: "kind"}`,
	} {
		if !strings.Contains(got[0].Draft, want) {
			t.Errorf("the draft has no %s:\n%s", want, got[0].Draft)
		}
	}
	if got[0].Exposures != 1 || got[0].Outcomes != 2 || got[0].Share() != 1 {
		t.Errorf("the draft makes of its samples %+v", got[0])
	}
	for _, none := range [][]ingest.Record{nil, {record("x")}, {record("[]")}} {
		if got := sources.Detect(none); len(got) != 0 {
			t.Errorf("%v gives %+v", none, got)
		}
	}
}

// Whatever the samples hold, a draft is a mapping that loads.
func FuzzDraft(f *testing.F) {
	f.Add(`{"user\nid":"x","type\n":"a","visitor":{"key":[1]}}`)
	f.Add(`{"user id":"x","a b":{"#c: ":1,"time":1772366400123},"\"":"y","variant":"%d\n"}`)
	f.Fuzz(func(t *testing.T, value string) {
		for _, p := range sources.Detect([]ingest.Record{record(value)}) {
			if p.Draft == "" {
				continue
			}
			if _, err := sources.LoadMapping([]byte(p.Draft)); err != nil {
				t.Errorf("%v\n%s", err, p.Draft)
			}
		}
	})
}
