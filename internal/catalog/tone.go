package catalog

import (
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Tone is whether something is good news.
type Tone string

// The tones.
const (
	Good    Tone = "good"
	Bad     Tone = "bad"
	Warn    Tone = "warn" // somebody has to look
	Neutral Tone = "none"
)

// EffectTone says whether the always-valid interval shows good, bad or nothing.
func EffectTone(e results.Estimate, direction string) Tone {
	return intervalTone(e.Absolute.Sequential, direction)
}

func intervalTone(i results.Interval, direction string) Tone {
	up := i.Low.Known() && i.Low.Float() > 0
	down := i.High.Known() && i.High.Float() < 0
	if up == down {
		return Neutral
	}
	return toneOf(up, direction)
}

// AdjustedTone is that of EffectTone, within the family. An interval that ends at 0
// lies on one side of it.
func AdjustedTone(e results.AdjustedEffect, direction string) Tone {
	if !e.Rejected {
		return Neutral
	}
	return toneOf(e.Absolute.Low.Known() && e.Absolute.Low.Float() >= 0, direction)
}

func toneOf(up bool, direction string) Tone {
	if up == (direction == string(experiment.Increase)) {
		return Good
	}
	return Bad
}

// VerdictTone is that of a guardrail's verdict.
func VerdictTone(verdict string) Tone {
	switch verdict {
	case "healthy":
		return Good
	case "breached":
		return Bad
	case "blind", "error":
		return Warn
	}
	return Neutral
}
