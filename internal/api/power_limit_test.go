package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/planning"
)

// TestPowerIsBounded: a question that is too long is not read, and who asks for what
// takes too long is told so.
func TestPowerIsBounded(t *testing.T) {
	w := newWorld()
	_, h := serve(t, w)
	long := `{"metrics":[{"metric":"m","mean":0.1,"binary":true}],"experiment":"` + strings.Repeat("x", mostQuestion) + `"}`
	if r := do(h, "POST", Prefix+"/power", long); r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a long question: %d", r.StatusCode)
	}
	w.late = fmt.Errorf("others plan: %w", planning.ErrLate)
	r := do(h, "POST", Prefix+"/power", `{"lift":0.1,"metrics":[{"metric":"m","mean":0.1,"binary":true}]}`)
	var p Problem
	if err := json.Unmarshal([]byte(r.body), &p); err != nil || p.Status != http.StatusServiceUnavailable || p.Hint == "" {
		t.Errorf("%+v, %v", p, err)
	}
}
