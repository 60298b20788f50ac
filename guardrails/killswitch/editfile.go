package killswitch

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
)

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
		case err != nil:
			return noEdit(err)
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

// noEdit is why a file is not edited.
func noEdit(err error) Reply {
	if errors.Is(err, errNoFlag) {
		return Reply{Class: ClassNotFound, Why: err.Error()}
	}
	return Reply{Class: ClassDenied, Why: err.Error()}
}

// tryFile plans to see whether one setting of a file of flags could be changed.
func tryFile(file string, m member) Step {
	return Step{Call: Call{Method: http.MethodGet, URL: fileURL(file)}, Then: func(a Answer) Reply {
		if a.Status != http.StatusOK {
			return plain(a)
		}
		if _, _, err := edit(a.Body, m); err != nil {
			return noEdit(err)
		}
		return Reply{Next: &Step{Call: Call{Method: http.MethodOptions, URL: fileURL(file)}, Then: plain}}
	}}
}

// needsOfFile is what a vendor whose source is a file must be allowed.
func needsOfFile(file string) string {
	return "to read the file of the flags, to replace it in its folder with the same owner (" + filepath.Dir(file) + "), and to evaluate flags"
}
