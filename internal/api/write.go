package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
)

// Hand does what people order. Its errors carry a code of acts.
type Hand interface {
	Kill(ctx context.Context, who access.Principal, o acts.Kill) (guardrails.Kill, error)
	Drill(ctx context.Context, who access.Principal, o acts.Kill) (acts.Drill, error)
	Resume(ctx context.Context, who access.Principal, o acts.Resume) (*experiment.Version, error)
	Snooze(ctx context.Context, who access.Principal, o acts.Snooze) (time.Time, error)
	Acknowledge(ctx context.Context, who access.Principal, o acts.Acknowledge) error
	Note(ctx context.Context, who access.Principal, o acts.Note) (uint64, error)
	Approve(ctx context.Context, who access.Principal, o acts.Approve) (*governance.Proposal, error)
	Ramp(ctx context.Context, who access.Principal, o acts.Ramp) (acts.Ramped, error)
}

// Killed is how far a kill came.
type Killed struct {
	Experiment string               `json:"experiment"`
	Iteration  uint32               `json:"iteration"`
	Arm        string               `json:"arm,omitempty" doc:"The one that was turned off; absent: the experiment."`
	Decision   uint64               `json:"decision" doc:"Its number in the decision log."`
	State      guardrails.EntryKind `json:"state" doc:"verified: the switch was read back as off. denied, pending_approval, failed: nothing has ended, and a person is needed."`
	Off        bool                 `json:"off" doc:"Whether it was read back as off."`
	SentAt     time.Time            `json:"sent_at,omitzero" doc:"When the call that was accepted was sent: the iteration ended then."`
}

// Resumed is the iteration that goes on.
type Resumed struct {
	Experiment string `json:"experiment"`
	Iteration  uint32 `json:"iteration"`
	Version    uint32 `json:"version" doc:"Of the configuration."`
}

// Snoozed is until when automatic kills wait.
type Snoozed struct {
	Experiment string    `json:"experiment,omitempty" doc:"Absent: every one."`
	Until      time.Time `json:"until"`
}

// Acknowledged is the phase that is judged again.
type Acknowledged struct {
	Experiment string `json:"experiment"`
	Phase      uint16 `json:"phase"`
}

// Annotated is the line that a note has become.
type Annotated struct {
	Experiment string `json:"experiment"`
	Decision   uint64 `json:"decision" doc:"Its number in the decision log."`
}

