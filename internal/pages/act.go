package pages

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// act is what people do by hand. Its name is the last part of its address.
type act struct {
	name   string
	action access.Action
}

var (
	killing       = act{"kill", access.Kill}
	drilling      = act{"drill", access.Kill}
	resuming      = act{"resume", access.Resume}
	snoozing      = act{"snooze", access.Snooze}
	acknowledging = act{"acknowledge", access.Acknowledge}
	annotating    = act{"annotate", access.Annotate}
	stopping      = act{"stop", access.StopAll}

	approvingRamp = act{"ramp/approve", access.GrowRamp}
	resumingRamp  = act{"ramp/resume", access.GrowRamp}
	pausingRamp   = act{"ramp/pause", access.ShrinkRamp}
	revertingRamp = act{"ramp/revert", access.ShrinkRamp}
)

// form is what is asked before something is done: what will happen, and why.
type form struct {
	Act    string
	Key    string
	Switch string
	Row    catalog.Row
	Phases []uint16 // whose split is broken
	Ramp   *results.Ramp
	Arms   []string // that can be turned off by themselves
	May    bool
	Needs  string // who may, for those who may not
	Action string // where it is sent

	Seen                             uint32 // the iteration that is acted on
	Reason, Hours, Rearm, Phase, Arm string // what was filled in
	Fault                            string
	Done                             string      // what was done, in words
	Drill                            *acts.Drill // what a drill found
}

// form shows what is asked.
func (p *Pages) form(a act) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		f, err := p.formFor(r, a)
		if err != nil {
			return err
		}
		return p.showForm(w, r, http.StatusOK, f)
	}
}

func (p *Pages) showForm(w http.ResponseWriter, r *http.Request, status int, f form) error {
	title := map[string]string{"kill": "Kill", "drill": "Try a kill of", "resume": "Resume", "snooze": "Snooze", "acknowledge": "Acknowledge", "annotate": "Note on", "stop": "Let all kills wait",
		"ramp/approve": "Approve the next step of", "ramp/resume": "Let the ramp go on of", "ramp/pause": "Pause the ramp of", "ramp/revert": "Revert the ramp of"}[f.Act]
	return p.show(w, r, status, "act", page{Title: strings.TrimSpace(title + " " + f.Key), Nav: "list", Body: f})
}

func (p *Pages) formFor(r *http.Request, a act) (form, error) {
	f := form{Act: a.name, Key: r.PathValue("key"), Action: r.URL.Path, Needs: a.action.Needs(), Hours: "2"}
	owner := ""
	if f.Key != "" {
		d, err := p.cfg.Reader.Detail(r.Context(), f.Key, 0)
		if err != nil {
			return f, err
		}
		f.Row, f.Seen, f.Switch, owner = d.Row, d.Row.Iteration, d.Experiment.KillSwitch, d.Row.Owner
		f.Arms = p.armsOf(d.Experiment)
		if d.Document != nil {
			f.Ramp = d.Document.Ramp
			for i := range d.Document.Phases {
				if catalog.SplitBroken(&d.Document.Phases[i]) {
					f.Phases = append(f.Phases, d.Document.Phases[i].Number)
				}
			}
		}
	}
	f.May = may(access.From(r.Context()), a.action, f.Key, owner)
	return f, nil
}

// armsOf are the arms that can be turned off by themselves.
func (p *Pages) armsOf(e *experiment.Experiment) []string {
	var out []string
	for _, v := range e.Variants {
		if p.cfg.OffersArm != nil && v.Key != e.Control && p.cfg.OffersArm(e.KillSwitch, v.Key) {
			out = append(out, v.Key)
		}
	}
	return out
}

// do does what a form asks for. What went wrong is said in the form, with what was
// filled in.
func (p *Pages) do(a act) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		r.Body = http.MaxBytesReader(w, r.Body, mostForm)
		if err := r.ParseForm(); err != nil {
			return fault{http.StatusBadRequest, "The form could not be read."}
		}
		f, err := p.formFor(r, a)
		if err != nil {
			return err
		}
		f.read(r.PostForm)
		if f.Done, err = p.carryOut(r, &f); err != nil {
			f.Done, f.Fault = "", sentence(err.Error())
			return p.showForm(w, r, statusOf(err), f)
		}
		return p.showForm(w, r, http.StatusOK, f)
	}
}

// mostForm is how large a form may be, in bytes.
const mostForm = 16 << 10

// read takes what was filled in. A reason is one line, however it was written.
func (f *form) read(v url.Values) {
	f.Reason, f.Hours = strings.Join(strings.Fields(v.Get("reason")), " "), v.Get("hours")
	f.Rearm, f.Phase, f.Arm, f.Seen = v.Get("rearm"), v.Get("phase"), v.Get("arm"), uint32(min(number(v.Get("iteration")), math.MaxUint32))
}

// statusOf is the status that a no is answered with.
func statusOf(err error) int {
	switch acts.CodeOf(err) {
	case acts.Forbidden:
		return http.StatusForbidden
	case acts.Unknown:
		return http.StatusNotFound
	case acts.Busy:
		return http.StatusTooManyRequests
	case acts.Stale, acts.Conflict:
		return http.StatusConflict
	case acts.Invalid:
		return http.StatusUnprocessableEntity
	}
	return http.StatusServiceUnavailable
}

