package capacity

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/assay-dev/assay/internal/terminal"
)

// line is one line of the table: a name, and what it says of a plan.
type line struct {
	name string
	of   func(Plan) string
}

var lines = []line{
	{"events a second, mean and peak", func(p Plan) string { return number(p.Mean) + ", " + number(p.Peak) }},
	{"partitions", func(p Plan) string { return number(p.Partitions) }},
	{"busy cores: consumers, ClickHouse, brokers", func(p Plan) string {
		return number(p.Consumers.Cores) + ", " + number(p.ClickHouse.Cores) + ", " + number(p.Brokers.Cores)
	}},
	{"memory of units, all consumers", func(p Plan) string { return gigabytes(p.Consumers.MemoryGB) }},
	{"disk: events, records in Kafka", func(p Plan) string { return gigabytes(p.ClickHouse.DiskGB) + ", " + gigabytes(p.Brokers.DiskGB) }},
	{"network at the peak: from Kafka, into ClickHouse", func(p Plan) string { return number(p.FromKafka) + ", " + number(p.IntoDB) + " Gbit/s" }},
	{"machines: consumers, ClickHouse, brokers, guards and serve", func(p Plan) string {
		return number(p.Consumers.Machines) + " + " + number(p.ClickHouse.Machines) + " + " + number(p.Brokers.Machines) + " + " + number(p.Watchers)
	}},
	{"a start of all consumers at the peak", func(p Plan) string { return number(p.StartSeconds) + " s" }},
	{"reading all sums, once a minute", func(p Plan) string { return number(p.WholeLook) + " ms" }},
	{"peak, over the most that one ClickHouse was given", func(p Plan) string { return number(p.TimesMeasured) + " times" }},
	{"cost a month: machines, disks", func(p Plan) string { return number(p.MachineCost) + " + " + number(p.DiskCost) }},
}

// Text is the plans as a table for a terminal, what is assumed and where the design ends.
func Text(plans []Plan, f Figures, a Assumptions) string {
	header := "EVENTS A DAY"
	for _, p := range plans {
		header += "\t" + number(p.EventsPerDay)
	}
	var rows []string
	for _, l := range lines {
		row := l.name
		for _, p := range plans {
			row += "\t" + l.of(p)
		}
		rows = append(rows, row)
	}
	return terminal.Table(header, rows) + "\nAssumed: " + a.String() + "\n\n" + strings.Join(ends(f, a), "\n") + "\n"
}

// Page is the computed part of docs/capacity.md.
func Page(plans []Plan, f Figures, a Assumptions) string {
	var b strings.Builder
	b.WriteString("It rests on these figures; where a measurement is a range, on its worse end.\n\n| figure | of what | by |\n|---|---|---|\n")
	for _, m := range f.list() {
		fmt.Fprintf(&b, "| %s %s | %s | %s |\n", number(m.Value), m.Unit, m.What, m.By)
	}
	fmt.Fprintf(&b, "\nAnd on these assumptions, which are yours to change: %s. The prices are nobody's.\n\n| events a day |", a)
	for _, p := range plans {
		b.WriteString(" " + power(p.EventsPerDay) + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(plans)) + "\n")
	for _, l := range lines {
		b.WriteString("| " + l.name + " |")
		for _, p := range plans {
			b.WriteString(" " + l.of(p) + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString("\nWhere the design ends:\n\n- " + strings.Join(ends(f, a), "\n- ") + "\n")
	return b.String()
}

func ends(f Figures, a Assumptions) []string {
	e := EndsOf(f, a)
	return []string{
		fmt.Sprintf("One ClickHouse server was given %s events a second for seven minutes, on two cores that did everything else as well: at this peak that is %s a day. What a larger server takes was not measured; beyond it the plan counts a server for each multiple.", number(f.Whole.Value), number(e.OneClickHouse)),
		fmt.Sprintf("One partition is joined by one thread, %s events a second: so much may one unit, or a few that share a partition, make at most.", number(e.Partition)),
		fmt.Sprintf("Reading all sums takes a second from %s shards on (%s parts of each at %s ms). At the planned load of a shard they carry %s events a day; that many were never tried.", number(e.Shards), number(f.PartsOfShard.Value), number(f.Part.Value), number(e.ByShards)),
	}
}

// String says the assumptions in a sentence.
func (a Assumptions) String() string {
	return fmt.Sprintf("a peak of %s times the day's mean; %s events a unit, held in memory for %s h; events kept for %s days; Kafka keeps %s copies of %s bytes for %s days; machines of %s cores and %s GB, used to %s %%, for %s a month; a GB of disk for %s a month",
		number(a.Peak), number(a.EventsPerUnit), number(a.HeldHours), number(a.KeptDays), number(a.Copies), number(Measured().Record.Value), number(a.RetainedDays),
		number(a.Cores), number(a.MemoryGB), number(100*a.Load), number(a.MachinePrice), number(a.DiskPrice))
}

// number has three digits, and thousands apart.
func number(v float64) string {
	if v == 0 {
		return "0"
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	scale := math.Pow(10, float64(digits))
	rounded := math.Round(v*scale) / scale
	if digits <= 0 {
		return thousands(strconv.FormatFloat(rounded, 'f', 0, 64))
	}
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(rounded, 'f', digits, 64), "0"), ".")
}

func thousands(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// gigabytes are told as TB from 1,000 on.
func gigabytes(v float64) string {
	if v >= 1000 {
		return number(v/1000) + " TB"
	}
	return number(v) + " GB"
}

// power writes a power of ten as one.
func power(v float64) string {
	exponent := math.Round(math.Log10(v))
	if math.Pow(10, exponent) != v {
		return number(v)
	}
	out := "10"
	for _, d := range strconv.Itoa(int(exponent)) {
		out += string([]rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[d-'0'])
	}
	return out
}
