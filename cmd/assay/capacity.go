package main

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/capacity"
)

type capacityCmd struct {
	Events []float64 `help:"Events a day; several are put side by side." default:"1e9,1e10,1e11" placeholder:"N,..."`

	Peak          float64 `help:"The busiest seconds, times the day's mean." default:"3"`
	EventsPerUnit float64 `help:"Events of a unit while it is held in memory." default:"10"`
	HeldHours     float64 `help:"How long units are to be held in memory; what returns later is read back." default:"1"`
	KeptDays      float64 `help:"Days for which events are kept." default:"30"`
	RetainedDays  float64 `help:"Days for which Kafka keeps records." default:"7"`
	Copies        float64 `help:"Replicas of each record in Kafka." default:"3"`
	Load          float64 `help:"Share of a machine's processors that may be busy." default:"0.5"`
	Cores         float64 `help:"Cores of a machine." default:"16"`
	MemoryGB      float64 `name:"memory-gb" help:"Memory of a machine, GB." default:"64"`
	MachinePrice  float64 `help:"Price of a machine for a month; an assumption, put in yours." default:"500"`
	DiskPrice     float64 `help:"Price of a GB of disk for a month; an assumption, put in yours." default:"0.1"`
}

// Help says what it rests on.
func (capacityCmd) Help() string {
	return manual("Computes what a number of events a day needs: partitions, processors, memory, disks, machines, money, and where the design ends. From figures that were measured (docs/capacity.md), and from your assumptions. It asks no server.",
		[]string{"assay capacity --events 5e9 --kept-days 90", "assay capacity --events 1e10 --machine-price 310 --disk-price 0.045 --json"})
}

// Run computes and prints.
func (c capacityCmd) Run(env *environment) error {
	a := capacity.Assumptions{
		Peak: c.Peak, EventsPerUnit: c.EventsPerUnit, HeldHours: c.HeldHours, KeptDays: c.KeptDays, RetainedDays: c.RetainedDays, Copies: c.Copies,
		Load: c.Load, Cores: c.Cores, MemoryGB: c.MemoryGB, MachinePrice: c.MachinePrice, DiskPrice: c.DiskPrice,
	}
	for _, v := range append([]float64{a.Peak, a.EventsPerUnit, a.HeldHours, a.KeptDays, a.RetainedDays, a.Copies, a.Load, a.Cores, a.MemoryGB}, c.Events...) {
		if !(v > 0) || math.IsInf(v, 0) {
			return usage(app.WithHint(fmt.Errorf("%v is no number of anything here", v), "every number but a price must be above 0"))
		}
	}
	if a.Load > 1 || a.Peak < 1 || a.MachinePrice < 0 || a.DiskPrice < 0 {
		return usage(app.WithHint(errors.New("no such load, peak or price"), "--load is a share up to 1, --peak at least 1, and no price is negative"))
	}
	plans := []capacity.Plan{}
	for _, events := range c.Events {
		plans = append(plans, capacity.Compute(events, capacity.Measured(), a))
	}
	return env.print(plans, func() error {
		_, err := io.WriteString(env.out, capacity.Text(plans, capacity.Measured(), a))
		return err
	})
}
