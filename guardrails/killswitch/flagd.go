package killswitch

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// Flagd is a flagd that reads its flags from a file: it has no call that writes.
// Sources: flagd.dev/reference/flag-definitions, and answers of flagd.
type Flagd struct {
	File  string // of the flags, JSON or YAML
	URL   string // of its OFREP service, such as http://localhost:8016
	Token Secret // empty where it asks for none
}

type flagd struct {
	Flagd
	ofrep ofrep
}

func (f Flagd) secrets() []Secret { return []Secret{f.Token} }

func (f Flagd) vendor() (Vendor, error) {
	var err error
	if f.File, err = flagFile(f.File); err != nil {
		return nil, err
	}
	if err := checkURL("url", f.URL); err != nil {
		return nil, err
	}
	return flagd{f, newOFREP(f.URL, f.Token)}, nil
}

// Off implements Vendor.
func (f flagd) Off(r Request, _ time.Time) (Step, error) {
	return editFile(f.File, member{[]string{"flags", r.flag()}, "state", "DISABLED"}, nil), nil
}

// Read implements Vendor.
func (f flagd) Read(t Target) (Step, bool) { return f.ofrep.read(t) }

// Needs implements Vendor.
func (f flagd) Needs() string { return needsOfFile(f.File) }

func needsOfFile(file string) string {
	return "to read the file of the flags, to replace it in its folder with the same owner (" + filepath.Dir(file) + "), and to evaluate flags"
}

// flagFile is the whole path of a file that can be edited.
func flagFile(file string) (string, error) {
	switch {
	case file == "":
		return "", errors.New("file is missing: the flags' source, JSON or YAML")
	case strings.EqualFold(filepath.Ext(file), ".toml"):
		return "", errors.New("file is TOML; only JSON and YAML can be edited")
	}
	return filepath.Abs(file)
}

// editFile plans to change one setting of a file of flags: it is read, edited
// and replaced, unless somebody else has written it meanwhile. Afterwards is a
// call that makes the change known, nil without one.
func editFile(file string, m member, afterwards func(Class) Step) Step {
	end := func(c Class, why string) Reply {
		if afterwards == nil {
			return Reply{Class: c, Why: why}
		}
		next := afterwards(c)
		return Reply{Next: &next, Why: why}
	}
	return Step{Call: Call{Method: http.MethodGet, URL: fileURL(file)}, Aside: true, Then: func(a Answer) Reply {
		if a.Status != http.StatusOK {
			return plain(a)
		}
		after, changed, err := edit(a.Body, m)
		switch {
		case errors.Is(err, errNoFlag):
			return Reply{Class: ClassNotFound, Why: err.Error()}
		case err != nil:
			return Reply{Class: ClassDenied, Why: err.Error()}
		case !changed:
			return end(ClassConflict, "the file says already that it is off")
		}
		put := Call{Method: http.MethodPut, URL: fileURL(file), Header: http.Header{"If-Match": {a.Header.Get("Etag")}}, Body: after}
		return Reply{Next: &Step{Call: put, Then: func(a Answer) Reply {
			r := plain(a)
			switch {
			case a.Status == http.StatusPreconditionFailed:
				r.Class = ClassConflict
			case r.Class == ClassAccepted:
				return end(ClassAccepted, "the file is written")
			}
			return r
		}}}
	}}
}
