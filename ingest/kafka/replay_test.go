package kafka

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/sources"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/testref"
)

// replayed is a broker on a real socket and under the real clock: what is
// replayed happened years after the bubble's beginning.
func replayed(t *testing.T) *harness {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(shards, exposures, outcomes), kfake.SeedTopics(1, letters))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return &harness{T: t, cluster: cluster, addrs: cluster.ListenAddrs(), store: newMemory()}
}

// apply makes a version of a folder of testdata.
func (h *harness) apply(folder string) {
	h.Helper()
	var files []experiment.File
	for _, kind := range []string{"experiments", "metrics"} {
		paths, err := filepath.Glob(filepath.Join(testref.Root(h), "testdata", folder, kind, "*.yaml"))
		if err != nil {
			h.Fatal(err)
		}
		for _, p := range paths {
			data, err := os.ReadFile(p)
			if err != nil {
				h.Fatal(err)
			}
			files = append(files, experiment.File{Name: p, Data: data})
		}
	}
	set, problems := experiment.Parse(files)
	if len(problems) > 0 {
		h.Fatal(problems)
	}
	v, _, problems := experiment.Apply(nil, set, time.Now(), "test")
	if len(problems) > 0 {
		h.Fatal(problems)
	}
	h.store.apply(*v)
}

// replay sends a file through a mapping and a broker into the join.
func (h *harness) replay(file string, mapping ...string) sources.Report {
	h.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{testref.Root(h)}, mapping...)...))
	if err != nil {
		h.Fatal(err)
	}
	m, err := sources.LoadMapping(text)
	if err != nil {
		h.Fatal(err)
	}
	cfg := DefaultProducerConfig()
	cfg.Brokers = h.addrs
	p, err := NewProducer(cfg)
	if err != nil {
		h.Fatal(err)
	}
	defer p.Close()
	report, err := sources.Replay(h.Context(), file, m, p, nil)
	if err != nil {
		h.Fatal(err)
	}
	h.untilEnd(func(c *Config) {
		c.Attributes = []string{"channel", "newbie", "assigned", "seen", "country"}
	})
	h.store.reconcile(h.T)
	return report
}

// want compares Σy of a metric, or the units, of every variant.
func (h *harness) want(key, metric string, perVariant map[string]string) {
	h.Helper()
	got := h.store.sums()
	for variant, want := range perVariant {
		s := got[key+" "+variant+" "+metric]
		have := s.sum
		if strings.HasPrefix(metric, "$") {
			have = fmt.Sprint(s.n)
		}
		if have != want {
			h.Errorf("%s %s %s is %s, want %s", key, variant, metric, have, want)
		}
	}
}

func TestReplayHillstrom(t *testing.T) {
	file := testref.Path(t, "data", "hillstrom.csv")
	h := replayed(t)
	h.apply("hillstrom")
	for run := range 2 {
		report := h.replay(file, "ingest", "sources", "hillstrom.yaml")
		if report.Rows != 64_000 || report.Broken != 0 || report.Exposures != 64_000 {
			t.Errorf("report %+v", report)
		}
		const x = "hillstrom-email"
		h.want(x, ingest.Units, map[string]string{"none": "21306", "mens": "21307", "womens": "21387"})
		h.want(x, "visit", map[string]string{"none": "2262", "mens": "3894", "womens": "3238"})
		h.want(x, "conversion", map[string]string{"none": "122", "mens": "267", "womens": "189"})
		h.want(x, "spend", map[string]string{"none": "1390833", "mens": "3031169", "womens": "2303811"})
		counts := h.store.counted()
		if d := counts[exposures].Duplicate; d != uint64(run)*64_000 || counts[exposures].Dead+counts[outcomes].Dead != 0 {
			t.Errorf("run %d: %+v", run+1, counts)
		}
	}
}

// visit is a row of ab_data.csv as the test reads it for itself.
type visit struct {
	at        time.Time
	variant   string
	converted bool
}

// readVisits reads the whole rows of ab_data.csv by user, in the order of time.
func readVisits(t *testing.T, file string, column int) map[string][]visit {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	visits := map[string][]visit{}
	for {
		cells, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			for _, v := range visits {
				slices.SortFunc(v, func(a, b visit) int { return a.at.Compare(b.at) })
			}
			return visits
		case errors.Is(err, csv.ErrFieldCount) || cells[0] == "user_id":
			continue
		case err != nil:
			t.Fatal(err)
		}
		at, err := time.Parse("2006-01-02 15:04:05.999999", cells[1])
		if err != nil {
			t.Fatal(err)
		}
		visits[cells[0]] = append(visits[cells[0]], visit{at, cells[column], cells[4] == "1"})
	}
}

