package app

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/planning"
)

// seenSince is how far back an event of a metric must have come.
const seenSince = 14 * 24 * time.Hour

// ReadyQuestion is what readiness is asked for.
type ReadyQuestion struct {
	Key   string
	Power planning.Question
	Given map[string]planning.Given // of metrics that no earlier iteration tells of
}

// Ready computes it for an experiment as its file would be applied now.
func (s *Stack) Ready(ctx context.Context, set *experiment.Set, q ReadyQuestion, now time.Time) (governance.Readiness, error) {
	out := governance.Readiness{Experiment: q.Key, At: now.UTC(), Items: []governance.Item{}}
	current, err := s.DB.Version(ctx)
	if err != nil {
		return out, fmt.Errorf("read the configuration in force: %w", err)
	}
	next, err := wouldBe(&current, set, now)
	if err != nil {
		return out, err
	}
	e := next.Find(q.Key)
	if e == nil {
		return out, WithHint(fmt.Errorf("no file is of an experiment %q", q.Key), fmt.Sprintf("there are: %v", set.Keys()))
	}
	return s.readyAs(ctx, &current, next, e, q, now)
}

// readyAs computes it of an experiment as it is, or would be, in a version.
func (s *Stack) readyAs(ctx context.Context, current, v *experiment.Version, e *experiment.Experiment, q ReadyQuestion, now time.Time) (governance.Readiness, error) {
	out := governance.Readiness{Experiment: e.Key, At: now.UTC()}
	f := governance.Facts{Experiment: e, Others: v.Experiments, At: now, Lift: q.Power.Lift, Target: q.Power.Power, Sensitive: s.Config.Governance.Sensitive}
	var err error
	if f.Seen, err = s.eventsSeen(ctx, e, now); err != nil {
		return out, err
	}
	if f.Trials, err = s.trials(ctx, e); err != nil {
		return out, err
	}
	if f.Powers, err = s.powers(ctx, current, e, q, now); err != nil {
		return out, err
	}
	out.Items = governance.Ready(f)
	out.Ready = !slices.ContainsFunc(out.Items, func(i governance.Item) bool { return i.Ready == governance.No })
	return out, nil
}

// readyEvery is how long an answer on readiness serves other readers: it asks the flag
// system and the stored events.
const readyEvery = time.Minute

// readyWithin bounds it.
const readyWithin = 20 * time.Second

// readyCache holds answers; whoever asks while one is made waits for it.
type readyCache struct {
	mu   sync.Mutex
	held map[readyOf]*heldReady
}

type readyOf struct {
	key         string
	lift, power float64
}

type heldReady struct {
	mu      sync.Mutex
	version uint32
	answer  governance.Readiness
}

func (c *readyCache) of(q readyOf) *heldReady {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil || len(c.held) >= detailsHeld && c.held[q] == nil {
		c.held = map[readyOf]*heldReady{}
	}
	if c.held[q] == nil {
		c.held[q] = &heldReady{}
	}
	return c.held[q]
}

// Readiness is that of an experiment as it is in force.
func (c *Catalog) Readiness(ctx context.Context, key string, lift, power float64) (governance.Readiness, error) {
	e, _, err := c.find(ctx, key, 0)
	if err != nil {
		return governance.Readiness{}, err
	}
	v, err := c.Version(ctx)
	if err != nil {
		return governance.Readiness{}, err
	}
	held := c.readiness.of(readyOf{key, lift, power})
	held.mu.Lock()
	defer held.mu.Unlock()
	now := c.now()
	if held.version == v.Number && now.Sub(held.answer.At) < readyEvery {
		return held.answer, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	r, err := c.stack.readyAs(ctx, v, v, e, ReadyQuestion{Key: key, Power: planning.Question{Lift: lift, Power: power}}, now)
	if err != nil {
		return r, err
	}
	held.version, held.answer = v.Number, r
	return r, nil
}

// wouldBe is the version that an apply would make now; what is in force where nothing
// changes.
func wouldBe(current *experiment.Version, set *experiment.Set, now time.Time) (*experiment.Version, error) {
	previous := current
	if current.Number == 0 {
		previous = nil
	}
	next, _, problems := experiment.Apply(previous, set, now, "")
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if next == nil {
		return current, nil
	}
	return next, nil
}

func (s *Stack) eventsSeen(ctx context.Context, e *experiment.Experiment, now time.Time) (map[string]governance.Seen, error) {
	out := map[string]governance.Seen{}
	names := governance.EventsOf(e.Latest())
	if len(names) == 0 {
		return out, nil
	}
	rows, err := s.DB.OutcomesSeen(ctx, names, now.Add(-seenSince))
	if err != nil {
		return nil, fmt.Errorf("look for the metrics' events: %w", err)
	}
	for _, r := range rows {
		out[r.Event] = governance.Seen{Count: r.Count, Last: r.Last}
	}
	return out, nil
}

// trials tries the switch without a write; nil where it is not configured here.
func (s *Stack) trials(ctx context.Context, e *experiment.Experiment) ([]governance.Trial, error) {
	if e.KillSwitch == "" {
		return nil, nil
	}
	all, err := s.allSwitches()
	if err != nil || e.KillSwitch != experiment.OwnSwitch && all.named[e.KillSwitch] == nil {
		return nil, err
	}
	out := []governance.Trial{}
	for _, t := range all.try(ctx, e) {
		trial := governance.Trial{Arm: t.Arm, Remedy: t.Remedy}
		if t.Err != nil {
			trial.Trouble = t.Err.Error()
		}
		out = append(out, trial)
	}
	if it := e.Latest(); it != nil && it.Ramp != nil {
		if why := all.CannotSet(e.KillSwitch, it.Ramp); why != "" {
			out = append(out, governance.Trial{Ramp: true, Trouble: why, Remedy: "docs/ramps.md says who can ramp"})
		}
	}
	return out, nil
}

// powers come from the iteration in force, if it was counted, else from what is given.
func (s *Stack) powers(ctx context.Context, current *experiment.Version, e *experiment.Experiment, q ReadyQuestion, now time.Time) ([]governance.Power, error) {
	comparisons := planning.FromFile(e, q.Given, 0)
	if was := current.Find(e.Key); was != nil && len(q.Given) == 0 {
		d, err := s.Look(ctx, current, was, 0, now)
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", e.Key, err)
		}
		for i := range was.Iterations {
			if it := &was.Iterations[i]; it.Number == d.Iteration {
				comparisons = planning.FromLook(was, it, d, 0)
			}
		}
	}
	var out []governance.Power
	for _, goal := range e.Goals {
		for _, v := range e.Variants {
			if v.Key == e.Control {
				continue
			}
			p := governance.Power{Metric: goal, Arm: v.Key, At: math.NaN()}
			for _, c := range comparisons {
				if c.Metric == goal && c.Arm == v.Key {
					if e.PlannedUnits > 0 {
						c.Plan = float64(e.PlannedUnits)
					}
					p.At = planning.Plan(c, q.Power).Fixed.PlanPower.Float()
				}
			}
			out = append(out, p)
		}
	}
	return out, nil
}
