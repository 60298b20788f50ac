package access

// Action is what somebody wants to do. The list is closed.
type Action string

// The actions.
const (
	Open        Action = "open"        // what anybody may: whether the process lives, the page to log in at
	Metrics     Action = "metrics"     // the process' numbers for Prometheus
	Evaluate    Action = "evaluate"    // ask which variant a unit gets
	Read        Action = "read"        // results, decisions, reports, the state of the data
	Explain     Action = "explain"     // the events of one unit
	Export      Action = "export"      // raw rows
	AdHoc       Action = "ad_hoc"      // an analysis that is computed on request, and saving it
	Annotate    Action = "annotate"    // a note beside an experiment
	Kill        Action = "kill"        // turn an experiment or an arm off, or drill that
	Resume      Action = "resume"      // open the next iteration
	Snooze      Action = "snooze"      // let automatic kills of an experiment wait
	Acknowledge Action = "acknowledge" // judge a phase although its split is broken
	StopAll     Action = "stop_all"    // let all automatic kills wait: the global stop
	Approve     Action = "approve"     // agree to a change that somebody else wants
	GrowRamp    Action = "grow_ramp"   // agree to a ramp's next step, or let it go on
	ShrinkRamp  Action = "shrink_ramp" // hold a ramp at its step, or let nobody take part any more
	Tokens      Action = "tokens"      // who comes in
)

// Grant is what an action asks for: a role, or with Owned the role Owner and the
// experiment.
type Grant struct {
	Action Action
	Least  Role
	Owned  bool
}

// Grants is the table of who may do what.
func Grants() []Grant {
	return []Grant{
		{Open, Nobody, false},
		{Metrics, Viewer, false},
		{Evaluate, Evaluator, false},
		{Read, Viewer, false},
		{Explain, Analyst, false},
		{Export, Analyst, false},
		{AdHoc, Analyst, false},
		{Annotate, Operator, true},
		{Kill, Operator, true},
		{Resume, Operator, true},
		{Snooze, Operator, true},
		{Acknowledge, Operator, true},
		{GrowRamp, Operator, true},
		{ShrinkRamp, Operator, true},
		{StopAll, Operator, false},
		{Approve, Approver, false},
		{Tokens, Admin, false},
	}
}

// grantOf is an action's line of the table. What is not in it nobody may.
func grantOf(a Action) (Grant, bool) {
	for _, g := range Grants() {
		if g.Action == a {
			return g, true
		}
	}
	return Grant{}, false
}

// reads tells actions that concern no experiment more than another: whoever may
// read may read all of them.
func (a Action) reads() bool { return a == Open || a == Metrics || a == Evaluate || a == Read }

// OfUnits tells actions that show what single units did.
func (a Action) OfUnits() bool { return a == Explain || a == Export || a == AdHoc }

// Needs says who may, for a message.
func (a Action) Needs() string {
	g, ok := grantOf(a)
	switch {
	case !ok:
		return "nobody"
	case g.Owned:
		return "the experiment's owner (role owner) or role " + g.Least.String()
	default:
		return "role " + g.Least.String()
	}
}