// Why is what every order says.
type Why struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"One line; it stands in the decision log for ever."`
}

// Order is one about an experiment.
type Order struct {
	Why
	Iteration uint32 `json:"iteration" minimum:"1" doc:"The one that you look at. When it is no longer the latest the answer is 412, and nothing is done."`
}

func (o Order) on(key string) acts.On {
	return acts.On{Experiment: key, Iteration: o.Iteration, Reason: o.Reason}
}

// KillOrder turns an experiment off.
type KillOrder struct {
	Order
	Arm string `json:"arm,omitempty" maxLength:"200" doc:"Turn off this variant alone, where the switch can do that."`
}

// ResumeOrder opens the next iteration.
type ResumeOrder struct {
	Order
	Rearm float64 `json:"rearm,omitempty" minimum:"0" exclusiveMaximum:"0.5" doc:"A new budget of false kills, such as 0.05; without it guardrails only notify."`
}

// SnoozeOrder lets automatic kills of an experiment wait.
type SnoozeOrder struct {
	Order
	For string `json:"for" doc:"How long, such as 2h or 90m, a week at most; 0s ends it."`
}

// StopOrder lets all automatic kills wait.
type StopOrder struct {
	Why
	For string `json:"for" doc:"How long, such as 2h or 90m, a week at most; 0s ends it."`
}

// AcknowledgeOrder lets a phase be judged although its split is broken.
type AcknowledgeOrder struct {
	Order
	Phase uint16 `json:"phase" minimum:"1"`
}

// NoteOrder writes something down.
type NoteOrder struct {
	Iteration uint32 `json:"iteration" minimum:"1" doc:"The one that it is about. When it is no longer the latest the answer is 412, and nothing is written."`
	Text      string `json:"text" minLength:"1" maxLength:"500" doc:"One line; it stands in the decision log for ever."`
}

type orderInput[T any] struct {
	Key  string `path:"key" maxLength:"200"`
	Body T
}

type done[T any] struct{ Body T }

// bearer is how a person is known.
const bearer = "bearer"

// orders describes what people can do by hand; nothing where nobody carries it out.
func (a *API) orders() {
	if a.parts.Hand == nil {
		return
	}
	a.huma.OpenAPI().Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		bearer: {Type: "http", Scheme: "bearer", Description: "A token of `assay token create`, or a JWT of the identity provider that is configured."},
	}
	huma.Register(a.huma, a.order("kill", "Turn an experiment off",
		"Through its kill switch, which is read back; the iteration ends when it reads as off. The answer comes when that is known, within the switch's deadline (a minute by default); the kill goes on if you hang up."), a.kill)
	huma.Register(a.huma, a.order("drill", "Try a kill out", "All of it but the write: the switch is read, and the answer is the call that would be sent. It is a line of the decision log."), a.drill)
	huma.Register(a.huma, a.order("resume", "Open the next iteration of a killed experiment", "It turns nothing on: that is done in the flag system."), a.resume)
	huma.Register(a.huma, a.order("snooze", "Let automatic kills of an experiment wait", "People go on being told."), a.snooze)
	huma.Register(a.huma, a.order("acknowledge", "Judge a phase although its split is broken", "Closes an open sample-ratio alarm."), a.acknowledge)
	huma.Register(a.huma, a.order("annotate", "Write a note beside an experiment", "A line of the decision log, of kind noted: it changes nothing."), a.annotate)
	huma.Register(a.huma, a.order("approve", "Agree to a change that waits", "Or take that back. Whoever wants a change does not approve it (403). The hash is the change's that you looked at: when another one waits by now, or what is in force is another, the answer is 412."), a.approve)
	for _, r := range []struct {
		act            acts.RampAct
		summary, about string
	}{
		{acts.ApproveRamp, "Agree to the next step of a ramp", "The ramp goes there when its guardrails let it. What is agreed to is the step as the file has it now."},
		{acts.PauseRamp, "Hold a ramp at its step", "A step that is being carried out is carried out."},
		{acts.ResumeRamp, "Let a ramp go on", "After a pause, or after a step that could not be carried out: that is tried again."},
		{acts.RevertRamp, "Revert a ramp", "Nobody takes part any more; the iteration goes on, and the ramp does not. The answer comes when the traffic was read back, within the switch's deadline."},
	} {
		op := a.order("ramp/"+string(r.act), r.summary, r.about)
		op.OperationID = string(r.act) + "-ramp"
		huma.Register(a.huma, op, func(ctx context.Context, in *orderInput[Order]) (*done[acts.Ramped], error) {
			out, err := a.parts.Hand.Ramp(ctx, access.From(ctx), acts.Ramp{On: in.Body.on(in.Key), Act: r.act})
			if err != nil {
				return nil, a.refuseAct(ctx, err)
			}
			return &done[acts.Ramped]{out}, nil
		})
	}
	stop := a.order("stop", "Let all automatic kills wait", "The global stop: every guard heeds it within a second. People go on being told.")
	stop.OperationID, stop.Path = "stop-all", Prefix+"/stop"
	huma.Register(a.huma, stop, a.stop)
}

// order describes an act on an experiment.
func (a *API) order(name, summary, about string) huma.Operation {
	op := huma.Operation{
		OperationID: name + "-experiment", Method: http.MethodPost, Path: Prefix + "/experiments/{key}/" + name, Tags: []string{"acts"},
		Summary: summary, Description: about + " Needs a token (docs/access.md).", MaxBodyBytes: 16 << 10, Security: []map[string][]string{{bearer: {}}}, Responses: map[string]*huma.Response{},
	}
	a.problems(op.Responses, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed)
	return op
}

func (a *API) kill(ctx context.Context, in *orderInput[KillOrder]) (*done[Killed], error) {
	k, err := a.parts.Hand.Kill(ctx, access.From(ctx), acts.Kill{On: in.Body.on(in.Key), Arm: in.Body.Arm})
	if err != nil {
		return nil, a.refuseAct(ctx, err)
	}
	return &done[Killed]{Killed{
		Experiment: in.Key, Iteration: k.Decided.Iteration, Arm: in.Body.Arm, Decision: k.Decided.Seq,
		State: k.State, Off: k.State == guardrails.Verified, SentAt: k.SentAt,
	}}, nil
}

func (a *API) drill(ctx context.Context, in *orderInput[KillOrder]) (*done[acts.Drill], error) {
	d, err := a.parts.Hand.Drill(ctx, access.From(ctx), acts.Kill{On: in.Body.on(in.Key), Arm: in.Body.Arm})
	if err != nil {
		return nil, a.refuseAct(ctx, err)
	}
	return &done[acts.Drill]{d}, nil
}

func (a *API) resume(ctx context.Context, in *orderInput[ResumeOrder]) (*done[Resumed], error) {
	v, err := a.parts.Hand.Resume(ctx, access.From(ctx), acts.Resume{On: in.Body.on(in.Key), Rearm: in.Body.Rearm})
	if err != nil {
		return nil, a.refuseAct(ctx, err)
	}
	return &done[Resumed]{Resumed{in.Key, v.Find(in.Key).Latest().Number, v.Number}}, nil
}

func (a *API) snooze(ctx context.Context, in *orderInput[SnoozeOrder]) (*done[Snoozed], error) {
	return a.wait(ctx, in.Body.on(in.Key), in.Body.For)
}

func (a *API) stop(ctx context.Context, in *struct{ Body StopOrder }) (*done[Snoozed], error) {
	return a.wait(ctx, acts.On{Reason: in.Body.Reason}, in.Body.For)
}

func (a *API) wait(ctx context.Context, on acts.On, text string) (*done[Snoozed], error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return nil, problem(http.StatusUnprocessableEntity, "write it like 2h or 90m", "for: %q is no time", text)
	}
	until, err := a.parts.Hand.Snooze(ctx, access.From(ctx), acts.Snooze{On: on, For: d})
	if err != nil {
		return nil, a.refuseAct(ctx, err)
	}
	return &done[Snoozed]{Snoozed{on.Experiment, until}}, nil
}

func (a *API) acknowledge(ctx context.Context, in *orderInput[AcknowledgeOrder]) (*done[Acknowledged], error) {
	err := a.parts.Hand.Acknowledge(ctx, access.From(ctx), acts.Acknowledge{On: in.Body.on(in.Key), Phase: in.Body.Phase})
	if err != nil {
		return nil, a.refuseAct(ctx, err)
	}
	return &done[Acknowledged]{Acknowledged{in.Key, in.Body.Phase}}, nil
}

func (a *API) annotate(ctx context.Context, in *orderInput[NoteOrder]) (*done[Annotated], error) {
	seq, err := a.parts.Hand.Note(ctx, access.From(ctx), acts.Note{On: acts.On{Experiment: in.Key, Iteration: in.Body.Iteration, Reason: in.Body.Text}})
	if err != nil {
		return nil, a.refuseAct(ctx, err)
	}
	return &done[Annotated]{Annotated{in.Key, seq}}, nil
}

// refuseAct makes of a no its status. What does not answer is described in the log
// alone.
func (a *API) refuseAct(ctx context.Context, err error) error {
	status := map[acts.Code]int{
		acts.Forbidden: http.StatusForbidden, acts.Unknown: http.StatusNotFound, acts.Stale: http.StatusPreconditionFailed,
		acts.Conflict: http.StatusConflict, acts.Invalid: http.StatusUnprocessableEntity, acts.Busy: http.StatusTooManyRequests,
	}[acts.CodeOf(err)]
	if status != 0 {
		return problem(status, hintOf(err), "%s", err.Error())
	}
	a.parts.Log.Error("order not carried out", "error", err)
	if away := catalog.AwayOf(ctx); away != nil {
		return problem(http.StatusServiceUnavailable, "nothing was begun if it was away already; to turn something off now, do it in its flag system. The decision log tells how far it came: "+Prefix+"/decisions", "%s", away)
	}
	if ctx.Err() != nil {
		return problem(http.StatusServiceUnavailable, "the decision log tells how far it came: "+Prefix+"/decisions", "it was not done in time")
	}
	return problem(http.StatusServiceUnavailable, "the decision log tells how far it came: "+Prefix+"/decisions", "what this needs does not answer")
}

func hintOf(err error) string {
	switch acts.CodeOf(err) {
	case acts.Stale:
		return "look at the experiment again, then decide again"
	case acts.Busy:
		return "ask again in a while"
	}
	var knows interface{ Hint() string }
	if errors.As(err, &knows) {
		return knows.Hint()
	}
	return ""
}