// invalid is what was filled in wrongly.
func invalid(text string) error { return &acts.Error{Code: acts.Invalid, Err: errors.New(text)} }

// carryOut does it, and says what was done.
func (p *Pages) carryOut(r *http.Request, f *form) (string, error) {
	ctx, who, on := r.Context(), access.From(r.Context()), acts.On{Experiment: f.Key, Iteration: f.Seen, Reason: f.Reason}
	switch f.Act {
	case killing.name:
		k, err := p.cfg.Hand.Kill(ctx, who, acts.Kill{On: on, Arm: f.Arm})
		return killed(f.Key, f.Arm, k.State), err
	case drilling.name:
		d, err := p.cfg.Hand.Drill(ctx, who, acts.Kill{On: on, Arm: f.Arm})
		f.Drill = &d
		return drilled(f.Key, f.Arm, &d), err
	case resuming.name:
		rearm, err := level(f.Rearm)
		if err != nil {
			return "", err
		}
		v, err := p.cfg.Hand.Resume(ctx, who, acts.Resume{On: on, Rearm: rearm})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("Iteration %d of %s runs from now on. Turn its flag on in the flag system.", v.Find(f.Key).Latest().Number, f.Key), nil
	case approvingRamp.name, resumingRamp.name, pausingRamp.name, revertingRamp.name:
		done, err := p.cfg.Hand.Ramp(ctx, who, acts.Ramp{On: on, Act: acts.RampAct(strings.TrimPrefix(f.Act, "ramp/"))})
		return ramped(f.Key, done), err
	case annotating.name:
		seq, err := p.cfg.Hand.Note(ctx, who, acts.Note{On: on})
		return fmt.Sprintf("The note is line %d of the decision log.", seq), err
	case acknowledging.name:
		phase, err := strconv.ParseUint(f.Phase, 10, 16)
		if err != nil {
			return "", invalid("choose the phase whose split is to be acknowledged")
		}
		return fmt.Sprintf("The split of phase %d is acknowledged: it is judged from now on.", phase),
			p.cfg.Hand.Acknowledge(ctx, who, acts.Acknowledge{On: on, Phase: uint16(phase)})
	}
	wait, err := hours(f.Hours)
	if err != nil {
		return "", err
	}
	until, err := p.cfg.Hand.Snooze(ctx, who, acts.Snooze{On: on, For: wait})
	if wait == 0 {
		return "Automatic kills go ahead again.", err
	}
	return fmt.Sprintf("Automatic kills wait until %s. People go on being told.", words.InstantIn(until, p.cfg.Zone)), err
}

// killed says how far a kill came.
func killed(key, arm string, state guardrails.EntryKind) string {
	switch {
	case state == guardrails.Verified && arm != "":
		return fmt.Sprintf("Arm %s of %s is off: the switch was read back. The iteration goes on without it.", arm, key)
	case state == guardrails.Verified:
		return key + " is off: the switch was read back, and the iteration has ended."
	}
	return fmt.Sprintf("The kill of %s is %s: nothing has ended yet. Its page tells how it goes on; the flag can be turned off in its own system.", key, strings.ReplaceAll(string(state), "_", " "))
}

// ramped says what came of a word on a ramp.
func ramped(key string, d acts.Ramped) string {
	switch d.Act {
	case acts.ApproveRamp:
		return fmt.Sprintf("Step %d, %.4g %%, is approved: it begins when every guardrail is healthy.", d.Step, 100*d.Traffic)
	case acts.PauseRamp:
		return fmt.Sprintf("The ramp of %s is held at step %d.", key, d.Step)
	case acts.ResumeRamp:
		return fmt.Sprintf("The ramp of %s goes on from step %d.", key, d.Step)
	}
	if d.State == string(guardrails.Verified) {
		return fmt.Sprintf("Nobody takes part in %s any more: the traffic was read back as 0 %%.", key)
	}
	return fmt.Sprintf("The revert of %s is %s: units may still take part. The traffic can be set to 0 %% in the flag system.", key, strings.ReplaceAll(d.State, "_", " "))
}

// drilled says how trying it out went.
func drilled(key, arm string, d *acts.Drill) string {
	what := key
	if arm != "" {
		what = "arm " + arm + " of " + key
	}
	if d.Trouble != "" {
		return sentence(fmt.Sprintf("a kill of %s would fail, or could not be verified: %s", what, d.Trouble))
	}
	return fmt.Sprintf("Nothing was turned off. A kill of %s would send the call below; the switch %s reads as %s.", what, d.Switch, d.Reads)
}

// level reads a new budget of false kills; none is 0.
func level(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	percent, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
	if err != nil || !(percent > 0 && percent < 50) {
		return 0, invalid("a budget of false kills is a percentage above 0 and below 50, or nothing")
	}
	return percent / 100, nil
}

// hours reads for how long kills are to wait.
func hours(text string) (time.Duration, error) {
	h, err := strconv.ParseFloat(text, 64)
	if err != nil || !(h >= 0 && h <= 7*24) {
		return 0, invalid("automatic kills wait for a week at most, 168 hours; 0 ends that")
	}
	return time.Duration(h * float64(time.Hour)), nil
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}
