package bucketing

import (
	"math"
	"testing"
)

// GrowthBook's own cases (packages/sdk-js/test/cases.json, specVersion 0.8.0: hash).
func TestGrowthBookHash(t *testing.T) {
	for _, c := range []struct {
		seed, value string
		version     int
		want        float64
	}{
		{"", "a", 1, 0.22}, {"seed", "a", 2, 0.0505}, {"seed", "b", 2, 0.2696}, {"foo", "ab", 2, 0.2575}, {"foo", "def", 2, 0.2019},
	} {
		for _, d := range []Dialect{UTF8, UTF16} {
			if got, ok := GrowthBook(d, c.version, c.seed, c.value); !ok || got != c.want {
				t.Errorf("%s %+v: %v", d, c, got)
			}
		}
	}
	if _, ok := GrowthBook(UTF8, 99, "a", "b"); ok {
		t.Error("version 99 is known")
	}
}

// Coverage grows inside each variation's own stretch.
func TestGrowthBookRanges(t *testing.T) {
	for _, c := range []struct {
		coverage float64
		weights  []float64
		want     []Range
	}{
		{1, []float64{0.5, 0.5}, []Range{{0, 0.5}, {0.5, 1}}},
		{0.5, []float64{0.5, 0.5}, []Range{{0, 0.25}, {0.5, 0.75}}},
		{1, []float64{0.4, 0.1}, []Range{{0, 0.5}, {0.5, 1}}},
		{-1, []float64{0.4, 0.6}, []Range{{0, 0}, {0.4, 0.4}}},
		{2, []float64{0.4, 0.6}, []Range{{0, 0.4}, {0.4, 1}}},
	} {
		got := GrowthBookRanges(2, c.coverage, c.weights)
		for i := range got {
			if math.Abs(got[i].From-c.want[i].From) > 1e-12 || math.Abs(got[i].To-c.want[i].To) > 1e-12 {
				t.Errorf("%v %v: %v", c.coverage, c.weights, got)
			}
		}
	}
	if Choose(0.3, []Range{{0, 0.25}, {0.5, 0.75}}) != -1 || Choose(0.5, []Range{{0, 0.25}, {0.5, 0.75}}) != 1 {
		t.Error("a bucket between ranges, or on a border")
	}
}

// Unleash's documented values (unleash-client-node, test/strategy/util.test.ts).
func TestUnleashValues(t *testing.T) {
	for _, c := range []struct {
		group, unit string
		seed, want  uint32
	}{
		{"gr1", "123", 0, 73}, {"groupX", "999", 0, 25}, {"gr1", "123", unleashVariants, 96}, {"groupX", "999", unleashVariants, 60},
	} {
		if got := Unleash(UTF8, c.group, c.unit, 100, c.seed); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// LaunchDarkly's vectors (go-server-sdk-evaluation, evaluator_bucketing_test.go).
func TestLaunchDarklyBuckets(t *testing.T) {
	for _, c := range []struct {
		prefix, unit string
		want         float64
	}{
		{"hashKey.saltyA", "userKeyA", 0.42157587}, {"hashKey.saltyA", "userKeyB", 0.6708485}, {"hashKey.saltyA", "userKeyC", 0.10343106}, {"61", "userKeyA", 0.09801207},
	} {
		if got := LaunchDarkly(c.prefix, c.unit); math.Abs(float64(got)-c.want) > 1e-7 {
			t.Errorf("%s of %s: %v, want %v", c.unit, c.prefix, got, c.want)
		}
	}
	for bucket, want := range map[float32]int{0: 0, 0.1: 1, 0.299: 1, 0.3: 2, 0.99999: 2} {
		if got := LaunchDarklyVariation(bucket, []uint32{10_000, 20_000, 69_000}); got != want {
			t.Errorf("bucket %v: variation %d", bucket, got)
		}
	}
}

// flagd's buckets of a hundred (flagd-testbed, evaluator/gherkin/fractional.feature, v2).
func TestFlagdBuckets(t *testing.T) {
	weights := make([]uint32, 100)
	for i := range weights {
		weights[i] = 1
	}
	for key, want := range map[string]int{"jon@company.com": 36, "user1": 76} {
		if got := Flagd(key, weights); got != want {
			t.Errorf("%s: %d, want %d", key, got, want)
		}
	}
	if Flagd("x", nil) != -1 {
		t.Error("without weights there is a variant")
	}
}

// Within ASCII all dialects are one.
func TestDialects(t *testing.T) {
	for _, d := range []Dialect{UTF16, LowByte} {
		if string(d.bytes("user-1")) != "user-1" {
			t.Errorf("%s: %q", d, d.bytes("user-1"))
		}
	}
	if got := LowByte.bytes("日"); len(got) != 1 || got[0] != 0xe5 {
		t.Errorf("the low byte of U+65E5: %x", got)
	}
	if got := UTF16.units("👩"); len(got) != 2 || got[0] != 0xd83d {
		t.Errorf("two units: %x", got)
	}
}

func BenchmarkGrowthBook(b *testing.B) {
	weights := []float64{0.5, 0.5}
	for b.Loop() {
		GrowthBookVariation(UTF8, "cta-seed", "user-123456", 1, weights)
	}
}

func BenchmarkUnleash(b *testing.B) {
	weights := []uint32{500, 500}
	for b.Loop() {
		UnleashVariant(UTF8, "cta", "user-123456", weights)
	}
}
