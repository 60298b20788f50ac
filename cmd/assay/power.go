package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/planning"
	"github.com/assay-dev/assay/internal/report"
)

type powerCmd struct {
	Experiment string `arg:"" help:"An experiment's file, or the key of one in the ledger."`

	Metric    []string `help:"With a file: what is known of a metric beforehand, its mean and one unit's standard deviation; a share of units needs its mean alone. May be repeated." placeholder:"NAME=MEAN[,SD]" sep:"none"`
	Lift      string   `help:"Effect to be found, as a share of the control's mean." default:"5%" placeholder:"5%"`
	Power     string   `help:"Chance to find it." default:"80%" placeholder:"80%"`
	Looks     int      `help:"Also plan for so many dated looks, evenly spaced, that spend alpha like O'Brien and Fleming (1 to 50; default: as many as the file dates)." placeholder:"N"`
	PerDay    float64  `help:"New units a day of all arms together (default: as seen in the ledger)." placeholder:"N"`
	Iteration uint32   `help:"With a key: number of the iteration whose variances are taken (default: the latest)." placeholder:"N"`
}

// Help shows the two ways to ask.
func (powerCmd) Help() string {
	return manual("Plans: how many units and days an effect needs. Before an experiment from its file and what you know of its metrics; while it runs, or from an earlier run, by the variances in the ledger. For guardrails it says which units it takes until they are healthy, which a ramp waits for at each step. Units are those of one arm and the control together. docs/power.md says what to choose.",
		[]string{"assay power experiments/checkout-cta.yaml --metric conversion=4% --metric spend=20,50 --lift 5% --per-day 12000",
			"assay power checkout-cta --lift 3% --power 90% --looks 5"})
}

// Run answers from the file, or from the newest look.
func (c powerCmd) Run(env *environment) error {
	q, err := c.question()
	if err != nil {
		return usage(err)
	}
	info, err := os.Stat(c.Experiment)
	switch {
	case err == nil && !info.IsDir():
		return c.fromFile(env, q)
	case err != nil && !errors.Is(err, fs.ErrNotExist), filepath.Ext(c.Experiment) == ".yaml", filepath.Ext(c.Experiment) == ".yml":
		return usage(app.WithHint(fmt.Errorf("%s is no file that can be read", c.Experiment), "name an experiment's file, or the key of one in the ledger"))
	case len(c.Metric) > 0:
		return usage(app.WithHint(errors.New("--metric goes with an experiment's file"), "with a key, means and variances come from the ledger"))
	}
	return c.fromLedger(env, q)
}

// question reads the flags.
func (c powerCmd) question() (planning.Question, error) {
	q := planning.Question{Looks: c.Looks}
	var err error
	if q.Lift, err = share("--lift", c.Lift); err != nil {
		return q, err
	}
	if q.Power, err = share("--power", c.Power); err != nil {
		return q, err
	}
	switch {
	case !(q.Lift > 0):
		return q, app.WithHint(fmt.Errorf("--lift %s is not above 0", c.Lift), "write the size of the effect, such as 5%; its direction does not matter")
	case !(q.Power > 0 && q.Power < 1):
		return q, app.WithHint(fmt.Errorf("--power %s is not between 0%% and 100%%", c.Power), "80% or 90% are usual")
	case c.Looks < 0 || c.Looks > experiment.MaxLooks:
		return q, app.WithHint(fmt.Errorf("--looks %d is not between 1 and %d", c.Looks, experiment.MaxLooks), "leave it out to compare one look with looking always")
	case c.PerDay < 0 || math.IsNaN(c.PerDay) || math.IsInf(c.PerDay, 0):
		return q, app.WithHint(fmt.Errorf("--per-day %v is no number of units", c.PerDay), "write the units of all arms together that enter on a day")
	}
	return q, nil
}

// share reads 5% or 0.05.
func share(flag, text string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, app.WithHint(fmt.Errorf("%s: %q is not a number", flag, text), "write 5% or 0.05")
	}
	if percent {
		v /= 100
	}
	return v, nil
}

// given reads --metric NAME=MEAN[,SD] for the metrics of an iteration.
func (c powerCmd) given(it *experiment.Iteration) (map[string]planning.Given, error) {
	out := map[string]planning.Given{}
	var names []string
	for i := range it.Metrics {
		names = append(names, it.Metrics[i].Name)
	}
	if len(c.Metric) == 0 {
		return nil, app.WithHint(fmt.Errorf("nothing is known of the metrics %s", strings.Join(names, ", ")),
			"add --metric NAME=MEAN,SD (a share of units: --metric NAME=4%), or name the key of an experiment in the ledger")
	}
	for _, text := range c.Metric {
		name, numbers, ok := strings.Cut(text, "=")
		if !ok {
			return nil, app.WithHint(fmt.Errorf("--metric %s says no mean", text), "write --metric conversion=4% or --metric spend=20,50")
		}
		m := it.Metric(name)
		if m == nil {
			return nil, app.WithHint(fmt.Errorf("the experiment has no metric %s", name), "it has "+strings.Join(names, ", "))
		}
		g, err := givenOf(m, numbers)
		if err != nil {
			return nil, err
		}
		out[name] = g
	}
	return out, nil
}

