package deploy_test

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// usersFile is what these tests read of a users.xml.
type usersFile struct {
	Profiles profiles `xml:"profiles"`
	Users    struct {
		Each []account `xml:",any"`
	} `xml:"users"`
}

type profiles struct {
	Each []struct {
		XMLName     xml.Name
		Constraints struct {
			Each []constraint `xml:",any"`
		} `xml:"constraints"`
		Settings []struct {
			XMLName xml.Name
			Value   string `xml:",chardata"`
		} `xml:",any"`
	} `xml:",any"`
}

type constraint struct {
	XMLName xml.Name
	Min     string    `xml:"min"`
	Max     string    `xml:"max"`
	Const   *struct{} `xml:"const"`
}

// profile is a profile's settings with their constraints, in the words of SQL.
func (f usersFile) profile(name string) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range f.Profiles.Each {
		if p.XMLName.Local != "assay_"+name {
			continue
		}
		for _, s := range p.Settings {
			out[s.XMLName.Local] = s.Value
		}
		for _, c := range p.Constraints.Each {
			words := " MIN " + c.Min + " MAX " + c.Max
			if c.Const != nil {
				words = " CONST"
			}
			value, stated := out[c.XMLName.Local]
			if !stated {
				return nil, fmt.Errorf("%s: a constraint of %s, which has no value there", name, c.XMLName.Local)
			}
			out[c.XMLName.Local] = value + words
		}
	}
	return out, nil
}

type account struct {
	XMLName  xml.Name
	Password struct {
		FromEnv string `xml:"from_env,attr"`
		Text    string `xml:",chardata"`
	} `xml:"password"`
	Networks []string `xml:"networks>ip"`
	Profile  string   `xml:"profile"`
	Grants   []string `xml:"grants>query"`
}

func parseUsers(t *testing.T, file string) usersFile {
	t.Helper()
	var f usersFile
	if err := xml.Unmarshal(read(t, file), &f); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return f
}

// rights takes grants apart: one entry for each right on each object.
func rights(t *testing.T, grants []string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, g := range grants {
		list, object, ok := strings.Cut(strings.TrimPrefix(g, "GRANT "), " ON ")
		if !ok || !strings.HasPrefix(g, "GRANT ") {
			t.Fatalf("not a grant: %s", g)
		}
		for _, right := range strings.Split(list, ", ") {
			out[right+" ON "+object] = true
		}
	}
	return out
}

// onlyEmbedded is what the embedded engine's accounts may do beyond those of a
// server. There, a server's own administrator has it.
var onlyEmbedded = map[string][]string{
	"admin": {"SELECT ON system.*", "SYSTEM ON *.*", "KILL QUERY ON *.*"},
}

// TestSameRightsAsEmbedded holds the accounts of a server against those of the
// embedded engine, which every other test of the project works with.
func TestSameRightsAsEmbedded(t *testing.T) {
	inside := map[string]account{}
	for _, u := range parseUsers(t, "../internal/embedded/engine/users.xml").Users.Each {
		inside[u.XMLName.Local] = u
	}
	delete(inside, "default") // who starts the engine
	delete(inside, "cluster") // whom the engine has in a cluster alone: clickhouse/cluster-user.xml

	for _, u := range parseUsers(t, "clickhouse/users.xml").Users.Each {
		name := strings.TrimPrefix(u.XMLName.Local, "assay_")
		want := rights(t, inside[name].Grants)
		for _, right := range onlyEmbedded[name] {
			if !want[right] {
				t.Errorf("the embedded %s no longer has %s: correct onlyEmbedded", name, right)
			}
			delete(want, right)
		}
		got := map[string]bool{}
		for right := range rights(t, u.Grants) {
			// Embedded, tests use databases of their own beside assay.
			right = strings.Replace(right, " ON assay.*", " ON assay*.*", 1)
			if strings.HasSuffix(right, " ON assay_node.*") { // the same prefix
				right = strings.Replace(right, " ON assay_node.*", " ON assay*.*", 1)
				if !want[right] {
					t.Errorf("%s has %s, which it has not on assay.*", name, right)
				}
			}
			if name == "reader" {
				right = strings.Replace(right, " ON assay_sql.*", " ON assay_sql*.*", 1)
			} else if strings.HasSuffix(right, " ON assay_sql.*") {
				// Embedded, the prefix of the first names the second, too.
				right = strings.Replace(right, " ON assay_sql.*", " ON assay*.*", 1)
				if !want[right] {
					t.Errorf("%s has %s, which it has not on assay.*", name, right)
				}
			}
			got[right] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rights of %s (-embedded +server):\n%s", name, diff)
		}
		delete(inside, name)
	}
	for name := range inside {
		t.Errorf("a server has no account like the embedded %s", name)
	}
}

// TestAccounts: no password stands in the file, nobody uses a profile that is
// not there, and the account that only the server uses comes from nowhere else.
func TestAccounts(t *testing.T) {
	file := parseUsers(t, "clickhouse/users.xml")
	settings := map[string]map[string]string{}
	for _, p := range file.Profiles.Each {
		settings[p.XMLName.Local] = map[string]string{}
		for _, s := range p.Settings {
			settings[p.XMLName.Local][s.XMLName.Local] = s.Value
		}
	}
	env := services(t)["clickhouse"].Environment
	for _, u := range file.Users.Each {
		name := u.XMLName.Local
		if u.Password.Text != "" || env[u.Password.FromEnv] == "" {
			t.Errorf("%s: its password is not one that the compose file's server gets: %+v", name, u.Password)
		}
		if settings[u.Profile] == nil {
			t.Errorf("%s has profile %q, which is not in the file", name, u.Profile)
		}
		if readsOnly := strings.HasSuffix(name, "_reader") || strings.HasSuffix(name, "_dictionary"); readsOnly != (settings[u.Profile]["readonly"] == "2") {
			t.Errorf("%s: readonly is %q", name, settings[u.Profile]["readonly"])
		}
		if local := fmt.Sprint(u.Networks) == "[127.0.0.1 ::1]"; local != (name == "assay_dictionary") {
			t.Errorf("%s comes from %v", name, u.Networks)
		}
	}
	if got := settings["assay_writer"]["async_insert"]; got != "0" {
		t.Errorf("async_insert is %q: an insert would be answered before it is there", got)
	}
}
