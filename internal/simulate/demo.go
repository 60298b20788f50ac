package simulate

import (
	"embed"
	"io/fs"
	"time"
)

//go:embed demo
var demo embed.FS

// DemoFiles holds the experiment and metric files of the demo, in the folders
// experiments and metrics. They name the kill switch DemoSwitch.
func DemoFiles() (fs.FS, error) { return fs.Sub(demo, "demo") }

// DemoSwitch is the kill switch that the demo's experiments name.
const DemoSwitch = "demo-flags"

// DemoAttribute is the attribute that the demo's exposures carry and one of its
// experiments splits by; it has to be on the allow-list.
const DemoAttribute = "device"

// DemoFlags returns the flags of the stories.
func DemoFlags(stories []Story) []Flag {
	flags := make([]Flag, len(stories))
	for i, s := range stories {
		flags[i] = s.Flag()
	}
	return flags
}

// DemoStories returns the four experiments of the demo, 500 visitors a second
// in all. The effects are large, since a demo has a minute where an experiment
// has weeks.
func DemoStories() []Story {
	return []Story{winner(), harmful(), broken(), silent()}
}

const (
	control   = "control"
	treatment = "treatment"
)

// split makes a story of two equal arms; control does what users do anyway.
func split(key string, rate float64, base, treated []Habit) Story {
	return Story{Key: key, Rate: rate, Base: base, Arms: []Arm{
		{Variant: control, Weight: 1, Habits: base},
		{Variant: treatment, Weight: 1, Habits: treated},
	}}
}

func buys(chance float64) Habit {
	return Habit{Event: "purchase", Chance: chance, Low: 900, High: 9900}
}
func fails(chance float64) Habit { return Habit{Event: "error", Chance: chance} }

// winner: 12 % of the visitors buy, 19 % with the new button.
func winner() Story {
	return split("checkout-button", 130,
		[]Habit{buys(0.12), fails(0.02)},
		[]Habit{buys(0.19), fails(0.02)})
}

// harmful: the new search fails 10 % of the visitors instead of 3 %, and fewer
// of them find anything.
func harmful() Story {
	return split("new-search", 140,
		[]Habit{{Event: "result_click", Chance: 0.30, Tries: 4}, buys(0.10), fails(0.03)},
		[]Habit{{Event: "result_click", Chance: 0.26, Tries: 4}, buys(0.08), fails(0.10)})
}

// broken: no effect at all, but a redirect swallows a quarter of the
// treatment's exposures.
func broken() Story {
	s := split("price-badge", 160,
		[]Habit{buys(0.10), fails(0.02)},
		[]Habit{buys(0.10), fails(0.02)})
	s.Arms[1].Lost = 0.25
	return s
}

// silent: its producer dies after 20 seconds.
func silent() Story {
	s := split("onboarding", 70,
		[]Habit{{Event: "setup_done", Chance: 0.40}, fails(0.02)},
		[]Habit{{Event: "setup_done", Chance: 0.44}, fails(0.02)})
	s.Stops = 20 * time.Second
	return s
}
