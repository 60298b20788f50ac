package sources_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/testref"
)

var update = flag.Bool("update", false, "write generated files anew")

// shopLog is the log of testdata/replay: 600 visitors over three days.
func shopLog() []byte {
	r := rand.New(rand.NewPCG(2026, 2))
	start := time.Date(2026, 2, 1, 8, 0, 0, 0, time.UTC)
	var log bytes.Buffer
	events := 0
	line := func(at time.Time, visitor int, rest string) {
		events++
		country := []string{"DE", "FR", "NL", "AT"}[visitor%4]
		text := fmt.Sprintf(`{"event":"e%05d","at":%q,"visitor":{"id":"v-%04d","country":%q},%s}`+"\n",
			events, at.Format("2006-01-02T15:04:05.000Z07:00"), visitor, country, rest)
		log.WriteString(text)
		if r.IntN(40) == 0 {
			log.WriteString(text) // sent twice
		}
	}
	view := func(arm int) string {
		return fmt.Sprintf(`"kind":"view","test":{"key":"free-shipping","arm":%q}`, string(rune('A'+arm)))
	}
	order := func() string { return fmt.Sprintf(`"kind":"order","total":"%d.%02d"`, 5+r.IntN(120), r.IntN(100)) }
	for v := range 600 {
		at := start.Add(time.Duration(v)*7*time.Minute + time.Duration(r.IntN(60_000))*time.Millisecond)
		if v%50 == 7 {
			line(at.Add(-time.Hour), v, order()) // before the view
		}
		if v%30 == 11 {
			line(at.Add(2*time.Hour), v, order()) // read before the view, but later than it
		}
		line(at, v, view(v%2))
		for range r.IntN(3) {
			line(at.Add(time.Duration(1+r.IntN(90))*time.Minute), v, order())
		}
		if v%75 == 20 {
			line(at.Add(5*time.Minute), v, view(1-v%2)) // a crossover
		}
		if v%120 == 60 {
			log.WriteString(broken(v / 120))
		}
	}
	return log.Bytes()
}

// broken is one of five lines that cannot be read.
func broken(which int) string {
	return []string{
		`{"event":"b0","at":"2026-02-01T09:00:00Z","visitor":{"id":"v-0001"`,
		`{"event":"b1","at":"2026-02-01T09:00:00Z","visitor":{"country":"DE"},"kind":"order","total":"10.00"}`,
		`{"event":"b2","at":"2026-02-01T09:00:00Z","visitor":{"id":"v-0001","country":"DE"},"kind":"order","total":"ten"}`,
		`{"event":"b3","at":"yesterday","visitor":{"id":"v-0001","country":"DE"},"kind":"order","total":"10.00"}`,
		`{"event":"b4","at":"2026-02-01T09:00:00Z","visitor":{"id":"v-0001","country":"DE"},"kind":"view","test":{"key":"free-shipping","arm":"C"}}`,
	}[which] + "\n"
}

func TestShopLog(t *testing.T) {
	path := filepath.Join(testref.Root(t), "testdata", "replay", "shop.ndjson")
	if *update {
		if err := os.WriteFile(path, shopLog(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, shopLog()) {
		t.Errorf("%s is not what the generator makes: run with -update", path)
	}
}
