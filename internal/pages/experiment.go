package pages

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/report"
	"github.com/assay-dev/assay/internal/results"
)

// shown is the page of an experiment.
type shown struct {
	catalog.Detail
	Reasons   []catalog.Reason // what the decision rests on, what is wrong first
	Waits     []catalog.Reason // what is planned, and what it waits for
	Groups    []metricGroup
	Histories []history
	Timeline  template.HTML
	Splits    []split
	Signals   []signal
	Segments  []segmentation
	Doubts    []string
	Sections  []report.Section
	Decisions []guardrails.Entry // newest first
	Stopped   *stop
	May       mayDo
	Alarms    []uint16 // phases whose broken split nobody has acknowledged
}

// mayDo is what the reader may do to the experiment, and whether it can be done now.
type mayDo struct {
	Kill, Resume, Snooze, Acknowledge, Annotate    bool
	ApproveRamp, ResumeRamp, PauseRamp, RevertRamp bool
}

// stop is why and how an iteration was ended by its switch.
type stop struct {
	Why   string
	By    string
	Steps []step
}

// step is one step of a kill; it may not have come yet.
type step struct {
	Name string
	At   string
	Done bool
}

func (p *Pages) experiment(w http.ResponseWriter, r *http.Request) error {
	number, err := iterationIn(r)
	if err != nil {
		return err
	}
	d, err := p.cfg.Reader.Detail(r.Context(), r.PathValue("key"), number)
	if err != nil {
		return err
	}
	past, err := p.cfg.Reader.Past(r.Context(), &d)
	if err != nil {
		return err
	}
	log, _, err := p.cfg.Reader.Log(r.Context(), d.Row.Key)
	if err != nil {
		return err
	}
	body := shown{Detail: d, May: mayDoTo(access.From(r.Context()), &d)}
	body.reasons()
	for _, e := range log {
		if d.Iteration == nil || e.Iteration == d.Iteration.Number || e.Iteration == 0 {
			body.Decisions = append(body.Decisions, e)
		}
	}
	body.Signals = signalsOf(past.Signals, p.cfg.Zone)
	body.Timeline = timeline(past, body.Decisions, p.cfg.Zone)
	slices.Reverse(body.Decisions)
	if d.Document != nil {
		if err := p.fill(&body, past); err != nil {
			return err
		}
	}
	return p.show(w, r, http.StatusOK, "experiment", page{Title: d.Row.Key, Nav: "list", Live: true, Body: body})
}

// iterationIn reads which iteration the address asks for.
func iterationIn(r *http.Request) (uint32, error) {
	text := r.URL.Query().Get("iteration")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 {
		return 0, fault{http.StatusNotFound, "An iteration is a number from 1 on."}
	}
	return uint32(n), nil
}

// fill adds what the look shows.
func (p *Pages) fill(s *shown, past Past) (err error) {
	d := s.Document
	s.Groups = metricGroups(d)
	s.Histories = histories(d, past.Effects, p.cfg.Zone)
	s.Splits = splits(d)
	s.Segments = segmentations(d)
	s.Doubts = report.Doubts(d)
	s.Stopped = stopOf(d, p.cfg.Zone)
	for i := range d.Phases {
		if catalog.SplitBroken(&d.Phases[i]) {
			s.Alarms = append(s.Alarms, d.Phases[i].Number)
		}
	}
	s.Sections, err = p.sections.Of(report.Entry{Experiment: s.Experiment, Document: d})
	return err
}

// reasons puts what is wrong first, and what is only planned apart.
func (s *shown) reasons() {
	for _, r := range s.Box.Reasons {
		if r.About == "plan" || r.About == "file" {
			s.Waits = append(s.Waits, r)
		} else {
			s.Reasons = append(s.Reasons, r)
		}
	}
	grave := func(r catalog.Reason) int {
		switch r.Tone {
		case catalog.Bad:
			return 0
		case catalog.Warn:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(s.Reasons, func(a, b catalog.Reason) int { return grave(a) - grave(b) })
}

// mayDoTo says what somebody may do now.
func mayDoTo(who access.Principal, d *catalog.Detail) mayDo {
	allowed := func(a access.Action) bool { return may(who, a, d.Row.Key, d.Row.Owner) }
	on := d.Row.State == catalog.Running || d.Row.State == catalog.Maturing
	grow, shrink := allowed(access.GrowRamp), allowed(access.ShrinkRamp)
	var ramp results.Ramp
	if d.Document != nil && d.Document.Ramp != nil && on {
		ramp = *d.Document.Ramp
	}
	state, reason := guardrails.RampState(ramp.State), guardrails.RampReason(ramp.Reason)
	goesOn := state != "" && state != guardrails.RampReverted
	stuck := reason == guardrails.RampDenied || reason == guardrails.RampPending || reason == guardrails.RampFailed
	return mayDo{
		ApproveRamp: reason == guardrails.RampApproval && grow,
		ResumeRamp:  (reason == guardrails.RampPaused || stuck) && grow,
		PauseRamp:   goesOn && state != guardrails.RampDone && reason != guardrails.RampPaused && shrink,
		RevertRamp:  (goesOn || reason == guardrails.RampRevertFailed) && shrink,

		Kill: on && allowed(access.Kill), Snooze: on && allowed(access.Snooze),
		Resume:      d.Row.State == catalog.Killed && allowed(access.Resume),
		Annotate:    d.Row.Iteration > 0 && allowed(access.Annotate),
		Acknowledge: on && d.Document != nil && catalog.SRMAlarm(d.Document) && allowed(access.Acknowledge),
	}
}

// stopOf tells how a kill went; nil without one.
func stopOf(d *results.Document, zone *time.Location) *stop {
	k := d.Kill
	if k == nil {
		return nil
	}
	out := &stop{Why: k.Reason, By: k.By}
	add := func(name string, done bool, at string) { out.Steps = append(out.Steps, step{name, at, done}) }
	add("decided", true, clock(k.DecidedAt, zone))
	add("off call sent", !k.SentAt.IsZero(), clock(k.SentAt, zone))
	add("read back as off", !k.ReadBackAt.IsZero(), clock(k.ReadBackAt, zone))
	switch {
	case k.Effect == "not_effective":
		add("exposures go on", false, "")
	case !k.OverriddenAt.IsZero():
		add("turned on again", false, clock(k.OverriddenAt, zone))
	default:
		add("exposures stopped", k.Effect == "effective", "")
	}
	return out
}
