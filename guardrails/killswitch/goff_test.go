package killswitch

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// relayProxy is a GO Feature Flag relay proxy that reads its file at a refresh
// and, when it polls, at an evaluation. Its answers were seen on the relay proxy.
type relayProxy struct {
	file  string
	polls bool
	flags map[string]struct{ Disable bool }
	fresh int // refreshes
}

const (
	relayToken = "relay-api-key-01"
	relayAdmin = "relay-admin-key-1"
)

func (p *relayProxy) load() {
	text, _ := os.ReadFile(p.file)
	p.flags = nil
	_ = yaml.Unmarshal(text, &p.flags)
}

func (p *relayProxy) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	key, evaluate := strings.CutPrefix(q.URL.Path, "/ofrep/v1/evaluate/flags/")
	token := strings.TrimPrefix(q.Header.Get("Authorization"), "Bearer ")
	switch {
	case evaluate && token == relayToken:
		if p.polls {
			p.load()
		}
		flag, known := p.flags[key]
		switch {
		case !known:
			reply(w, 404, `{"errorCode":"FLAG_NOT_FOUND","key":"%s","errorDetails":"flag was not found in your configuration"}`, key)
		case flag.Disable: // 200 without a value
			reply(w, 200, `{"key":"%s","value":null,"variant":"SdkDefault","reason":"DISABLED"}`, key)
		default:
			reply(w, 200, `{"key":"%s","value":true,"variant":"on","reason":"SPLIT"}`, key)
		}
	case q.Method == http.MethodPost && q.URL.Path == "/admin/v1/retriever/refresh" && token == relayAdmin:
		p.fresh++
		p.load()
		reply(w, 200, `{"refreshed":true}`)
	default:
		reply(w, 401, `{"message":"invalid token"}`)
	}
}

const relayFlags = `# flags of the web
new-search:
  variations: # two
    on: true
    off: false
  defaultRule:
    percentage: {on: 50, off: 50}
other:
  variations: {a: 1}
`

func TestGoFeatureFlag(t *testing.T) {
	tests := []struct {
		name   string
		admin  Secret
		change func(*relayProxy, *Request)
		faults []fault
		want   want
		fresh  int
	}{
		{name: "on, and read again at once", admin: relayAdmin, want: want{kind: Applied, attempts: 1, detail: "was read again"}, fresh: 1},
		{name: "on, and found by a poll", change: func(p *relayProxy, _ *Request) { p.polls = true },
			want: want{kind: Applied, attempts: 1, detail: "the file is written"}},
		{name: "an admin key that is not known: the poll finds it", admin: "another-admin-key", change: func(p *relayProxy, _ *Request) { p.polls = true },
			want: want{kind: Applied, attempts: 1, detail: "reading it again was refused"}},
		{name: "the refresh is lost", admin: relayAdmin, change: func(p *relayProxy, _ *Request) { p.polls = true }, faults: []fault{{lost: true}},
			want: want{kind: Applied, attempts: 1, detail: "the file is written"}},
		{name: "off in the file, but not yet in the proxy: it reads again", admin: relayAdmin, change: func(p *relayProxy, _ *Request) {
			_ = os.WriteFile(p.file, []byte(strings.Replace(relayFlags, "new-search:\n", "new-search:\n  disable: true\n", 1)), 0o600)
		}, want: want{kind: AlreadyOff, detail: "read again"}, fresh: 1},
		{name: "another flag", admin: relayAdmin, change: func(_ *relayProxy, r *Request) { r.Flag = "elsewhere" },
			want: want{kind: NotFound, detail: "the file has no such flag"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			proxy, r := &relayProxy{file: filepath.Join(t.TempDir(), "flags.yaml")}, request()
			write(t, proxy.file, relayFlags)
			proxy.load()
			if tt.change != nil {
				tt.change(proxy, &r)
			}
			p := &peer{system: proxy, faults: tt.faults, reads: evaluates}
			c := Config{System: GoFeatureFlag{File: proxy.file, URL: "http://127.0.0.1:1031", Token: relayToken, AdminToken: tt.admin}}
			got := p.kill(t, c, r, tt.want)
			if proxy.fresh != tt.fresh {
				t.Errorf("%d refreshes, want %d", proxy.fresh, tt.fresh)
			}
			if got.Kind != Applied {
				return
			}
			text, err := os.ReadFile(proxy.file)
			after := strings.Replace(relayFlags, "new-search:\n", "new-search:\n  disable: true\n", 1)
			if diff := cmp.Diff(after, string(text)); diff != "" || err != nil {
				t.Errorf("the file, %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestFilesOfFlagsAreChecked: what could never be edited is refused at the start.
func TestFilesOfFlagsAreChecked(t *testing.T) {
	for want, system := range map[string]System{
		"file is missing": Flagd{URL: "http://127.0.0.1:8016"},
		"file is TOML":    GoFeatureFlag{File: "flags.toml", URL: "http://127.0.0.1:1031"},
		"url is missing":  Flagd{File: "flags.json"},
	} {
		if _, err := New("x", Config{System: system}, Runtime{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
