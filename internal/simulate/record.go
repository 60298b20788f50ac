package simulate

import (
	"fmt"
	"strconv"
	"time"
)

// Topic is one of the two topics that events go to.
type Topic uint8

// The topics.
const (
	Exposures Topic = iota
	Outcomes
)

// String is the topic's usual name.
func (t Topic) String() string {
	if t == Exposures {
		return "assay.exposures"
	}
	return "assay.outcomes"
}

// exposure is a native exposure event. Ids, units, keys and attributes of the
// simulation need no escaping.
func exposure(id string, t time.Time, unit, experiment, variant, device string) []byte {
	return fmt.Appendf(nil, `{"type":"exposure","id":%q,"ts":%q,"unit":%q,"unit_kind":"user","experiment":%q,"variant":%q,"attrs":{"device":%q}}`,
		id, t.UTC().Format("2006-01-02T15:04:05.000Z"), unit, experiment, variant, device)
}

// outcome is a native outcome event; cents below zero mean that it has no value.
func outcome(id string, t time.Time, unit, event string, cents int) []byte {
	b := fmt.Appendf(nil, `{"type":"outcome","id":%q,"ts":%d,"unit":%q,"event":%q`, id, t.UnixMilli(), unit, event)
	if cents >= 0 {
		b = append(b, `,"value":`...)
		b = appendHundredths(b, cents)
	}
	return append(b, '}')
}

// appendHundredths writes cents as a decimal with two places.
func appendHundredths(b []byte, cents int) []byte {
	b = strconv.AppendInt(b, int64(cents/100), 10)
	return append(b, '.', byte('0'+cents/10%10), byte('0'+cents%10))
}

// garbled holds records that are not events, each for another reason.
func garbled(id string, t time.Time, unit string) [][]byte {
	whole := outcome(id, t, unit, "purchase", 1999)
	return [][]byte{
		whole[:len(whole)-9], // cut off
		fmt.Appendf(nil, `{"type":"outcome","id":%q,"ts":%d,"event":"purchase"}`, id, t.UnixMilli()),                                // no unit
		fmt.Appendf(nil, `{"type":"outcome","id":%q,"ts":"yesterday","unit":%q,"event":"purchase"}`, id, unit),                      // no time
		fmt.Appendf(nil, `{"type":"outcome","id":%q,"ts":%d,"unit":%q,"event":"purchase","value":"free"}`, id, t.UnixMilli(), unit), // no number
		fmt.Appendf(nil, `{"type":"pageview","id":%q,"ts":%d,"unit":%q}`, id, t.UnixMilli(), unit),                                  // not ours
	}
}
