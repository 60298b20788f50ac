package results_test

import (
	"math"
	"strings"
	"testing"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

func said(variant, value string, n int64) results.Cell {
	c := cell(ingest.Consent, variant, 2, n, 0, 0, 0)
	c.Value = value
	return c
}

func consentOf(t *testing.T, cells ...results.Cell) results.Consent {
	t.Helper()
	v, e := ramp()
	e.Consent = experiment.Consent{Require: experiment.RequireGranted}
	d := results.Compute(v, e, 2, moments(cells...), statuses(), noon(), results.Options{Code: "c", Kind: results.KindFull})
	if len(d.Consents) != 2 || d.Consents[1].Phase != 2 {
		t.Fatalf("%+v", d.Consents)
	}
	return d.Consents[1]
}

// TestConsents: an arm whose units refuse more often is told of; as many refusals that
// are one unit's repeats are not.
func TestConsents(t *testing.T) {
	equal := []results.Cell{
		units("control", 2, 1000), units("treatment", 2, 1000),
		said("control", "granted", 950), said("control", "not_required", 50), said("treatment", "granted", 1000),
		said("control", "unknown", 300), said("control", "denied", 200), said("treatment", "unknown", 500),
	}
	c := consentOf(t, equal...)
	a := c.Arms[0]
	if a.Granted != 950 || a.NotRequired != 50 || a.Unknown != 300 || a.Denied != 200 || a.Counted != 1000 || math.Abs(a.Share.Float()-2.0/3) > 1e-12 {
		t.Errorf("%+v", a)
	}
	if c.Repeats != 1 || c.Warns() || c.Require != "granted" {
		t.Errorf("%+v", c)
	}
	// 1,000 of 1,500 in control against 600 of 1,500: the counts are their own units.
	skewed := []results.Cell{
		units("control", 2, 1000), units("treatment", 2, 600), said("control", "granted", 1000), said("treatment", "granted", 600),
		said("control", "denied", 500), said("treatment", "denied", 900),
	}
	c = consentOf(t, skewed...)
	if !c.Rate.Alarm || c.All.Alarm || !c.Warns() || !strings.Contains(c.String(), "consent depends on the arm") {
		t.Errorf("%s: %+v", c.String(), c)
	}
	// The same numbers of units that come back forty times: no evidence any more.
	for i := range skewed[:2] {
		skewed[i] = units(skewed[i].Variant, 2, skewed[i].Open.N/40)
	}
	if c = consentOf(t, skewed...); c.Repeats != 40 || c.Warns() {
		t.Errorf("%+v", c)
	}
	if c = consentOf(t); c.Warns() || !math.IsNaN(c.Arms[0].Share.Float()) {
		t.Errorf("nothing was seen: %+v", c)
	}
	v, e := ramp()
	if d := results.Compute(v, e, 2, moments(equal...), statuses(), noon(), results.Options{}); d.Consents != nil {
		t.Error("nothing is asked")
	}
}
