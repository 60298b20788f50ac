package killswitch

import (
	"net/http"
	"time"
)

// GoFeatureFlag is a relay proxy of GO Feature Flag that reads its flags from a
// file: it has no call that writes. Sources: gofeatureflag.org/docs, and answers
// of the relay proxy.
type GoFeatureFlag struct {
	File       string // of the flags, JSON or YAML
	URL        string // of the relay proxy
	Token      Secret // evaluates flags; empty where it asks for none
	AdminToken Secret // has the file read again at once; empty: the proxy's next poll finds it
}

type goFeatureFlag struct {
	GoFeatureFlag
	ofrep ofrep
}

func (g GoFeatureFlag) secrets() []Secret { return []Secret{g.Token, g.AdminToken} }

func (g GoFeatureFlag) vendor() (Vendor, error) {
	var err error
	if g.File, err = flagFile(g.File); err != nil {
		return nil, err
	}
	if err := checkBase(g.URL); err != nil {
		return nil, err
	}
	return goFeatureFlag{g, newOFREP(g.URL, g.Token)}, nil
}

// Off implements Vendor.
func (g goFeatureFlag) Off(r Request, _ time.Time) (Step, error) {
	m := member{[]string{r.flag()}, "disable", true}
	if g.AdminToken == "" {
		return editFile(g.File, m, nil), nil
	}
	return editFile(g.File, m, g.refresh), nil
}

// Try plans to see whether the file could be edited.
func (g goFeatureFlag) Try(t Target) (Step, error) {
	return tryFile(g.File, member{[]string{t.flag()}, "disable", true}), nil
}

// refresh has the file read at once. The file is what counts: when the call
// fails, the next poll does the same.
func (g goFeatureFlag) refresh(c Class) Step {
	admin := newAPI(g.URL, "Authorization", "Bearer "+string(g.AdminToken))
	call := admin.get(admin.at("/admin/v1/retriever/refresh"))
	call.Method = http.MethodPost
	return Step{Call: call, Aside: true, Lost: c, Then: func(a Answer) Reply {
		why := "the file is written and was read again"
		if a.Status != http.StatusOK {
			why = "the file is written; reading it again was refused, so the next poll will"
		}
		return Reply{Class: c, Why: why}
	}}
}

// Read implements Vendor. The evaluation is exported like any other, for a user
// called assay-read-back.
func (g goFeatureFlag) Read(t Target) (Step, bool) { return g.ofrep.read(t) }

// Needs implements Vendor.
func (g goFeatureFlag) Needs() string { return needsOfFile(g.File) }
