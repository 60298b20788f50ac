package killswitch

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// flagdServer is a flagd that reads its file anew for every evaluation. Its
// answers were seen on flagd, and are those of OFREP's service/openapi.yaml.
type flagdServer struct {
	file  string
	old   bool // it is one of before the reason DISABLED
	stale int  // so many evaluations come from before the file was written
}

func (f *flagdServer) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	key, ok := strings.CutPrefix(q.URL.Path, "/ofrep/v1/evaluate/flags/")
	if q.Method != http.MethodPost || !ok {
		reply(w, 404, "404 page not found")
		return
	}
	text, err := os.ReadFile(f.file)
	if err != nil {
		reply(w, 500, `{"errorDetails":"%s"}`, err)
		return
	}
	var source struct {
		Flags map[string]struct{ State string }
	}
	_ = json.Unmarshal(text, &source)
	flag, known := source.Flags[key]
	switch {
	case !known: // 404
		reply(w, 404, `{"key":"%s","errorCode":"FLAG_NOT_FOUND","errorDetails":"flag not found"}`, key)
	case flag.State == "DISABLED" && f.old: // core/pkg/service/ofrep/models.go
		reply(w, 404, "{\"key\":\"%s\",\"errorCode\":\"FLAG_NOT_FOUND\",\"errorDetails\":\"flag `%s` is disabled\"}", key, key)
	case flag.State == "DISABLED" && f.stale == 0: // 200 without a value
		reply(w, 200, `{"key":"%s","reason":"DISABLED"}`, key)
	default:
		if flag.State == "DISABLED" {
			f.stale--
		}
		reply(w, 200, `{"key":"%s","value":true,"variant":"on","reason":"TARGETING_MATCH"}`, key)
	}
}

const flagdFlags = `{
  "flags": {
    "new-search": {
      "state": "ENABLED",
      "variants": {"on": true, "off": false},
      "defaultVariant": "on",
      "targeting": {"fractional": [["on", 50], ["off", 50]]}
    },
    "other": {"state": "ENABLED"}
  }
}
`

// evaluates tells OFREP's calls, which read by POST.
func evaluates(q *http.Request) bool { return strings.HasPrefix(q.URL.Path, "/ofrep/") }

func TestFlagd(t *testing.T) {
	tests := []struct {
		name   string
		change func(*flagdServer, *Request)
		want   want
	}{
		{name: "on", want: want{kind: Applied, attempts: 1, detail: "the file is written"}},
		{name: "an older flagd", change: func(f *flagdServer, _ *Request) { f.old = true }, want: want{kind: Applied, attempts: 1}},
		{name: "flagd takes a while to see it", change: func(f *flagdServer, _ *Request) { f.stale = 2 },
			want: want{kind: Applied, attempts: 1, waited: 375 * time.Millisecond}},
		{name: "flagd does not see it", change: func(f *flagdServer, _ *Request) { f.stale = 1000 },
			want: want{kind: Unknown, attempts: 1, waited: 58875 * time.Millisecond, detail: "it still reads as on"}},
		{name: "another flag", change: func(_ *flagdServer, r *Request) { r.Flag = "elsewhere" },
			want: want{kind: NotFound, detail: "the file has no such flag"}},
		{name: "no file", change: func(f *flagdServer, _ *Request) { _ = os.Remove(f.file) },
			want: want{kind: NotFound, detail: "no such file"}},
		{name: "a file that cannot be edited", change: func(f *flagdServer, _ *Request) {
			_ = os.WriteFile(f.file, []byte(`{"flags":{"new-search":{"state":"ENABLED"},"new-search":{"state":"ENABLED"}}}`), 0o600)
		}, want: want{kind: Denied, detail: "turn it off by hand"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server, r := &flagdServer{file: filepath.Join(t.TempDir(), "flags.json")}, request()
			write(t, server.file, flagdFlags)
			if tt.change != nil {
				tt.change(server, &r)
			}
			p := &peer{system: server, reads: evaluates}
			got := p.kill(t, Config{System: Flagd{File: server.file, URL: "http://127.0.0.1:8016"}}, r, tt.want)
			if got.Kind != Applied {
				return
			}
			text, err := os.ReadFile(server.file)
			if diff := cmp.Diff(strings.Replace(flagdFlags, "ENABLED", "DISABLED", 1), string(text)); diff != "" || err != nil {
				t.Errorf("the file, %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestFlagdOffBefore: nothing is written.
func TestFlagdOffBefore(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flags.json")
	before := strings.Replace(flagdFlags, "ENABLED", "DISABLED", 1)
	write(t, file, before)
	p := &peer{system: &flagdServer{file: file}, reads: evaluates}
	p.kill(t, Config{System: Flagd{File: file, URL: "http://127.0.0.1:8016"}}, request(), want{kind: AlreadyOff})
	if diff := cmp.Diff([]string{"POST /ofrep/v1/evaluate/flags/new-search"}, p.asked); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	const body = `{"context":{"targetingKey":"assay-read-back"}}`
	if len(p.read) != 1 || p.read[0] != body {
		t.Errorf("asked with %v, want %s", p.read, body)
	}
}
