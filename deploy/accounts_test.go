package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// printed is what `assay migrate --print-users` says for a database of another
// name, statement by statement.
func printed(t *testing.T) []string {
	t.Helper()
	config := filepath.Join(t.TempDir(), "assay.yaml")
	if err := os.WriteFile(config, []byte("clickhouse:\n  database: shop\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := run(t.Context(), assay(t), nil, "--config", config, "migrate", "--print-users")
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var out []string
	for statement := range strings.SplitSeq(regexp.MustCompile(`(?m)^--.*$`).ReplaceAllString(text, ""), ";") {
		if statement = strings.TrimSpace(statement); statement != "" {
			out = append(out, statement)
		}
	}
	return out
}

// TestPrintedAccounts: the engine takes every printed statement for what it is (the
// library has nowhere to keep an account that SQL makes, so it runs none of them),
// and the accounts have the rights and the limits of users.xml, which TestRights
// tries out.
func TestPrintedAccounts(t *testing.T) {
	conn := as(t, clickhouse(t), "assay_admin")
	grants := map[string][]string{}
	made := map[string]string{} // account → its profile
	profiles := map[string]map[string]string{}
	user := regexp.MustCompile(`^CREATE USER IF NOT EXISTS shop_(\w+) IDENTIFIED BY 'PASSWORD OF shop_(\w+)' (.*)SETTINGS PROFILE 'shop_(\w+)'$`)
	grant := regexp.MustCompile(`^(GRANT .* ON .*) TO shop_(\w+)$`)
	profile := regexp.MustCompile(`(?s)^CREATE SETTINGS PROFILE IF NOT EXISTS shop_(\w+)\s+SETTINGS (.*)$`)
	for _, statement := range printed(t) {
		if err := conn.Exec(t.Context(), "EXPLAIN AST "+statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
		if m := user.FindStringSubmatch(statement); m != nil && m[1] == m[2] {
			made[m[1]] = m[4]
			if local := strings.Contains(m[3], "HOST LOCAL"); local != (m[1] == "dictionary") {
				t.Errorf("where %s may come from: %q", m[1], m[3])
			}
		} else if m := grant.FindStringSubmatch(statement); m != nil {
			grants[m[2]] = append(grants[m[2]], strings.NewReplacer("shop.", "assay.", "shop_sql.", "assay_sql.", "shop_node.", "assay_node.").Replace(m[1]))
		} else if m := profile.FindStringSubmatch(statement); m != nil {
			profiles[m[1]] = settingsOf(m[2])
		} else {
			t.Errorf("what is this: %s", statement)
		}
	}

	file := parseUsers(t, "clickhouse/users.xml")
	for _, u := range file.Users.Each {
		name := strings.TrimPrefix(u.XMLName.Local, "assay_")
		want := rights(t, u.Grants)
		for right := range want {
			if name == "reader" && strings.Contains(right, " ON assay.") {
				delete(want, right) // the older views, which a new server has no use for
			}
		}
		if diff := cmp.Diff(want, rights(t, grants[name])); diff != "" {
			t.Errorf("rights of %s (-users.xml +printed):\n%s", name, diff)
		}
		limits, err := file.profile(strings.TrimPrefix(u.Profile, "assay_"))
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(limits, profiles[made[name]]); diff != "" {
			t.Errorf("settings of %s (-users.xml +printed):\n%s", name, diff)
		}
		delete(grants, name)
	}
	for name := range grants {
		t.Errorf("users.xml has no account %s", name)
	}
}

// settingsOf reads what stands after SETTINGS: values, and constraints in the words
// of the statement.
func settingsOf(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " = ")
		out[name] = strings.ReplaceAll(value, "'", "")
	}
	return out
}
