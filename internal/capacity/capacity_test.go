package capacity

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/assay-dev/assay/internal/golden"
	"github.com/assay-dev/assay/internal/testref"
)

// loads are the rows of docs/capacity.md.
var loads = []float64{1e9, 1e10, 1e11}

func planned() []Plan {
	var plans []Plan
	for _, events := range loads {
		plans = append(plans, Compute(events, Measured(), Assumed()))
	}
	return plans
}

// TestPage holds the computed part of docs/capacity.md against the figures; -update
// writes it.
func TestPage(t *testing.T) {
	file := filepath.Join(testref.Root(t), "docs", "capacity.md")
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	between := regexp.MustCompile(`(?s)(<!-- capacity -->\n).*(<!-- /capacity -->)`)
	if !between.Match(page) {
		t.Fatal("docs/capacity.md has no place for what is computed")
	}
	text := "${1}" + regexp.MustCompile(`\$`).ReplaceAllString(Page(planned(), Measured(), Assumed()), "$$$$") + "${2}"
	golden.File(t, file, between.ReplaceAll(page, []byte(text)))
}

// TestCompute does the sums of one load by hand.
func TestCompute(t *testing.T) {
	f := Figures{
		Consumer: Figure{Value: 4}, ClickHouse: Figure{Value: 2}, Broker: Figure{Value: 1}, Shard: Figure{Value: 1e5}, Whole: Figure{Value: 4e5},
		Unit: Figure{Value: 100}, Event: Figure{Value: 50}, Row: Figure{Value: 30}, Record: Figure{Value: 200}, Insert: Figure{Value: 100},
		Restore: Figure{Value: 1}, RestoreDB: Figure{Value: 1}, PartsOfShard: Figure{Value: 5}, Part: Figure{Value: 0.2},
	}
	a := Assumptions{
		Peak: 2, EventsPerUnit: 5, HeldHours: 0.5, KeptDays: 10, RetainedDays: 3, Copies: 3,
		Load: 0.5, Cores: 4, MemoryGB: 100, MachinePrice: 100, DiskPrice: 0.5,
	}
	p := Compute(86.4e9, f, a) // a million a second, two at the peak
	for what, v := range map[string]struct{ got, want float64 }{
		"mean":               {p.Mean, 1e6},
		"peak":               {p.Peak, 2e6},
		"partitions":         {p.Partitions, 64}, // 50,000 each, so 40
		"consumers' cores":   {p.Consumers.Cores, 8},
		"consumers' memory":  {p.Consumers.MemoryGB, 72 + 180}, // 3.6e9 events of 0.72e9 units
		"consumers":          {p.Consumers.Machines, 4},        // 252 GB of 75 each; by cores as many
		"ClickHouse's cores": {p.ClickHouse.Cores, 4},
		"ClickHouses":        {p.ClickHouse.Machines, 5}, // five times what one was given; two by cores
		"disk for events":    {p.ClickHouse.DiskGB, 25920},
		"brokers' cores":     {p.Brokers.Cores, 6},
		"brokers":            {p.Brokers.Machines, 3},
		"disk for records":   {p.Brokers.DiskGB, 155520},
		"from Kafka":         {p.FromKafka, 3.2},
		"into ClickHouse":    {p.IntoDB, 1.6},
		"start":              {p.StartSeconds, 450}, // by the consumers' eight cores
		"all sums":           {p.WholeLook, 64},
		"machines":           {p.Machines, 4 + 5 + 3 + 2},
		"their cost":         {p.MachineCost, 1400},
		"disks' cost":        {p.DiskCost, 90720},
		"times measured":     {p.TimesMeasured, 5},
	} {
		if math.Abs(v.got-v.want) > 1e-9*v.want {
			t.Errorf("%s: %v, want %v", what, v.got, v.want)
		}
	}
	e := EndsOf(f, a)
	if e.Shards != 1000 || e.Partition != 1e5 || math.Abs(e.OneClickHouse-17.28e9) > 1 || math.Abs(e.ByShards-1000*50e3/2*86400) > 1 {
		t.Errorf("where it ends: %+v", e)
	}
}

// TestSmall: of everything there is the least that survives the loss of a machine.
func TestSmall(t *testing.T) {
	p := Compute(1000, Measured(), Assumed())
	if p.Partitions != 4 || p.Consumers.Machines != 2 || p.ClickHouse.Machines != 1 || p.Brokers.Machines != 3 {
		t.Errorf("a thousand events a day: %+v", p)
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.07: "0.07", 0.1254: "0.125", 1: "1", 12.54: "12.5", 999.6: "1,000", 1234: "1,230", 3472222: "3,470,000"} {
		if got := number(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{1e9: "10⁹", 1e11: "10¹¹", 5e9: "5,000,000,000"} {
		if got := power(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}
