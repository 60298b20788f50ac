package killswitch

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// trafficMessage is the body of a webhook's call. It is the same at every attempt.
type trafficMessage struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"` // of the decision
	Data      struct {
		Action     string  `json:"action"` // traffic
		Experiment string  `json:"experiment"`
		Iteration  uint32  `json:"iteration"`
		Flag       string  `json:"flag"`
		Traffic    float64 `json:"traffic"` // 0..1, from now on
		Was        float64 `json:"was"`     // 0..1, before
		Step       int     `json:"step"`
		Revert     bool    `json:"revert,omitempty"`
		Reason     string  `json:"reason"`
		Evidence   string  `json:"evidence,omitempty"`
	} `json:"data"`
}

func (w Webhook) ramper() ramper { return webhook{config: w} }

// CannotSet implements ramper: a step that cannot be read back is never verified.
func (w webhook) CannotSet(float64) string {
	if w.config.ReadBack.URL == "" || w.config.ReadBack.Traffic == "" {
		return "a webhook's ramp needs read_back.traffic, the path to the percentage in the answer of read_back.url"
	}
	return ""
}

// Traffic implements ramper. It goes to the address of the off call, of another type.
func (w webhook) Traffic(r TrafficRequest, at time.Time) (Step, error) {
	if r.Key == "" {
		return Step{}, errNoKey
	}
	m := trafficMessage{Type: "experiment.ramp", Timestamp: r.DecidedAt.UTC()}
	m.Data.Action, m.Data.Experiment, m.Data.Iteration, m.Data.Flag = "traffic", r.Experiment, r.Iteration, r.flag()
	m.Data.Traffic, m.Data.Was, m.Data.Step, m.Data.Revert = r.Traffic, r.Was, r.Step, r.Revert
	m.Data.Reason, m.Data.Evidence = r.Reason, r.Evidence
	body, err := json.Marshal(m)
	if err != nil {
		return Step{}, fmt.Errorf("write the message: %w", err)
	}
	return w.post(r.Request, at, body), nil
}

// ReadTraffic implements ramper: the value at the path is a percentage.
func (w webhook) ReadTraffic(t Target, wanted float64) (Step, bool) {
	if w.CannotSet(wanted) != "" {
		return Step{}, false
	}
	return Step{Call: w.readCall(t), Then: func(a Answer) Reply {
		reads := ""
		reply := readState(a, func(body []byte) (bool, error) {
			value, err := w.traffic.find(body)
			if err != nil {
				return false, err
			}
			percent, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return false, fmt.Errorf("%q is no percentage", value)
			}
			reads = percentText(percent / 100)
			return math.Abs(percent-100*wanted) < 1e-6, nil
		})
		reply.Reads = reads
		return reply
	}}, true
}
