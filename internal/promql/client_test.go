package promql_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/promql"
	"github.com/assay-dev/assay/internal/signals"
)

var at = time.Date(2026, 3, 1, 9, 0, 0, 250e6, time.UTC)

func newClient(t *testing.T, c promql.Config) *promql.Client {
	t.Helper()
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	client, err := promql.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func gapOf(t *testing.T, err error) signals.Gap {
	t.Helper()
	var f *promql.Fault
	if err == nil || !errors.As(err, &f) {
		return ""
	}
	return f.Gap
}

// TestValue: of each answer of the API the number, or why there is none.
func TestValue(t *testing.T) {
	vector := func(elements string) string {
		return `{"status":"success","data":{"resultType":"vector","result":[` + elements + `]}}`
	}
	for name, c := range map[string]struct {
		status int
		body   string
		want   float64
		gap    signals.Gap
	}{
		"scalar":          {200, `{"status":"success","data":{"resultType":"scalar","result":[1772355600.25,"2.5"]}}`, 2.5, ""},
		"one element":     {200, vector(`{"metric":{"job":"a"},"value":[1772355600.25,"1e-3"]}`), 0.001, ""},
		"with a warning":  {200, `{"status":"success","warnings":["slow"],"data":{"resultType":"vector","result":[{"metric":{},"value":[1,"7"]}]}}`, 7, ""},
		"nothing":         {200, vector(``), 0, signals.NoData},
		"two elements":    {200, vector(`{"metric":{},"value":[1,"1"]},{"metric":{},"value":[1,"2"]}`), 0, signals.ManySeries},
		"NaN":             {200, vector(`{"metric":{},"value":[1,"NaN"]}`), 0, signals.NotANumber},
		"infinite":        {200, vector(`{"metric":{},"value":[1,"+Inf"]}`), 0, signals.NotANumber},
		"too large":       {200, vector(`{"metric":{},"value":[1,"1e400"]}`), 0, signals.NotANumber},
		"a histogram":     {200, vector(`{"metric":{},"histogram":[1,{"count":"1"}]}`), 0, signals.NotANumber},
		"a matrix":        {200, `{"status":"success","data":{"resultType":"matrix","result":[]}}`, 0, signals.BadQuery},
		"a string":        {200, `{"status":"success","data":{"resultType":"string","result":[1,"x"]}}`, 0, signals.BadQuery},
		"syntax":          {400, `{"status":"error","errorType":"bad_data","error":"parse error"}`, 0, signals.BadQuery},
		"execution":       {422, `{"status":"error","errorType":"execution","error":"many-to-many"}`, 0, signals.BadQuery},
		"slow":            {503, `{"status":"error","errorType":"timeout","error":"query timed out"}`, 0, signals.TimedOut},
		"not allowed":     {401, `no`, 0, signals.Denied},
		"forbidden":       {403, `{}`, 0, signals.Denied},
		"down":            {502, `<html>`, 0, signals.Unreachable},
		"too many":        {429, ``, 0, signals.Unreachable},
		"a redirect":      {302, ``, 0, signals.BadAnswer},
		"another service": {200, `<html>hello</html>`, 0, signals.BadAnswer},
		"not found":       {404, `404 page not found`, 0, signals.BadAnswer},
		"no value":        {200, vector(`{"metric":{}}`), 0, signals.BadAnswer},
		"words":           {200, vector(`{"metric":{},"value":[1,"much"]}`), 0, signals.BadAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if c.status == 302 {
					w.Header().Set("Location", "/elsewhere")
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer server.Close()
			got, err := newClient(t, promql.Config{Address: server.URL}).Value(t.Context(), "up", at)
			if got != c.want || gapOf(t, err) != c.gap || (err == nil) != (c.gap == "") {
				t.Errorf("%v, %v; want %v, %s", got, err, c.want, c.gap)
			}
		})
	}
}

// TestAsked is what a server sees: the query as it is, the time, a limit, and the token
// that no error shows.
func TestAsked(t *testing.T) {
	const query = `sum(rate(x{a="b&c"}[1m])) > 0`
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got = []string{r.Method, r.URL.String(), r.PostForm.Get("query"), r.PostForm.Get("time"), r.PostForm.Get("timeout"), r.Header.Get("Authorization")}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"status":"error","errorType":"bad_data","error":"you sent swordfish-9"}`))
	}))
	defer server.Close()
	c := newClient(t, promql.Config{Address: server.URL + "/prom/", Token: "swordfish-9", Timeout: 2500 * time.Millisecond})
	_, err := c.Value(t.Context(), query, at)
	want := []string{"POST", "/prom/api/v1/query", query, "1772355600.250", "2500ms", "Bearer swordfish-9"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if err == nil || strings.Contains(err.Error(), "swordfish") || strings.Contains(err.Error(), server.URL) {
		t.Errorf("the error shows too much: %v", err)
	}
}

// TestUnreachable: who does not answer, in time or at all, and who may not be asked.
func TestUnreachable(t *testing.T) {
	hangs := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hangs:
		case <-r.Context().Done():
		}
	}))
	defer slow.Close()
	defer close(hangs)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, c := range map[string]struct {
		address string
		want    signals.Gap
	}{
		"slow": {slow.URL, signals.TimedOut}, "gone": {gone.URL, signals.Unreachable}, "none": {"", signals.NotConfigured},
		"metadata": {"http://169.254.169.254", signals.Unreachable},
	} {
		if c.address != "" {
			c.address += "/hidden"
		}
		client := newClient(t, promql.Config{Address: c.address, Timeout: 100 * time.Millisecond})
		_, err := client.Value(t.Context(), "up", at)
		if gapOf(t, err) != c.want || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v, want %s and no path", name, err, c.want)
		}
	}
}

// TestHealthy: an endpoint that does not answer has failed its check; one that cannot be
// asked has not.
func TestHealthy(t *testing.T) {
	var auth string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		auth = r.Header.Get("Authorization")
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/ok", http.StatusFound)
		case "/sick":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/slow":
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	c := newClient(t, promql.Config{Token: "swordfish-9", Timeout: 100 * time.Millisecond, Health: map[string]string{
		"ok": server.URL + "/ok", "sick": server.URL + "/sick", "moved": server.URL + "/moved", "slow": server.URL + "/slow",
		"gone": gone.URL, "metadata": "http://169.254.169.254/",
	}})
	for name, want := range map[string]float64{"ok": 1, "sick": 0, "moved": 0, "slow": 0, "gone": 0} {
		if got, err := c.Healthy(t.Context(), name); got != want || err != nil {
			t.Errorf("%s: %v, %v; want %v", name, got, err, want)
		}
	}
	if auth != "" {
		t.Errorf("a health endpoint was sent %q", auth)
	}
	for name, want := range map[string]signals.Gap{"metadata": signals.Unreachable, "other": signals.NotConfigured} {
		if _, err := c.Healthy(t.Context(), name); gapOf(t, err) != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Healthy(ended, "ok"); gapOf(t, err) != signals.Unreachable {
		t.Errorf("while the guard ends: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []promql.Config{
		{Address: "prometheus:9090"}, {Address: "http://"}, {Address: "http://user:swordfish@host"}, {Address: "ftp://host"},
		{Health: map[string]string{"checkout": "host/healthz"}},
	} {
		if _, err := promql.New(c); err == nil || strings.Contains(err.Error(), "swordfish") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