func TestReplayABData(t *testing.T) {
	file := testref.Path(t, "data", "ab_data.csv")
	h := replayed(t)
	h.apply("ab_data")
	report := h.replay(file, "ingest", "sources", "ab_data.yaml")
	if report.Rows != 57_829 || report.Broken != 1 || report.Exposures != 57_828 ||
		report.Errors[0].String() != "ab_data.csv:57830: 3 columns, the header has 5" {
		t.Errorf("report %+v", report)
	}
	h.wantVisits("landing-page", "converted", readVisits(t, file, 3), map[string]string{"old_page": "old", "new_page": "new"}, true, 76)

	h.replay(file, "ingest", "sources", "ab_data_assigned.yaml")
	h.wantVisits("landing-page-assigned", "converted_assigned", readVisits(t, file, 2), map[string]string{"control": "control", "treatment": "treatment"}, false, 71)
	if d := h.store.counted()[exposures]; d.Duplicate != 0 || d.Accepted != 2*57_828 {
		t.Errorf("exposures: %+v", d)
	}
}

// wantVisits holds the moments against the rows: a unit is in the variant of its
// first row, and converts if any row from then on did; with exclude, whoever saw
// another variant too has no y.
func (h *harness) wantVisits(key, metric string, visits map[string][]visit, name map[string]string, exclude bool, crossovers int64) {
	h.Helper()
	units, converted := map[string]int{}, map[string]int{}
	twice, crossed := 0, int64(0)
	for _, v := range visits {
		first := name[v[0].variant]
		units[first]++
		if len(v) > 1 {
			twice++
		}
		other := slices.ContainsFunc(v, func(x visit) bool { return name[x.variant] != first })
		if other {
			crossed++
		}
		if !(exclude && other) && slices.ContainsFunc(v, func(x visit) bool { return x.converted }) {
			converted[first]++
		}
	}
	if len(visits) != 57_680 || twice != 148 || crossed != crossovers {
		h.Fatalf("%d users, %d of them twice, %d in two variants", len(visits), twice, crossed)
	}
	wantUnits, wantConverted := map[string]string{}, map[string]string{}
	for v, n := range units {
		wantUnits[v], wantConverted[v] = fmt.Sprint(n), fmt.Sprint(converted[v])
	}
	h.want(key, ingest.Units, wantUnits)
	h.want(key, metric, wantConverted)
	var out int64
	for cell, s := range h.store.sums() {
		if strings.HasPrefix(cell, key+" ") && strings.HasSuffix(cell, " "+ingest.CrossoverUnits) {
			out += s.n
		}
	}
	if exclude && out != crossovers {
		h.Errorf("%d crossovers are shown, want %d", out, crossovers)
	}
}

// shopLine is a line of testdata/replay/shop.ndjson as the test reads it.
type shopLine struct {
	Event   string
	At      time.Time
	Kind    string
	Total   json.Number
	Visitor struct{ ID string }
	Test    struct{ Arm string }
}

func TestReplayShop(t *testing.T) {
	file := filepath.Join(testref.Root(t), "testdata", "replay", "shop.ndjson")
	h := replayed(t)
	h.apply("replay")
	report := h.replay(file, "testdata", "replay", "shop.yaml")
	if report.Broken != 5 {
		t.Errorf("broken: %v", report.Errors)
	}
	orders, turnover, crossed := readShop(t, file)
	h.want("free-shipping", "orders", orders)
	h.want("free-shipping", "turnover", turnover)
	if got := h.store.sums()["free-shipping free "+ingest.CrossoverUnits].n + h.store.sums()["free-shipping paid "+ingest.CrossoverUnits].n; got != crossed || crossed == 0 {
		t.Errorf("%d crossovers, want %d", got, crossed)
	}
	if c := h.store.counted(); c[exposures].Duplicate == 0 || c[outcomes].Duplicate == 0 {
		t.Errorf("no line stood twice: %+v", c)
	}
}

// readShop counts orders and cents from the first view on, of visitors who saw
// one arm.
func readShop(t *testing.T, file string) (orders, turnover map[string]string, crossed int64) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]shopLine{}
	for _, raw := range strings.Split(string(text), "\n") {
		var l shopLine
		if json.Unmarshal([]byte(raw), &l) == nil && l.Visitor.ID != "" && l.Test.Arm != "C" {
			lines[l.Event] = l
		}
	}
	first, arms := map[string]shopLine{}, map[string]string{}
	for _, l := range lines {
		if l.Kind != "view" {
			continue
		}
		if f, ok := first[l.Visitor.ID]; !ok || l.At.Before(f.At) {
			first[l.Visitor.ID] = l
		}
		if !strings.Contains(arms[l.Visitor.ID], l.Test.Arm) {
			arms[l.Visitor.ID] += l.Test.Arm
		}
	}
	n, cents := map[string]int64{"A": 0, "B": 0}, map[string]int64{}
	for _, a := range arms {
		if len(a) > 1 {
			crossed++
		}
	}
	for _, l := range lines {
		who := l.Visitor.ID
		if l.Kind == "order" && len(arms[who]) == 1 && !l.At.Before(first[who].At) {
			whole, part, _ := strings.Cut(l.Total.String(), ".")
			var c int64
			if _, err := fmt.Sscan(whole+part, &c); err != nil {
				t.Fatal(err)
			}
			n[arms[who]]++
			cents[arms[who]] += c
		}
	}
	name := map[string]string{"A": "paid", "B": "free"}
	orders, turnover = map[string]string{}, map[string]string{}
	for arm := range n {
		orders[name[arm]], turnover[name[arm]] = fmt.Sprint(n[arm]), fmt.Sprint(cents[arm])
	}
	return orders, turnover, crossed
}
