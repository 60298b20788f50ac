package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/report"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/terminal"
	"github.com/assay-dev/assay/internal/words"
)

type analyzeCmd struct {
	Experiment []string `arg:"" optional:"" help:"Keys of experiments; none: all."`
	Iteration  uint32   `help:"Number of the iteration (default: the latest)." placeholder:"N"`
	Slow       bool     `help:"Compute quantiles, covariate-adjusted metrics and the placebo anew from stored events first; without it the last ones are shown with their age." xor:"past"`

	Plan bool `help:"Show instead how each question is answered: the method, why, and each gate with the number of units that would open it."`

	ByDay bool `name:"by-day" help:"Show the effects on goals by the day of exposure as well, and whether they drift." xor:"days"`

	Bayes   bool    `help:"Show posteriors as well: chance to be better, credible interval, expected loss. They do not control errors under repeated looks."`
	PriorSD float64 `name:"prior-sd" help:"With --bayes: standard deviation of a normal prior on the lift, such as 0.3 (default: a flat prior)." placeholder:"SD"`

	AsOf     string `help:"Show what the ledger gave at this time (RFC 3339), under the configuration of then." placeholder:"TIME" xor:"past,days"`
	AsOfLook string `help:"Compute a stored look anew, from the parts that it stands for." placeholder:"ID" xor:"past,days"`

	exploreFlags
}

// Run shows the newest look; it takes one when the ledger has moved on.
func (c analyzeCmd) Run(env *environment) error {
	if err := checkPrior(c.Bayes, c.PriorSD); err != nil {
		return err
	}
	return env.withVersion(func(s *app.Stack, v *experiment.Version) error {
		if c.asked() {
			return c.explore(env, s, v)
		}
		look := func(e *experiment.Experiment) (*results.Document, error) {
			return s.Look(env.ctx, v, e, c.Iteration, time.Now())
		}
		keys := c.Experiment
		if c.AsOf != "" || c.AsOfLook != "" {
			past, err := c.past(env, s, &keys)
			if err != nil {
				return err
			}
			v = &past.Version
			look = func(e *experiment.Experiment) (*results.Document, error) {
				return s.LookBack(env.ctx, past, e, c.Iteration)
			}
		}
		if len(keys) == 0 {
			for i := range v.Experiments {
				keys = append(keys, v.Experiments[i].Key)
			}
		}
		docs := make([]*results.Document, 0, len(keys))
		for _, key := range keys {
			e, err := find(v, key)
			if err != nil {
				return err
			}
			if c.Slow {
				if err := c.slow(env, s, v, e); err != nil {
					return err
				}
			}
			d, err := look(e)
			if err != nil {
				return err
			}
			if err := s.AddDated(env.ctx, e, d); err != nil {
				return err
			}
			if err := s.AddTogether(env.ctx, e, d); err != nil {
				return err
			}
			if c.Plan {
				d.Plan = results.PlanAnalysis(e, d)
			}
			if c.ByDay {
				if d.Days, err = s.ByDay(env.ctx, e, d.Iteration); err != nil {
					return err
				}
			}
			if c.Bayes {
				d.Beliefs = results.Believe(d, c.PriorSD)
			}
			docs = append(docs, d)
		}
		return env.print(docs, func() error {
			for i, d := range docs {
				if i > 0 {
					env.println("")
				}
				show := func() error { return report.Colour(env.out, d, env.paint) }
				if c.Plan {
					show = func() error { return report.PlanText(env.out, d) }
				}
				if err := show(); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// slow computes from stored events and tells how far it is.
func (c analyzeCmd) slow(env *environment, s *app.Stack, v *experiment.Version, e *experiment.Experiment) error {
	show := env.progress()
	defer show.End()
	ctx := clickhouse.Watched(env.ctx, func(done, total uint64) {
		show.Step(fmt.Sprintf("%s: %s rows of stored events", e.Key, words.Count(int64(done))), float64(done), float64(total))
	})
	return s.SlowNow(ctx, v, e, c.Iteration, time.Now())
}

// checkPrior wants a prior that is one, and only where it is used.
func checkPrior(bayes bool, sd float64) error {
	if sd == 0 || bayes && sd > 0 && !math.IsInf(sd, 1) {
		return nil
	}
	return usage(app.WithHint(fmt.Errorf("--prior-sd %v says nothing", sd), "it is a number above 0 and goes with --bayes"))
}

// past finds the point in history that was asked for. A look is of one iteration
// of one experiment.
func (c *analyzeCmd) past(env *environment, s *app.Stack, keys *[]string) (app.Past, error) {
	if c.AsOf != "" {
		at, err := time.Parse(time.RFC3339Nano, c.AsOf)
		if err != nil {
			return app.Past{}, usage(app.WithHint(fmt.Errorf("--as-of %q is not a time", c.AsOf), "write it like 2026-03-01T12:00:00Z"))
		}
		return s.PastAt(env.ctx, at)
	}
	past, look, err := s.PastLook(env.ctx, c.AsOfLook)
	if err != nil {
		return past, err
	}
	*keys, c.Iteration = []string{look.Experiment}, look.Iteration
	return past, nil
}

type explainCmd struct {
	Experiment string `arg:"" help:"Key of the experiment."`
	Unit       string `arg:"" help:"The unit's id, as producers send it."`
}

// Run tells what became of each event of a unit.
func (c explainCmd) Run(env *environment) error {
	return env.withVersion(func(s *app.Stack, v *experiment.Version) error {
		e, err := find(v, c.Experiment)
		if err != nil {
			return err
		}
		steps, err := s.Explain(env.ctx, v, e, c.Unit)
		if err != nil {
			return err
		}
		return env.print(steps, func() error {
			if len(steps) == 0 {
				env.println("no event of %s %q is stored", e.UnitKind, c.Unit)
			}
			_, err := fmt.Fprint(env.out, explainTable(steps, env.paint))
			return err
		})
	})
}

// explainTable has a line for each event.
func explainTable(steps []app.Explained, p terminal.Palette) string {
	var rows []string
	for _, st := range steps {
		finding := p.Tone(findingTone(ingest.Finding(st.Finding)), strings.ReplaceAll(st.Finding, "_", " "))
		rows = append(rows, strings.Join([]string{time.UnixMilli(st.T).UTC().Format("2006-01-02 15:04:05.000"), kind(st), st.What, finding, st.Why}, "\t"))
	}
	return terminal.Table("TIME, UTC\tTYPE\tEVENT\tWHAT BECAME OF IT\tWHY", rows)
}

// findingTone lets what counts and what was lost stand out from what takes no part.
func findingTone(f ingest.Finding) string {
	switch f {
	case ingest.FoundFirst, ingest.FoundCounted:
		return "good"
	case ingest.FoundCrossover, ingest.FoundExcluded, ingest.FoundLeftOut, ingest.FoundUnknown, ingest.FoundOtherKind, ingest.FoundMisplaced, ingest.FoundRefused:
		return "warn"
	}
	return "none"
}

func kind(st app.Explained) string {
	switch {
	case st.Finding == app.ErasedUnit:
		return "erasure"
	case st.Type == ingest.Exposure:
		return "exposure"
	}
	return "outcome"
}
