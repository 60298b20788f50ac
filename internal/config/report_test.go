package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const letters = `
notify:
  email: {server: "smtp.example.com:587", from: assay@example.com, to: [oncall@example.com]}
  slack: {channel: C1, token: {env: SLACK}}
`

// TestReport: what is not said follows from notify, and what cannot work is refused with
// the setting's name.
func TestReport(t *testing.T) {
	parse := func(text string) (Config, error) {
		c := Default()
		if err := Parse([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		return c, c.Validate()
	}
	c, err := parse(letters + "report: {timezone: Europe/Berlin, at: \"07:30\"}\n")
	if err != nil {
		t.Fatal(err)
	}
	s, scheduled, err := c.Report.Schedule()
	if err != nil || !scheduled || s.Zone.String() != "Europe/Berlin" || s.At.Hour != 7 || s.At.Minute != 30 || s.CatchUp != 3 {
		t.Errorf("%+v, scheduled %t, %v", s, scheduled, err)
	}
	if d := cmp.Diff([]string{"email", "slack"}, c.Report.Over(c.Notify)); d != "" {
		t.Error(d)
	}
	for text, want := range map[string]string{
		"":                                             "",
		"report: {send: [slack]}":                      "",
		"report: {at: 8}":                              "report.at: ",
		"report: {timezone: Atlantis}":                 "report.timezone: ",
		"report: {timezone: Local}":                    "report.timezone: ",
		"report: {send: [pager]}":                      "report.send: ",
		"report: {send: [email, email]}":               "report.send: ",
		"report: {catch_up: 0}":                        "report.catch_up: ",
		"report: {catch_up: 365}":                      "report.catch_up: ",
		"report: {url: \"file:///etc\"}":               "report.url: ",
		"report: {url: \"https://a.example/reports\"}": "",
	} {
		switch _, err := parse(letters + text); {
		case want == "" && err != nil, want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)):
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := parse("report: {send: [email]}"); err == nil || !strings.Contains(err.Error(), "notify.email is not configured") {
		t.Errorf("a channel that is not there: %v", err)
	}
}
