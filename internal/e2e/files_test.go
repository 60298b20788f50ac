package e2e

import (
	"fmt"
	"time"
)

// at writes a time some hours away from another.
func at(now time.Time, hours float64) string {
	return now.Add(time.Duration(hours * float64(time.Hour))).UTC().Format(time.RFC3339)
}

// measures are the metrics of the exactness tests.
func (w *world) measures() {
	for name, text := range map[string]string{
		"revenue": "kind: mean\nevent: purchase\ndirection: increase\ndecimals: 2\n",
		"fine":    "kind: sum\nevent: purchase\ndirection: increase\ndecimals: 12\nwindow: 90m\n",
		"buyers":  "kind: proportion\nevent: purchase\ndirection: increase\n",
		"clicks":  "kind: count\nevent: click\ndirection: increase\nwhere: {country: DE}\n",
		"timing":  "kind: mean\nevent: timing\nvalue: attrs.ms\ndirection: decrease\ndecimals: 3\nwindow: 3h\n",
		"capped":  "kind: mean\nevent: purchase\ndirection: increase\ndecimals: 2\ncap: 19.99\n",
		"back":    "kind: retention\nevent: purchase\nfrom: 5m\nto: 2h\ndirection: increase\n",
		"ratio":   "kind: ratio\nnumerator: {event: purchase, aggregation: sum, decimals: 3, cap: 250}\ndenominator: {event: click}\ndirection: increase\nwindow: 4h\n",
		"slow":    "kind: ratio\nnumerator: {event: timing, aggregation: any, where: {country: DE}}\ndenominator: {event: timing, aggregation: sum, value: attrs.ms, decimals: 1}\ndirection: decrease\n",
		"far":     "kind: mean\nevent: purchase\ndirection: increase\nwindow: 9d\n",
	} {
		w.write("metrics/"+name+".yaml", fmt.Sprintf("name: %s\nowner: tests\n%s", name, text))
	}
}

// first are the experiments that are there from the beginning.
func (w *world) first(now time.Time) {
	w.write("experiments/alpha.yaml", w.alpha(now, "", ""))
	w.write("experiments/beta.yaml", fmt.Sprintf(`key: beta
owner: tests
unit_kind: device
variants: {treatment: 50%%, control: 50%%}
control: control
crossovers: first
window: 1d
exclude: [{country: FR}]
goals: [revenue, buyers, timing, back, ratio]
iterations:
  - {start: %s}
`, at(now, -23)))
	w.write("experiments/gamma.yaml", fmt.Sprintf(`key: gamma
owner: tests
variants: {control: 50%%, treatment: 50%%}
control: control
window: 30m
goals: [revenue]
kill_switch: flags
iterations:
  - {start: %s}
`, at(now, -6)))
}

// second adds, while records flow, an experiment that the log has long spoken
// of, a phase that begins at the apply (unless from says when) and a metric with a
// long window.
func (w *world) second(now time.Time, from string) {
	w.write("experiments/alpha.yaml", w.alpha(now, "\n      - {"+from+"traffic: 90%, settle: 1m}", ", far, back, slow"))
	w.write("experiments/delta.yaml", fmt.Sprintf(`key: delta
owner: tests
variants: {control: 40%%, treatment: 40%%, third: 20%%}
control: third
window: 7d
grace: 1h
goals: [fine, clicks]
iterations:
  - start: %s
    phases:
      - {traffic: 10%%}
      - {from: %s, traffic: 50%%}
`, at(now, -15), at(now, -8)))
}

func (w *world) alpha(now time.Time, phase, goal string) string {
	return fmt.Sprintf(`key: alpha
owner: tests
variants: {control: 50%%, treatment: 25%%, third: 25%%}
control: control
window: 1h
grace: 10m
dimensions: [{attribute: country, values: [DE, FR]}]
exclude: [{country: PL, ms: "12.5"}, {ms: true}]
goals: [revenue, fine, buyers, clicks, timing, capped, ratio%s]
iterations:
  - {start: %s, enrol_until: %s, end: %s}
  - start: %s
    phases:
      - {traffic: 20%%}
      - {from: %s, traffic: 50%%, settle: 30m}
      - {from: %s, traffic: 100%%, settle: 0s}%s
`, goal, at(now, -20), at(now, -13), at(now, -12), at(now, -11), at(now, -7), at(now, -3), phase)
}
