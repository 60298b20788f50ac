package killswitch

import "time"

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
	if err := checkBase(f.URL); err != nil {
		return nil, err
	}
	return flagd{f, newOFREP(f.URL, f.Token)}, nil
}

// Off implements Vendor.
func (f flagd) Off(r Request, _ time.Time) (Step, error) {
	return editFile(f.File, member{[]string{"flags", r.flag()}, "state", "DISABLED"}, nil), nil
}

// Try plans to see whether the file could be edited.
func (f flagd) Try(t Target) (Step, error) {
	return tryFile(f.File, member{[]string{"flags", t.flag()}, "state", "DISABLED"}), nil
}

// Read implements Vendor.
func (f flagd) Read(t Target) (Step, bool) { return f.ofrep.read(t) }

// Needs implements Vendor.
func (f flagd) Needs() string { return needsOfFile(f.File) }
