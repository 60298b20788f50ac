package results

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// AnalysisWish is a definition as people write it, on the command line, in a form or in
// a request; what is empty leaves the plan as it is.
type AnalysisWish struct {
	Window    string            // such as 14d
	Cap       string            // a number, or a percentile such as p99
	Where     map[string]string // attributes of the first exposure
	From      string            // first exposures from then on, RFC 3339
	Until     string            // first exposures before then
	Files     []experiment.File // metric files, in place of the planned metrics
	Only      []string          // planned metrics
	Quantiles map[string]string // of planned means and sums, such as 0.9
}

// WishError says what of a wish cannot be read, and how to write it.
type WishError struct{ text, hint string }

// Error implements error.
func (e *WishError) Error() string { return e.text }

// Hint says how to write it.
func (e *WishError) Hint() string { return e.hint }

func unread(hint, format string, args ...any) error {
	return &WishError{fmt.Sprintf(format, args...), hint}
}

// Definition reads the wish for an iteration of an experiment.
func (w AnalysisWish) Definition(e *experiment.Experiment, it *experiment.Iteration) (d AnalysisDefinition, err error) {
	if len(w.Where) > 0 {
		d.Where = experiment.Condition(maps.Clone(w.Where))
	}
	d.Only = w.Only
	if w.Window != "" {
		if d.Window, err = experiment.ParseDuration(w.Window); err != nil || d.Window <= 0 {
			return d, unread("write it like 14d or 90m", "%q is not a window", w.Window)
		}
	}
	if d.Cap, err = parseCap(w.Cap); err != nil {
		return d, err
	}
	if d.From, err = parseInstant(w.From); err != nil {
		return d, err
	}
	if d.Until, err = parseInstant(w.Until); err != nil {
		return d, err
	}
	if d.Metrics, err = parseMetrics(w.Files); err != nil {
		return d, err
	}
	quantiles, err := w.quantiles(e, it)
	d.Metrics = append(d.Metrics, quantiles...)
	return d, err
}

// parseInstant reads a time; "" is none.
func parseInstant(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, unread("write it like 2026-03-01T12:00:00Z", "%q is not a time", text)
	}
	return t, nil
}

// parseCap reads a number or a percentile; "" is none.
func parseCap(text string) (*experiment.Cap, error) {
	percentile, is := strings.CutPrefix(text, "p")
	value, err := strconv.ParseFloat(percentile, 64)
	switch {
	case text == "":
		return nil, nil
	case err != nil || !(value > 0) || is && value >= 100 || strings.ContainsAny(text, "xXeEiInN_"):
		return nil, unread("write a number above 0 such as 250, or a percentile such as p99", "%q is not a cap", text)
	case is:
		return &experiment.Cap{Percentile: value}, nil
	}
	return &experiment.Cap{At: text}, nil
}

func parseMetrics(files []experiment.File) ([]experiment.Metric, error) {
	if len(files) == 0 {
		return nil, nil
	}
	set, problems := experiment.Parse(files)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return set.Metrics(), nil
}

// quantiles are made of planned metrics.
func (w AnalysisWish) quantiles(e *experiment.Experiment, it *experiment.Iteration) ([]experiment.Metric, error) {
	var out []experiment.Metric
	for _, name := range slices.Sorted(maps.Keys(w.Quantiles)) {
		q, err := strconv.ParseFloat(w.Quantiles[name], 64)
		if err != nil || !(q > 0 && q < 1) {
			return nil, unread("write it like revenue=0.9", "%s=%s is not a quantile", name, w.Quantiles[name])
		}
		m := it.Metric(name)
		if m == nil || m.Kind != experiment.Mean && m.Kind != experiment.Sum && m.Kind != experiment.Quantile {
			return nil, unread("write a metric file of kind quantile", "%s has no mean or sum %q to take a quantile of", e.Key, name)
		}
		own := *m
		own.Name, own.Kind, own.Quantile, own.Cap, own.Covariate = fmt.Sprintf("%s_q%s", name, w.Quantiles[name]), experiment.Quantile, q, nil, ""
		out = append(out, own)
	}
	return out, nil
}
