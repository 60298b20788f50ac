package capacity

import "math"

// Assumptions are the asker's: how the events come, how long they are kept, what
// machines there are and what they cost.
type Assumptions struct {
	Peak          float64 // times the day's mean
	EventsPerUnit float64 // within the time that units are held
	HeldHours     float64 // a unit stays in memory for so long at the peak
	KeptDays      float64 // of events in ClickHouse
	RetainedDays  float64 // of records in Kafka
	Copies        float64 // of each record in Kafka
	Load          float64 // most that a machine's processors are to be used
	Cores         float64 // of a machine
	MemoryGB      float64 // of a machine
	MachinePrice  float64 // a month
	DiskPrice     float64 // a GB and month
}

// Assumed are the assumptions of docs/capacity.md. The prices are nobody's: put in yours.
func Assumed() Assumptions {
	return Assumptions{
		Peak: 3, EventsPerUnit: 10, HeldHours: 1, KeptDays: 30, RetainedDays: 7, Copies: 3,
		Load: 0.5, Cores: 16, MemoryGB: 64, MachinePrice: 500, DiskPrice: 0.10,
	}
}

// Role is what one kind of server needs.
type Role struct {
	Cores    float64 `json:"cores"`     // busy at the peak
	MemoryGB float64 `json:"memory_gb"` // of state
	DiskGB   float64 `json:"disk_gb"`
	Machines float64 `json:"machines"`
}

// Plan is what a number of events a day needs.
type Plan struct {
	EventsPerDay  float64 `json:"events_per_day"`
	Mean          float64 `json:"mean_per_second"`
	Peak          float64 `json:"peak_per_second"`
	Partitions    float64 `json:"partitions"`
	Consumers     Role    `json:"consumers"`
	ClickHouse    Role    `json:"clickhouse"`
	Brokers       Role    `json:"brokers"`
	Watchers      float64 `json:"guards_and_serves"` // machines of two guards and a serve, shared
	FromKafka     float64 `json:"gbit_from_kafka"`
	IntoDB        float64 `json:"gbit_into_clickhouse"`
	StartSeconds  float64 `json:"start_seconds"`  // until state is back, all consumers at once
	WholeLook     float64 `json:"whole_look_ms"`  // reading all sums, once a minute
	Machines      float64 `json:"machines"`       // of all roles
	MachineCost   float64 `json:"machine_cost"`   // a month
	DiskCost      float64 `json:"disk_cost"`      // a month
	TimesMeasured float64 `json:"times_measured"` // the peak, over the most that one ClickHouse was given
}

// The least that is run of each, so that one machine may be lost.
const (
	leastBrokers    = 3
	leastConsumers  = 2
	leastPartitions = 4
	watchers        = 2
)

// Compute plans a number of events a day.
func Compute(eventsPerDay float64, f Figures, a Assumptions) Plan {
	p := Plan{EventsPerDay: eventsPerDay, Mean: eventsPerDay / (24 * 60 * 60), Watchers: watchers}
	p.Peak = a.Peak * p.Mean
	p.Partitions = partitions(p.Peak, f.Shard.Value*a.Load)

	held := p.Peak * a.HeldHours * 60 * 60
	p.Consumers = Role{
		Cores:    p.Peak * f.Consumer.Value * micro,
		MemoryGB: (held/a.EventsPerUnit*f.Unit.Value + held*f.Event.Value) / giga,
	}
	// A quarter of a consumer's memory is for records under way.
	p.Consumers.Machines = math.Max(leastConsumers, math.Max(a.machines(p.Consumers.Cores), math.Ceil(p.Consumers.MemoryGB/(0.75*a.MemoryGB))))
	p.ClickHouse = Role{Cores: p.Peak * f.ClickHouse.Value * micro, DiskGB: eventsPerDay * a.KeptDays * f.Row.Value / giga}
	p.TimesMeasured = p.Peak / f.Whole.Value
	p.ClickHouse.Machines = math.Max(a.machines(p.ClickHouse.Cores), math.Ceil(p.TimesMeasured))
	p.Brokers = Role{Cores: p.Peak * f.Broker.Value * micro * a.Copies, DiskGB: eventsPerDay * a.RetainedDays * f.Record.Value * a.Copies / giga}
	p.Brokers.Machines = math.Max(leastBrokers, a.machines(p.Brokers.Cores))

	p.FromKafka, p.IntoDB = p.Peak*f.Record.Value*8/giga, p.Peak*f.Insert.Value*8/giga
	usable := a.Cores * a.Load
	p.StartSeconds = held * micro * math.Max(f.Restore.Value/(p.Consumers.Machines*usable), f.RestoreDB.Value/(p.ClickHouse.Machines*usable))
	p.WholeLook = p.Partitions * f.PartsOfShard.Value * f.Part.Value
	p.Machines = p.Consumers.Machines + p.ClickHouse.Machines + p.Brokers.Machines + p.Watchers
	p.MachineCost = p.Machines * a.MachinePrice
	p.DiskCost = (p.ClickHouse.DiskGB + p.Brokers.DiskGB) * a.DiskPrice
	return p
}

const (
	micro = 1e-6
	giga  = 1e9
)

func (a Assumptions) machines(cores float64) float64 {
	return math.Max(1, math.Ceil(cores/(a.Cores*a.Load)))
}

// partitions are a power of two: they cannot become more without new topics.
func partitions(peak, each float64) float64 {
	return math.Max(leastPartitions, math.Exp2(math.Ceil(math.Log2(peak/each))))
}

// Ends are the loads at which the design, as it is, ends.
type Ends struct {
	OneClickHouse float64 // events a day at which the peak is what one server was given
	Shards        float64 // at which reading all sums takes a second
	Partition     float64 // events a second of one partition, and so of one unit
	ByShards      float64 // events a day that so many shards carry
}

// EndsOf computes where the design ends.
func EndsOf(f Figures, a Assumptions) Ends {
	e := Ends{
		OneClickHouse: f.Whole.Value / a.Peak * 24 * 60 * 60,
		Shards:        math.Floor(1000 / (f.PartsOfShard.Value * f.Part.Value)),
		Partition:     f.Shard.Value,
	}
	e.ByShards = e.Shards * f.Shard.Value * a.Load / a.Peak * 24 * 60 * 60
	return e
}
