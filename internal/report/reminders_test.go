package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/governance"
)

// TestRemindersAreReported: in every form of the day, each with what to do.
func TestRemindersAreReported(t *testing.T) {
	d := day()
	d.Experiments[0].Due = []governance.Due{{What: governance.LeftOn, Text: "units are still exposed, 3d and more after its end", Do: "turn its flag <off>"}}
	var html, mail, plain bytes.Buffer
	if err := HTML(&html, d); err != nil {
		t.Fatal(err)
	}
	if err := MailHTML(&mail, d); err != nil {
		t.Fatal(err)
	}
	if err := Markdown(&plain, d); err != nil {
		t.Fatal(err)
	}
	for form, text := range map[string]string{"html": html.String(), "mail": mail.String(), "markdown": plain.String()} {
		if !strings.Contains(text, "Reminders") || !strings.Contains(text, "units are still exposed, 3d and more after its end") || strings.Contains(text, "<off>") {
			t.Errorf("%s does not say it", form)
		}
	}
}
