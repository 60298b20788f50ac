package sources_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
)

func header(pairs ...string) (out []ingest.Header) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, ingest.Header{Key: pairs[i], Value: []byte(pairs[i+1])})
	}
	return out
}

// An envelope gives the record within it its identity, and a time if it has none.
func TestCloudEvents(t *testing.T) {
	const (
		track     = `{"type":"track","event":"Signed Up","messageId":"m-1","userId":"u-1","timestamp":"2026-03-01T12:00:00.123Z"}`
		tracked   = `{"type":"outcome","id":"/app 9","ts":1772366400123,"unit":"u-1","unit_kind":"user","event":"Signed Up","value":1}`
		imp       = `{"featureName":"cta","context":{"userId":"u-1"},"enabled":true,"eventType":"getVariant","variant":"b"}`
		impressed = `{"type":"exposure","id":"/app 9","ts":1772366401500,"unit":"u-1","unit_kind":"user","experiment":"cta","variant":"b"}`
		own       = `{"type":"outcome","ts":1772366400123,"unit":"u-1","event":"x","id":"mine","other":{"a":[1]}}`
		owned     = `{"id":"/app 9","type":"outcome","ts":1772366400123,"unit":"u-1","event":"x","other":{"a":[1]}}`
		envelope  = `{"specversion":"1.0","id":"9","source":"/app","type":"t","time":"2026-03-01T12:00:01.5Z",`
	)
	inText := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }
	ce := header("ce_specversion", "1.0", "ce_id", "9", "ce_source", "/app", "ce_type", "t", "ce_time", "2026-03-01T12:00:01.5Z", "content-type", "application/json")
	for _, c := range []struct {
		mapping, value string
		headers        []ingest.Header
		want           string
	}{
		{"segment", envelope + `"data":` + track + `}`, nil, tracked},
		{"segment", envelope + `"data":` + inText(track) + `}`, nil, tracked},
		{"segment", envelope + `"data_base64":"` + base64.StdEncoding.EncodeToString([]byte(track)) + `"}`, nil, tracked},
		{"segment", track, ce, tracked},
		{"unleash", envelope + `"data":` + imp + `}`, nil, impressed},
		{"unleash", imp, ce, impressed},
		{"native", envelope + `"data":` + own + `}`, nil, owned},
		{"native", own, ce, owned},
		{"native", `{"type":"outcome","unit":"u-1","event":"x"}`, ce, `{"id":"/app 9","ts":1772366401500,"type":"outcome","unit":"u-1","event":"x"}`},
		{"segment", envelope + `"data_base64":"%%"}`, nil, "bad_json"},
		{"segment", envelope + `"data_base64":"e30"}`, nil, "bad_json"},
		{"segment", envelope + `"id":"10","data":` + track + `}`, nil, "bad_json"},
		{"segment", envelope + `"data":{"type":"identify"}}`, nil, "filtered"},
		{"native", envelope + `"data":[]}`, nil, "bad_json"},
		// Headers that are no envelope change nothing.
		{"native", own, header("traceparent", "00-1", "ce_id", "9"), own},
		{"native", `{"type":"outcome","ts":1772366400123,"unit":"u-1","event":"specversion"}`, nil, `{"type":"outcome","ts":1772366400123,"unit":"u-1","event":"specversion"}`},
	} {
		rec := record(c.value)
		rec.Headers = c.headers
		d := decoder(t, c.mapping, nil)
		events, dead := d.Native(rec)
		got := ""
		if dead != nil {
			got = string(dead.Reason)
		} else if len(events) == 1 {
			got = string(events[0].JSON)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s %s: %s(%+v)", c.mapping, c.value, diff, dead)
			continue
		}
		sameAsNative(t, d, ingest.NewDecoder(fixtureKey, nil), rec)
	}
}

// The two halves of the identity cannot be shifted against one another, and a
// list's elements within one envelope are told apart.
func TestIdentityInEnvelope(t *testing.T) {
	ids := map[string]bool{}
	for _, e := range []struct{ source, id string }{{"/a", "b"}, {"/a/b", ""}, {"/ab", "1"}, {"/a", "b1"}} {
		rec := record(`{"events":[{"event_type":"a","user_id":"u","time":1772366400123},{"event_type":"b","user_id":"u","time":1772366400123}]}`)
		rec.Headers = header("ce_specversion", "1.0", "ce_id", e.id, "ce_source", e.source)
		events, dead := decoder(t, "amplitude", nil).Native(rec)
		if dead != nil || len(events) != 2 {
			t.Fatal(dead, events)
		}
		for _, n := range events {
			id, _, _ := strings.Cut(string(n.JSON[len(`{"type":"outcome","id":`):]), ",")
			if ids[id] {
				t.Errorf("%s is there twice", id)
			}
			ids[id] = true
		}
	}
}
