package ofrep

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/assay-dev/assay/internal/assignment"
)

// success is what a unit gets of one flag. Clients need value and variant even where
// the protocol does not: some make an error of their absence.
type success struct {
	Key      string          `json:"key"`
	Value    json.RawMessage `json:"value"`
	Variant  string          `json:"variant"`
	Reason   string          `json:"reason"`
	Metadata metadata        `json:"metadata"`
}

// metadata is flat: clients take nothing else.
type metadata struct {
	ConfigVersion uint32 `json:"configVersion"`
	InExperiment  bool   `json:"inExperiment"`
	Iteration     uint32 `json:"iteration,omitempty"`
	Phase         uint16 `json:"phase,omitempty"`
	Bucket        uint32 `json:"bucket"`
	Why           string `json:"why,omitempty"` // it takes no part

	// Of a phase that measures some units only: which share, and whether this one is
	// among them. No exposure is to be logged of one that is not.
	Sample  float64 `json:"sample,omitempty"`
	Sampled *bool   `json:"sampled,omitempty"`
}

// reason is the protocol's word for a decision. Every known client takes each of them.
func reason(why assignment.Why) string {
	switch why {
	case "":
		return "SPLIT"
	case assignment.TurnedOff, assignment.ArmOff:
		return "DISABLED"
	default:
		return "DEFAULT"
	}
}

func answer(version uint32, p *assignment.Plan, a asking) success {
	d := p.Decide(a.unit, a.attributes)
	e := p.Experiment
	s := success{
		Key: e.Key, Value: e.Value(d.Variant), Variant: e.Variants[d.Variant].Key, Reason: reason(d.Why),
		Metadata: metadata{
			ConfigVersion: version, InExperiment: d.In(), Iteration: p.Iteration, Phase: p.Phase,
			Bucket: d.Bucket, Why: string(d.Why),
		},
	}
	if share := p.Sample(); d.In() && share < 1 {
		measured := !d.LeftOut
		s.Metadata.Sample, s.Metadata.Sampled = share, &measured
	}
	return s
}

// one answers for a single flag.
func (s *Server) one(w http.ResponseWriter, r *http.Request) {
	const asked = "flag"
	key := r.PathValue("key")
	a, no := read(w, r)
	if no != nil {
		no.Key = key
		s.write(w, asked, http.StatusBadRequest, no)
		return
	}
	set, _ := s.cfg.Source.Now()
	if set == nil {
		s.notReady(w, asked)
		return
	}
	p := set.Find(key)
	if p == nil {
		s.write(w, asked, http.StatusNotFound, failure{Key: key, Code: "FLAG_NOT_FOUND", Details: "assay assigns no experiment of this key"})
		return
	}
	s.write(w, asked, http.StatusOK, answer(set.Version, p, a))
}

// all answers for every flag. Its ETag covers what the unit gets and why, and with it
// the context and the configuration: a client that changes its context and sends the
// old one is not told that nothing has changed.
func (s *Server) all(w http.ResponseWriter, r *http.Request) {
	const asked = "flags"
	a, no := read(w, r)
	if no != nil {
		s.write(w, asked, http.StatusBadRequest, no)
		return
	}
	set, _ := s.cfg.Source.Now()
	if set == nil {
		s.notReady(w, asked)
		return
	}
	flags := make([]success, len(set.Plans))
	for i := range set.Plans {
		flags[i] = answer(set.Version, &set.Plans[i], a)
	}
	text, err := encode(flags)
	if err != nil {
		s.broken(w, asked, err)
		return
	}
	tag := etag(strconv.FormatUint(uint64(set.Version), 10), a.unit, string(text))
	w.Header().Set("ETag", tag)
	// Who was told of a change asks for an answer, not for whether there is one.
	if !r.URL.Query().Has("flagConfigEtag") && matches(r.Header.Values("If-None-Match"), tag) {
		s.asked.WithLabelValues(asked, "304").Inc()
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.write(w, asked, http.StatusOK, bulk{Flags: text, Metadata: bulkMetadata{set.Version}, EventStreams: []eventStream{s.offer()}})
}

type bulk struct {
	Flags        json.RawMessage `json:"flags"`
	Metadata     bulkMetadata    `json:"metadata"`
	EventStreams []eventStream   `json:"eventStreams"`
}

type bulkMetadata struct {
	ConfigVersion uint32 `json:"configVersion"`
}

func etag(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// matches tells whether If-None-Match names a tag.
func matches(headers []string, tag string) bool {
	for _, header := range headers {
		for one := range strings.SplitSeq(header, ",") {
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
				return true
			}
		}
	}
	return false
}

func (s *Server) notReady(w http.ResponseWriter, asked string) {
	s.write(w, asked, http.StatusInternalServerError, map[string]string{"errorDetails": "no configuration has been read yet"})
}

func (s *Server) broken(w http.ResponseWriter, asked string, err error) {
	s.cfg.Log.Error("answer not made", "error", err)
	s.asked.WithLabelValues(asked, "500").Inc()
	http.Error(w, `{"errorDetails":"the answer could not be made"}`, http.StatusInternalServerError)
}

func (s *Server) write(w http.ResponseWriter, asked string, status int, body any) {
	text, err := encode(body)
	if err != nil {
		s.broken(w, asked, err)
		return
	}
	s.asked.WithLabelValues(asked, strconv.Itoa(status)).Inc()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // who is gone needs no answer
}

// encode writes JSON with < and > as they are: it goes to no page.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}
