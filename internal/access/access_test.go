package access_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/access"
)

// TestMay is the table of who may do what, written down a second time: by action, the
// least role that may do it to somebody else's experiment, and to one's own.
func TestMay(t *testing.T) {
	const never = access.Admin + 1
	want := map[access.Action][2]access.Role{
		access.Open:        {access.Nobody, access.Nobody},
		access.Metrics:     {access.Viewer, access.Viewer},
		access.Evaluate:    {access.Evaluator, access.Evaluator},
		access.Read:        {access.Viewer, access.Viewer},
		access.Explain:     {access.Analyst, access.Analyst},
		access.Export:      {access.Analyst, access.Analyst},
		access.AdHoc:       {access.Analyst, access.Analyst},
		access.Annotate:    {access.Operator, access.Owner},
		access.Kill:        {access.Operator, access.Owner},
		access.Resume:      {access.Operator, access.Owner},
		access.Snooze:      {access.Operator, access.Owner},
		access.Acknowledge: {access.Operator, access.Owner},
		access.GrowRamp:    {access.Operator, access.Owner},
		access.ShrinkRamp:  {access.Operator, access.Owner},
		access.StopAll:     {access.Operator, access.Operator},
		access.Approve:     {access.Approver, access.Approver},
		access.Tokens:      {access.Admin, access.Admin},
		"something else":   {never, never},
	}
	for _, g := range access.Grants() {
		if _, ok := want[g.Action]; !ok {
			t.Errorf("action %q is not in this test", g.Action)
		}
	}
	theirs, own := access.Experiment{Key: "cart", Owner: "carts"}, access.Experiment{Key: "checkout", Owner: "growth"}
	for action, least := range want {
		for role := access.Nobody; role <= access.Admin; role++ {
			p := access.Principal{Name: "ada", Role: role, Groups: []string{"growth"}}
			for i, e := range []access.Experiment{theirs, own} {
				if got := p.May(action, e); got != (role >= least[i]) {
					t.Errorf("%s may %s of %s: %v", role, action, e.Key, got)
				}
			}
		}
	}
}