// givenOf reads MEAN[,SD] and holds it against what the metric can be.
func givenOf(m *experiment.Metric, numbers string) (g planning.Given, err error) {
	mean, sd, hasSD := strings.Cut(numbers, ",")
	if g.Mean, err = share("--metric "+m.Name, mean); err != nil {
		return g, err
	}
	g.SD = math.NaN()
	if hasSD {
		if g.SD, err = share("--metric "+m.Name, sd); err != nil {
			return g, err
		}
	}
	switch {
	case m.Kind.Binary() && !(g.Mean > 0 && g.Mean < 1):
		return g, app.WithHint(fmt.Errorf("%s is a share of units and cannot be %s", m.Name, mean), "write a share between 0% and 100%")
	case m.Kind.Binary() && hasSD:
		return g, app.WithHint(fmt.Errorf("%s is a share of units: its deviation follows from its mean", m.Name), "write --metric "+m.Name+"="+mean)
	case m.Kind.Binary():
	case g.Mean == 0:
		return g, app.WithHint(fmt.Errorf("a lift of %s cannot be a share of a mean of 0", m.Name), "write the control's mean")
	case !(g.SD > 0):
		return g, app.WithHint(fmt.Errorf("the standard deviation of one unit's %s must be above 0", m.Name),
			"write --metric "+m.Name+"="+mean+",SD, over all exposed units, those with 0 too")
	}
	return g, nil
}

// fromFile plans an experiment that may not have begun.
func (c powerCmd) fromFile(env *environment, q planning.Question) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	files, err := app.Files(cfg)
	if err != nil {
		return usage(err)
	}
	data, err := os.ReadFile(c.Experiment)
	if err != nil {
		return usage(fmt.Errorf("read %s: %w", c.Experiment, err))
	}
	// Of the folders only the metrics matter.
	files = slices.DeleteFunc(files, func(f experiment.File) bool { return filepath.Dir(f.Name) != filepath.Clean(cfg.Metrics) })
	set, problems := experiment.Parse(append(files, experiment.File{Name: c.Experiment, Data: data}))
	if err := problems.Err(); err != nil {
		return usage(app.WithHint(err, "metrics are read from "+cfg.Metrics+"; --metrics DIR names another folder"))
	}
	v, _, problems := experiment.Apply(nil, set, time.Now(), "")
	if err := problems.Err(); err != nil {
		return usage(err)
	}
	if len(v.Experiments) != 1 {
		return usage(app.WithHint(fmt.Errorf("%s is no experiment", c.Experiment), "an experiment's file begins with key:"))
	}
	e := &v.Experiments[0]
	given, err := c.given(e.Latest())
	if err != nil {
		return usage(err)
	}
	return c.answer(env, e, q, e.Latest(), planning.FromFile(e, given, c.PerDay), false)
}

// fromLedger plans by what was seen.
func (c powerCmd) fromLedger(env *environment, q planning.Question) error {
	return env.withVersion(func(s *app.Stack, v *experiment.Version) error {
		e, err := find(v, c.Experiment)
		if err != nil {
			return err
		}
		d, err := s.Look(env.ctx, v, e, c.Iteration, time.Now())
		if err != nil {
			return err
		}
		for i := range e.Iterations {
			if it := &e.Iterations[i]; it.Number == d.Iteration {
				return c.answer(env, e, q, it, planning.FromLook(e, it, d, c.PerDay), true)
			}
		}
		return fmt.Errorf("experiment %s has no iteration %d", e.Key, d.Iteration)
	})
}

// answer prints the plan.
func (c powerCmd) answer(env *environment, e *experiment.Experiment, q planning.Question, it *experiment.Iteration, comparisons []planning.Comparison, seen bool) error {
	if q.Looks == 0 {
		q.Looks = len(e.DatesOf(it))
	}
	p := &report.Power{Experiment: e.Key, Answers: []planning.Answer{}, Missing: planning.MissingOf(it, comparisons, seen)}
	p.Guardrails = planning.HealthyAll(e, comparisons, q.Power)
	for _, comparison := range comparisons {
		p.Answers = append(p.Answers, planning.Plan(comparison, q))
	}
	return env.print(p, func() error { return report.PowerText(env.out, p) })
}
