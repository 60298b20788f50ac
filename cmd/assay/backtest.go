package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/words"
)

type backtestCmd struct {
	Experiment []string `arg:"" optional:"" help:"Keys of experiments; none: all that count the rules' metrics."`
	Iteration  uint32   `help:"Number of the iteration (default: the latest)." placeholder:"N"`

	Rules string `help:"File with the rules to try: guardrails: as in an experiment file, and alpha_kill:." type:"existingfile" placeholder:"FILE" xor:"rules"`

	Metric    string `help:"One rule to try, in place of a file: its metric …" placeholder:"NAME" xor:"rules"`
	Margin    string `help:"… its margin (0, 0.01 or 2%) …" placeholder:"MARGIN"`
	Mode      string `help:"… its mode …" enum:"observe,notify,kill" default:"kill"`
	Method    string `help:"… its method …" enum:",mean,count" default:""`
	Hold      string `help:"… its hold time …" placeholder:"30s"`
	MinUnits  string `help:"… and its gates." placeholder:"N"`
	MinEvents string `help:"… and its gates." placeholder:"N"`

	Every  time.Duration `help:"Time between the looks that are judged (default: a thousandth of the iteration, 1m at least)." placeholder:"1m"`
	Ledger bool          `help:"Compute the looks anew, from the ledger as it stood, in place of reading those that the guard stored."`
}

// Help says what the answer rests on.
func (backtestCmd) Help() string {
	return manual("Plays the history of experiments again under other guardrails: when would they have fired, what would that have spared, would it have been right. docs/guardrails.md says what each number means.",
		[]string{"assay backtest checkout-cta --rules stricter.yaml", "assay backtest --metric errors --margin 10% --hold 30s"})
}

// Run plays each experiment and sums up.
func (c backtestCmd) Run(env *environment) error {
	rules, err := c.rules()
	if err != nil {
		return usage(err)
	}
	return env.withVersion(func(s *app.Stack, v *experiment.Version) error {
		keys, chosen := c.Experiment, len(c.Experiment) > 0
		if !chosen {
			for i := range v.Experiments {
				keys = append(keys, v.Experiments[i].Key)
			}
		}
		var all []app.Backtest
		for _, key := range keys {
			e, err := find(v, key)
			if err != nil {
				return err
			}
			b, err := s.Backtest(env.ctx, v, e, c.Iteration, c.options(env, key, rules), time.Now())
			switch {
			case err != nil && chosen:
				return err
			case err != nil:
				_, _ = fmt.Fprintf(env.err, "assay: warning: %s is left out: %v\n", key, err)
				continue
			}
			all = append(all, b)
		}
		return env.print(all, func() error {
			for i := range all {
				env.println("%s", backtestText(&all[i]))
			}
			env.println("%s", backtestSum(all))
			return nil
		})
	})
}

func (c backtestCmd) options(env *environment, key string, rules *experiment.GuardrailRules) app.BacktestOptions {
	said := time.Now()
	return app.BacktestOptions{Rules: rules, Every: c.Every, Ledger: c.Ledger, Progress: func(at time.Time, looks int) {
		if time.Since(said) > 2*time.Second { // work that is done by then needs no telling
			said = time.Now()
			_, _ = fmt.Fprintf(env.err, "%s: %d looks, at %s\n", key, looks, words.Instant(at))
		}
	}}
}

// rules reads the file or the flags; nil: those that ran.
func (c backtestCmd) rules() (*experiment.GuardrailRules, error) {
	file := experiment.File{Name: c.Rules}
	switch {
	case c.Rules != "":
		b, err := os.ReadFile(c.Rules)
		if err != nil {
			return nil, fmt.Errorf("read the rules: %w", err)
		}
		file.Data = b
	case c.Metric != "":
		if c.Margin == "" {
			return nil, app.WithHint(errors.New("--metric needs --margin"), "write 0, 0.01 (in the metric's unit) or 2% (of the control's mean)")
		}
		file = c.flags()
	case c.Margin+c.Method+c.Hold+c.MinUnits+c.MinEvents != "":
		return nil, app.WithHint(errors.New("a rule needs --metric"), "name it, or write the rules into a file and name that with --rules")
	default:
		return nil, nil
	}
	rules, problems := experiment.ParseRules(file)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return &rules, nil
}