// TestOwns: an experiment is owned by its owner's name, by a group, by who the
// configuration says; and nobody owns all of them, or one without an owner.
func TestOwns(t *testing.T) {
	owners := access.Owners{"growth": {"ada@example.com", "eng"}, "carts": {"bob@example.com"}}
	for _, c := range []struct {
		name   string
		groups []string
		only   []string
		key    string
		owner  string
		want   bool
	}{
		{"growth", nil, nil, "checkout", "growth", true},
		{"ada@example.com", nil, nil, "checkout", "growth", true},
		{"cy@example.com", []string{"eng"}, nil, "checkout", "growth", true},
		{"cy@example.com", []string{"growth"}, nil, "checkout", "growth", true},
		{"bob@example.com", []string{"sales"}, nil, "checkout", "growth", false},
		{"Growth", nil, nil, "checkout", "growth", false},
		{"", []string{""}, nil, "checkout", "", false},
		{"ada@example.com", nil, []string{"cart"}, "checkout", "growth", false},
		{"ci", nil, []string{"checkout"}, "checkout", "growth", true},
		{"growth", nil, nil, "", "growth", false},
	} {
		p := access.Principal{Name: c.name, Groups: append(c.groups, owners.Of(c.name, c.groups)...), Only: c.only}
		if got := p.Owns(access.Experiment{Key: c.key, Owner: c.owner}); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestOnly: a token for one experiment acts on no other and on nothing that concerns
// all, whatever its role; it may read.
func TestOnly(t *testing.T) {
	for _, role := range []access.Role{access.Owner, access.Operator, access.Admin} {
		p := access.Principal{Name: "ci", Role: role, Only: []string{"checkout"}}
		for _, c := range []struct {
			action access.Action
			key    string
			want   bool
		}{
			{access.Kill, "checkout", true}, {access.Kill, "cart", false}, {access.Explain, "checkout", true}, {access.Explain, "cart", false},
			{access.Read, "cart", true}, {access.Read, "", true}, {access.StopAll, "", false}, {access.Tokens, "", false}, {access.Export, "", false},
		} {
			if got := p.May(c.action, access.Experiment{Key: c.key}); got != c.want {
				t.Errorf("%s of checkout alone may %s of %q: %v", role, c.action, c.key, got)
			}
		}
	}
}

func TestFrom(t *testing.T) {
	if p := access.From(t.Context()); p.Role != access.Nobody || !p.Anonymous() || p.May(access.Read, access.Experiment{}) {
		t.Errorf("without anybody: %+v", p)
	}
	ada := access.Principal{Name: "ada", Role: access.Viewer, Login: "token"}
	if diff := cmp.Diff(ada, access.From(access.With(t.Context(), ada))); diff != "" {
		t.Error(diff)
	}
}

// TestMake: what is kept of a token does not give it away, and finds it again.
func TestMake(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)
	o := access.Order{Name: "ci", Role: access.Owner, Experiments: []string{"b", "a"}, For: time.Hour}
	secret, token, err := o.Make(bytes.NewReader(bytes.Repeat([]byte{7}, 32)), now)
	if err != nil {
		t.Fatal(err)
	}
	// Its hash below is by coreutils (sha256sum).
	if secret != "assay_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc" {
		t.Errorf("the token is %s", secret)
	}
	kept, err := json.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"ID","name":"ci","role":"owner","experiments":["a","b"],"created":"2026-03-01T12:00:00Z","expires":"2026-03-01T13:00:00Z","sha256":"HASH"}`
	const hash = "211cf1d8052ed4da7455893d3eeca4cc8cb14a5468b4a9d1f972253d9035b745"
	if got := strings.NewReplacer(hash, "HASH", hash[:12], "ID").Replace(string(kept)); got != want {
		t.Errorf("kept: %s", got)
	}
	var back access.Token
	if err := json.Unmarshal(kept, &back); err != nil || cmp.Diff(token, back) != "" {
		t.Errorf("read back: %v\n%s", err, cmp.Diff(token, back))
	}
	if back.Hash != access.HashOf(secret) || !access.IsToken(secret) {
		t.Error("the token is not found by its hash")
	}
	if _, _, err := o.Make(bytes.NewReader([]byte{7}), now); err == nil {
		t.Error("a token was made of one byte of randomness")
	}
}

func TestOrderRefuses(t *testing.T) {
	good := access.Order{Name: "ci", Role: access.Viewer, For: time.Hour}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*access.Order){
		"name":         func(o *access.Order) { o.Name = "ada\nadmin" },
		`name ""`:      func(o *access.Order) { o.Name = "" },
		"at most 100":  func(o *access.Order) { o.Name = strings.Repeat("a", 101) },
		"a role is":    func(o *access.Order) { o.Role = access.Nobody },
		"366 days":     func(o *access.Order) { o.For = 367 * 24 * time.Hour },
		"up to 366":    func(o *access.Order) { o.For = 0 },
		"an empty key": func(o *access.Order) { o.Experiments = []string{""} },
	} {
		o := good
		spoil(&o)
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
}

// TestRules: every route is of a known action, one that changes something is not of one
// that only reads, and one with a key in it looks at the experiment.
func TestRules(t *testing.T) {
	for pattern, rule := range access.Rules() {
		method, path, _ := strings.Cut(pattern, " ")
		if !slices.ContainsFunc(access.Grants(), func(g access.Grant) bool { return g.Action == rule.Action }) {
			t.Errorf("%s: unknown action %q", pattern, rule.Action)
		}
		if rule.Experiment != "" && !strings.Contains(path, "{"+rule.Experiment+"}") || rule.Experiment == "" && strings.Contains(path, "experiments/{key}") {
			t.Errorf("%s: of which experiment? %+v", pattern, rule)
		}
		if rule.Writes(method) && (rule.Action == access.Read || rule.Action == access.Metrics || rule.Action == access.Explain || rule.Action == access.Export) {
			t.Errorf("%s: it writes, and asks for no more than reading", pattern)
		}
		if rule.Asks && (!access.Writes(method) || rule.Action == access.Kill || rule.Action == access.StopAll) {
			t.Errorf("%s: it only asks?", pattern)
		}
	}
}

// TestReaders: what single units did is for the owner and the readers that the file
// names, whatever the role; everything else is as ever.
func TestReaders(t *testing.T) {
	closed := access.Experiment{Key: "cta", Owner: "growth", Readers: []string{"eng", "ada"}}
	for name, c := range map[string]struct {
		who  access.Principal
		want bool
	}{
		"an analyst":               {access.Principal{Name: "bob", Role: access.Analyst}, false},
		"an admin":                 {access.Principal{Name: "bob", Role: access.Admin}, false},
		"a reader by name":         {access.Principal{Name: "ada", Role: access.Analyst}, true},
		"a reader by group":        {access.Principal{Name: "bob", Role: access.Analyst, Groups: []string{"eng"}}, true},
		"the owner":                {access.Principal{Name: "growth", Role: access.Owner}, true},
		"a reader without role":    {access.Principal{Name: "ada", Role: access.Viewer}, false},
		"nobody":                   {access.Principal{}, false},
		"a token of another alone": {access.Principal{Name: "ada", Role: access.Analyst, Only: []string{"x"}}, false},
	} {
		for _, a := range []access.Action{access.Explain, access.Export, access.AdHoc} {
			if got := c.who.May(a, closed); got != c.want {
				t.Errorf("%s may %s: %v", name, a, got)
			}
		}
		if got := c.who.May(access.Read, closed); got != (c.who.Role >= access.Viewer) {
			t.Errorf("%s may read: %v", name, got)
		}
	}
	if !(access.Principal{Name: "bob", Role: access.Analyst}).May(access.Export, access.Experiment{Key: "open", Owner: "growth"}) {
		t.Error("without readers the role is enough")
	}
}
