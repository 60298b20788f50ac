package pages

import (
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/words"
)

// trust is whether the data can be trusted, in a word and in the few facts that say so.
type trust struct {
	Word  string
	Tone  catalog.Tone
	Why   []string
	Facts []fact
}

// fact is one thing that is known of the data.
type fact struct {
	Tone catalog.Tone
	Text string
	At   time.Time // when not zero, the text ends with its age
}

// trustIn puts the state of the data in plain words.
func trustIn(h *catalog.Health) trust {
	t := trust{Word: "Yes", Tone: catalog.Good, Why: h.Why}
	switch h.State {
	case catalog.Stopped:
		t.Word, t.Tone = "No", catalog.Bad
	case catalog.Doubted:
		t.Word, t.Tone = "Mostly", catalog.Warn
	}
	t.Facts = append(t.Facts, freshness(h), reconciled(h), gaps(h), dead(h))
	if f, ok := placebo(h); ok {
		t.Facts = append(t.Facts, f)
	}
	if n := len(h.Unknown); n > 0 {
		t.Facts = append(t.Facts, fact{Tone: catalog.Warn, Text: fmt.Sprintf("%d experiments are exposed and have no file", n)})
	}
	return t
}

// soon is how late counts are that people would call new.
const soon = 10 * time.Second

func freshness(h *catalog.Health) fact {
	if len(h.Shards) == 0 {
		return fact{Tone: catalog.Bad, Text: "nobody reads the topics"}
	}
	least := h.Shards[0].Freshness
	tone := catalog.Good
	for _, s := range h.Shards {
		if s.Freshness.Before(least) {
			least = s.Freshness
		}
		if s.State != catalog.OK || s.Silent {
			tone = catalog.Bad
		}
	}
	if behind := h.At.Sub(least); behind < soon {
		return fact{Tone: tone, Text: fmt.Sprintf("counted to within %.0f s of now", soon.Seconds())}
	}
	return fact{Tone: tone, Text: "counted up to", At: least}
}

func reconciled(h *catalog.Health) fact {
	r := h.Reconciliation
	text := fmt.Sprintf("%s of %s records unaccounted for", words.Count(r.Difference), words.Count(int64(r.Records)))
	if r.Difference != 0 {
		return fact{Tone: catalog.Bad, Text: text}
	}
	return fact{Tone: catalog.Good, Text: text}
}

func gaps(h *catalog.Health) fact {
	if n := len(h.Gaps); n > 0 {
		return fact{Tone: catalog.Warn, Text: fmt.Sprintf("%d gaps in the log", n)}
	}
	return fact{Tone: catalog.Good, Text: "no gap in the log"}
}

func dead(h *catalog.Health) fact {
	n := uint64(0)
	for _, d := range h.DeadLetters {
		n += d.Count
	}
	if n > 0 {
		return fact{Tone: catalog.Neutral, Text: words.Count(int64(n)) + " records could not be read"}
	}
	return fact{Tone: catalog.Good, Text: "every record could be read"}
}

func placebo(h *catalog.Health) (fact, bool) {
	judged, alarms, suspect := 0, 0, 0
	for _, p := range h.Placebos {
		judged += p.Judged
		alarms += p.Alarms
		suspect += len(p.Suspect)
	}
	if judged == 0 {
		return fact{}, false
	}
	text := fmt.Sprintf("%d false alarms in %d A/A halvings", alarms, judged)
	if suspect > 0 {
		return fact{Tone: catalog.Warn, Text: text}, true
	}
	return fact{Tone: catalog.Good, Text: text}, true
}
