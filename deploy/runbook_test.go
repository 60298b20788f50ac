package deploy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// runbookURL is where people on call find the pages; docs/runbook holds them.
const runbookURL = "https://github.com/assay-dev/assay/blob/main/docs/runbook/"

// pageSections are the headings of every page of the runbook, in this order.
var pageSections = []string{"What it means", "What to look at", "What to do", "When to wake whom"}

// guides are the operator's guide and the pages of the runbook: what they say is
// run by the tests of this package.
func guides(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob(doc(t, "runbook/*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("pages of the runbook: %v, %v", pages, err)
	}
	return append(pages, doc(t, "operations.md"))
}

// TestRunbook: every alert leads to a page of its own, which has the four sections
// with something in each, and every page is of an alert.
func TestRunbook(t *testing.T) {
	pages := map[string]bool{}
	for _, page := range guides(t) {
		pages[filepath.Base(page)] = true
	}
	delete(pages, "README.md")
	delete(pages, "operations.md")
	for _, a := range alerts(t) {
		page := a.Alert + ".md"
		if got, want := a.Annotations["runbook_url"], runbookURL+page; got != want {
			t.Errorf("%s: runbook_url %q, want %q", a.Alert, got, want)
		}
		if !pages[page] {
			t.Errorf("docs/runbook has no page %s", page)
			continue
		}
		delete(pages, page)
		text := string(read(t, doc(t, "runbook/"+page)))
		if want := "# " + a.Alert + "\n\n`" + a.Labels["severity"] + "`: "; !strings.HasPrefix(text, want) {
			t.Errorf("%s does not begin with %q", page, want)
		}
		var found []string
		for _, section := range strings.Split(text, "\n## ")[1:] {
			title, body, _ := strings.Cut(section, "\n")
			found = append(found, title)
			if strings.TrimSpace(body) == "" {
				t.Errorf("%s says nothing under %s", page, title)
			}
		}
		if diff := cmp.Diff(pageSections, found); diff != "" {
			t.Errorf("sections of %s (-want +got):\n%s", page, diff)
		}
	}
	for page := range pages {
		t.Errorf("docs/runbook/%s is of no alert", page)
	}
}

// TestAlertsTable holds the list of alerts in docs/operations.md against the
// rules; -update writes it.
func TestAlertsTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("<!-- alerts -->\n| alert | | what it says |\n|---|---|---|\n")
	variable := regexp.MustCompile(`\{\{ *\$(?:labels\.)?(\w+)[^}]*\}\}`)
	for _, a := range alerts(t) {
		says := variable.ReplaceAllString(a.Annotations["summary"], "*$1*")
		fmt.Fprintf(&b, "| [%s](runbook/%s.md) | %s | %s |\n", a.Alert, a.Alert, a.Labels["severity"], says)
	}
	b.WriteString("<!-- /alerts -->")
	matchesPart(t, "operations.md", "alerts", b.String())
}

// TestGuidesNameWhatExists: every metric that a guide names is registered, and
// every page that it links to is there.
func TestGuidesNameWhatExists(t *testing.T) {
	known, families := map[string]bool{}, map[string]bool{} // of databases and accounts there are other names
	family := regexp.MustCompile(`^assay_[a-z]+_`)
	for _, list := range registered(t) {
		for _, m := range list {
			known[m.name], families[family.FindString(m.name)] = true, true
		}
	}
	names := regexp.MustCompile(`\bassay_[a-z]+_[a-z_]+\b`)
	links := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for _, guide := range guides(t) {
		text := string(read(t, guide))
		for _, name := range names.FindAllString(text, -1) {
			if families[family.FindString(name)] && !known[name] {
				t.Errorf("%s: nothing registers %s", filepath.Base(guide), name)
			}
		}
		for _, link := range links.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(guide), link[1])); err != nil {
				t.Errorf("%s leads nowhere: %v", filepath.Base(guide), err)
			}
		}
	}
}