// flags are the rule as a file would have it, so that it is checked like one.
func (c backtestCmd) flags() experiment.File {
	text := fmt.Sprintf("guardrails:\n  - metric: %s\n    margin: %s\n    mode: %s\n", c.Metric, c.Margin, c.Mode)
	for _, f := range [][2]string{{"method", c.Method}, {"hold", c.Hold}, {"min_units", c.MinUnits}, {"min_events", c.MinEvents}} {
		if f[1] != "" {
			text += fmt.Sprintf("    %s: %s\n", f[0], f[1])
		}
	}
	return experiment.File{Name: "the flags", Data: []byte(text)}
}

func backtestText(b *app.Backtest) string {
	var out strings.Builder
	source := "stored looks"
	if b.Source == "ledger" {
		source = "looks computed from the ledger as it stood"
	}
	fmt.Fprintf(&out, "%s · iteration %d of %d · %d %s from %s to %s, one each %s · false kills at most %.3g %%\n",
		b.Experiment, b.Iteration, b.Iterations, b.Looks, source, words.Instant(b.From), words.Instant(b.To), b.Every, 100*b.AlphaKill)
	for i := range b.Rules {
		out.WriteString(ruleText(&b.Rules[i]))
	}
	switch {
	case b.Kill != nil:
		fmt.Fprintf(&out, "  it would have been turned off at %s by %s in %s", words.Instant(b.Kill.At), b.Kill.Metric, b.Kill.Arm)
	default:
		out.WriteString("  it would not have been turned off")
	}
	if b.Killed {
		fmt.Fprintf(&out, "; it was, at %s, so nothing later is known", words.Instant(b.Ended))
	}
	return out.String()
}

func ruleText(r *guardrails.BacktestRule) string {
	var out strings.Builder
	fmt.Fprintf(&out, "  %s in %s (%s, method %s, margin %s, level %.3g)\n", r.Metric, r.Arm, r.Mode, r.Method, marginText(r), r.Alpha)
	if r.Fired == nil {
		fmt.Fprintf(&out, "    never fired; today %s\n", outcomeText(r.Outcome, false))
	} else {
		fmt.Fprintf(&out, "    fired at %s: %s\n    today %s\n", words.Instant(r.Fired.At), r.Fired.Text, outcomeText(r.Outcome, true))
	}
	if a := r.Avoided; a != nil && a.Harm.Known() {
		fmt.Fprintf(&out, "    spared until %s: %.4g %s × %.4g = %.4g, interval %.4g to %.4g\n",
			words.Instant(a.Until), a.Base, a.Of, a.Each, a.Harm, a.Low, a.High)
	}
	for _, d := range r.Ran {
		fmt.Fprintf(&out, "    what ran: %s at %s (%s)\n", d.Act, words.Instant(d.At), d.Reason)
	}
	if len(r.Ran) == 0 {
		out.WriteString("    what ran decided nothing about it\n")
	}
	return out.String()
}

func marginText(r *guardrails.BacktestRule) string {
	if r.Relative {
		return fmt.Sprintf("%.4g %%", 100*r.Margin)
	}
	return fmt.Sprintf("%.4g", r.Margin)
}

func outcomeText(o guardrails.Outcomes, fired bool) string {
	switch {
	case o == guardrails.Confirmed:
		return "harm beyond the margin is shown by the units with complete windows"
	case o == guardrails.Refuted && fired:
		return "harm as large as the margin is refuted: a FALSE stop"
	case o == guardrails.Refuted:
		return "harm as large as the margin is refuted"
	}
	return "neither harm beyond the margin nor its absence is shown"
}

// backtestSum counts over experiments, rules and arms.
func backtestSum(all []app.Backtest) string {
	rules, fired, missed := 0, map[guardrails.Outcomes]int{}, 0
	for i := range all {
		for _, r := range all[i].Rules {
			rules++
			switch {
			case r.Fired != nil:
				fired[r.Outcome]++
			case r.Outcome == guardrails.Confirmed:
				missed++
			}
		}
	}
	return fmt.Sprintf("%d iterations, %d rules × arms: %d fired rightly, %d falsely, %d undecided; %d did not fire where harm is shown today",
		len(all), rules, fired[guardrails.Confirmed], fired[guardrails.Refuted], fired[guardrails.Open], missed)
}
