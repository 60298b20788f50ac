package ingest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/experiment"
)

// TestConsentIsRead: the four words are kept as an attribute that producers cannot send;
// whatever else stands there is no consent.
//
// semantics: fields
func TestConsentIsRead(t *testing.T) {
	d := NewDecoder(Key{1}, []string{"country"})
	for said, want := range map[string]string{
		`"consent":"granted",`: "granted", `"consent":"denied",`: "denied", `"consent":"not_required",`: "not_required", `"consent":"unknown",`: "unknown",
		`"consent":"Granted",`: "", `"consent":true,`: "", `"consent":null,`: "", `"consent":{"a":1},`: "", ``: "", `"consent":"gr\u0061nted",`: "granted",
	} {
		e, why, ok := d.Decode(Record{KafkaT: -1, Value: fmt.Appendf(nil,
			`{"type":"exposure","ts":1772366412345,"unit":"u",%s"experiment":"cta","variant":"a","attrs":{"country":"DE","$consent":"granted"}}`, said)})
		var expected []Attr
		if want != "" {
			expected = append(expected, Attr{Consent, want})
		}
		if expected = append(expected, Attr{"country", "DE"}); !ok || !slices.Equal(e.Attrs, expected) || e.Anonymous() {
			t.Errorf("%s: %+v %+v", said, e, why)
		}
	}
}

// TestDeniedOutcomeIsStripped: an outcome belongs to no experiment that could ask.
//
// semantics: consent-stripped
func TestDeniedOutcomeIsStripped(t *testing.T) {
	const at = int64(1_772_366_412_345)
	d := NewDecoder(Key{1}, []string{"country"})
	for said, stripped := range map[string]bool{"denied": true, "granted": false, "unknown": false} {
		e, _, ok := d.Decode(Record{KafkaT: at + 61_000, Value: fmt.Appendf(nil,
			`{"type":"outcome","id":"x","ts":%d,"unit":"u","event":"buy","value":3,"consent":%q,"attrs":{"country":"DE"}}`, at, said)})
		if !ok || e.Anonymous() != stripped {
			t.Fatalf("%s: %+v", said, e)
		}
		if want := (Event{Type: Outcome, T: at - at%60_000, KafkaT: at - at%60_000 + 60_000, UnitKind: "user", Name: "buy", Attrs: []Attr{{Consent, "denied"}}}); stripped {
			if diff := cmp.Diff(want, e); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// askingVersion has an experiment that asked for nothing in its first hour, for consent in the
// second, and takes all but refusals now.
func askingVersion() (*experiment.Version, time.Time) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	arms := []experiment.Variant{{Key: "a"}, {Key: "b"}}
	e := experiment.Experiment{
		Key: "cta", UnitKind: "user", Variants: arms, Consent: experiment.Consent{Require: experiment.RequireNotDenied},
		Iterations: []experiment.Iteration{
			{Number: 1, Start: start, EnrolUntil: start.Add(time.Hour), End: start.Add(time.Hour), Design: &experiment.Design{UnitKind: "user", Variants: arms}},
			{Number: 2, Start: start.Add(time.Hour), EnrolUntil: start.Add(2 * time.Hour), End: start.Add(2 * time.Hour),
				Design: &experiment.Design{UnitKind: "user", Variants: arms, Consent: experiment.Consent{Require: experiment.RequireGranted}}},
		},
	}
	return &experiment.Version{Number: 1, Experiments: []experiment.Experiment{e, {Key: "free"}}}, start
}

// TestAdmission: the iteration of the exposure's own time asks, and outside of all the
// experiment as it is now; nobody else is asked.
//
// semantics: consent-stripped
func TestAdmission(t *testing.T) {
	v, start := askingVersion()
	a := AdmissionOf(v)
	for _, c := range []struct {
		experiment, said string
		after            time.Duration
		stripped         bool
	}{
		{"cta", "denied", 0, false}, {"cta", "", time.Hour - 1, false},
		{"cta", "denied", time.Hour, true}, {"cta", "", time.Hour, true}, {"cta", "unknown", time.Hour, true},
		{"cta", "granted", time.Hour, false}, {"cta", "not_required", time.Hour, false},
		{"cta", "", 2 * time.Hour, false}, {"cta", "denied", 2 * time.Hour, true}, {"cta", "denied", -1, true},
		{"free", "denied", time.Hour, false}, {"unknown", "denied", time.Hour, false},
	} {
		e := Event{Type: Exposure, Unit: Unit{Lo: 1}, ID: "i", T: start.Add(c.after).UnixMilli(), Experiment: c.experiment, Variant: "a", Attrs: []Attr{{"country", "DE"}}}
		if c.said != "" {
			e.Attrs = slices.Insert(e.Attrs, 0, Attr{Consent, c.said})
		}
		if why := a.Admit(&e, 1); why != nil || e.Anonymous() != c.stripped {
			t.Errorf("%+v: %+v %+v", c, e, why)
		}
		if c.stripped && (len(e.Attrs) != 1 || e.ID != "" || e.T%60_000 != 0 || e.Variant != "a") {
			t.Errorf("%+v leaves %+v", c, e)
		}
	}
	outcome := Event{Type: Outcome, Unit: Unit{Lo: 1}, T: start.Add(time.Hour).UnixMilli()}
	if a.Admit(&outcome, 1); outcome.Anonymous() {
		t.Error("an outcome says nothing of an experiment")
	}
}

// TestAnonymousCopies: a record that was keyed anew twice counts once, without its unit
// too; two events of one record count twice.
//
// semantics: consent-anonymous
func TestAnonymousCopies(t *testing.T) {
	v, start := askingVersion()
	j := NewJoiner([]string{"t"}, v)
	a := AdmissionOf(v)
	var read []Event
	for i, o := range []Origin{{true, 1, 5, 0}, {true, 1, 5, 0}, {true, 1, 5, 1}, {true, 2, 5, 0}} {
		e := Event{Type: Exposure, Place: Place{Offset: int64(i)}, Unit: Unit{Lo: 9}, UnitKind: "user", ID: "i", T: start.Add(90 * time.Minute).UnixMilli(),
			Experiment: "cta", Variant: "b", Origin: o}
		a.Admit(&e, 1)
		read = append(read, e)
	}
	if fates := j.AddAll(read, nil); !slices.Equal(fates, []Fate{Accepted, Duplicate, Accepted, Accepted}) {
		t.Error(fates)
	}
	if j.Units() != 0 {
		t.Errorf("%d units", j.Units())
	}
	rows := j.Take()
	if len(rows) != 1 || rows[0].N != 3 || rows[0].Metric != Consent || rows[0].Value != "unknown" || rows[0].Variant != "b" || rows[0].Iteration != 2 {
		t.Errorf("%+v", rows)
	}
	again := NewJoiner([]string{"t"}, nil)
	for i := range read {
		again.Restore(&read[i])
	}
	again.Adopt(v)
	if diff := cmp.Diff(rows, again.Take()); diff != "" {
		t.Errorf("restored: %s", diff)
	}
	if fate := again.Add(&read[3]); fate != Duplicate {
		t.Errorf("fate %d", fate)
	}
}
