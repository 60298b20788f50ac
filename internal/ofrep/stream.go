package ofrep

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/internal/access"
)

const (
	streamPath = "/ofrep/v1/events"
	// inactivity is after how long without a client doing anything its stream may be
	// closed, as the protocol has it.
	inactivity = 2 * time.Minute
	// breath keeps a quiet stream from being taken for a dead one.
	breath = 25 * time.Second
	// mostStreams bounds what is held open; others go on polling.
	mostStreams = 4096
	// keyLife is how long the key in a stream's address is handed out; it is good for
	// twice that.
	keyLife = 24 * time.Hour
)

// streams are the clients that are told of changes.
type streams struct {
	key   [32]byte // signs their addresses
	open  atomic.Int64
	ended chan struct{}
}

// eventStream is where a client is told.
type eventStream struct {
	Type       string   `json:"type"`
	Endpoint   endpoint `json:"endpoint"`
	Inactivity int      `json:"inactivityDelaySec"`
}

type endpoint struct {
	RequestURI string `json:"requestUri"`
}

// offer is the address of a stream. A browser sends no header with it, so who may ask
// for variants gets a key in it: it opens nothing but the news that there is some.
func (s *Server) offer() eventStream {
	return eventStream{"sse", endpoint{streamPath + "?key=" + s.streams.sign(s.cfg.Clock())}, int(inactivity.Seconds())}
}

func (s *streams) sign(at time.Time) string {
	mac := hmac.New(sha256.New, s.key[:])
	var day [8]byte
	binary.BigEndian.PutUint64(day[:], uint64(at.Unix())/uint64(keyLife.Seconds()))
	mac.Write(day[:])
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

func (s *streams) signed(key string, now time.Time) bool {
	for _, at := range []time.Time{now, now.Add(-keyLife)} {
		if hmac.Equal([]byte(key), []byte(s.sign(at))) {
			return true
		}
	}
	return false
}

// stream tells a client when to ask again, until it goes or the server does.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	if !s.streams.signed(r.URL.Query().Get("key"), s.cfg.Clock()) && !access.From(r.Context()).May(access.Evaluate, access.Experiment{}) {
		http.Error(w, "the key of this stream is not one of ours, or has expired: ask for all flags again", http.StatusUnauthorized)
		return
	}
	if s.streams.open.Add(1) > mostStreams {
		s.streams.open.Add(-1)
		w.Header().Set("Retry-After", "60")
		http.Error(w, "too many streams: poll instead", http.StatusTooManyRequests)
		return
	}
	defer s.streams.open.Add(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	s.tell(w, r)
}

func (s *Server) tell(w http.ResponseWriter, r *http.Request) {
	out := http.NewResponseController(w)
	t := time.NewTicker(breath)
	defer t.Stop()
	_, changed := s.cfg.Source.Now()
	text := ": assay\n\n"
	for {
		if _, err := fmt.Fprint(w, text); err != nil || out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-s.streams.ended:
			return
		case <-t.C:
			text = ":\n\n"
		case <-changed:
			set, next := s.cfg.Source.Now()
			changed = next
			text = fmt.Sprintf("data: {\"type\":\"refetchEvaluation\",\"etag\":\"%s\"}\n\n", set.Tag)
		}
	}
}
