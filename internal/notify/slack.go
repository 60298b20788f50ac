package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/assay-dev/assay/internal/outbound"
)

// SlackConfig is a channel and a bot that may write to it (scope chat:write).
type SlackConfig struct {
	URL     string // default https://slack.com/api
	Token   outbound.Secret
	Channel string // its id, such as C0123456789
}

// slack posts with chat.postMessage, not with an incoming webhook: only the
// former answers with the message's ts, and without that there are no threads.
// One matter is one thread; what happens in it is shown in the channel too, until
// it is resolved. After a restart a matter that goes on begins a new thread.
type slack struct {
	channel string
	poster  *poster

	mu      sync.Mutex
	threads map[string]string // key → ts of the first message
}

// NewSlack makes the channel.
func NewSlack(c SlackConfig) (Channel, error) {
	switch {
	case c.Token == "":
		return nil, errors.New("token is missing")
	case c.Channel == "":
		return nil, errors.New("channel is missing")
	case c.URL == "":
		c.URL = "https://slack.com/api"
	}
	p, err := newPoster(c.URL, "chat.postMessage",
		map[string]outbound.Secret{"Authorization": "Bearer " + c.Token})
	if err != nil {
		return nil, err
	}
	return &slack{channel: c.Channel, poster: p, threads: map[string]string{}}, nil
}

// slackMessage are the arguments of chat.postMessage. Links are left as they are.
type slackMessage struct {
	Channel   string `json:"channel"`
	Text      string `json:"text"` // mrkdwn
	Thread    string `json:"thread_ts,omitempty"`
	Broadcast bool   `json:"reply_broadcast,omitempty"`
	Unfurl    bool   `json:"unfurl_links"`
	Media     bool   `json:"unfurl_media"`
}

// slackAnswer is the answer to it, which is 200 when it was refused, too.
type slackAnswer struct {
	OK    bool   `json:"ok"`
	Error string `json:"error"`
	TS    string `json:"ts"`
}

// Send implements Channel.
func (s *slack) Send(ctx context.Context, m Message) error {
	s.mu.Lock()
	thread := s.threads[m.Key]
	s.mu.Unlock()
	ts, err := s.post(ctx, slackMessage{Channel: s.channel, Text: slackText(m), Thread: thread, Broadcast: thread != "" && !m.Resolved})
	if err != nil {
		return err
	}
	s.keep(m, thread, ts)
	return nil
}

// post says something in the channel and returns its ts.
func (s *slack) post(ctx context.Context, m slackMessage) (ts string, err error) {
	body, err := encode(m)
	if err != nil {
		return "", err
	}
	got, err := s.poster.post(ctx, body, nil)
	if err != nil {
		return "", err
	}
	var a slackAnswer
	if err := json.Unmarshal(got.body, &a); err != nil {
		return "", fmt.Errorf("%s: the answer is not Slack's: %s", s.poster.host, s.poster.hider.Show(got.body))
	}
	if !a.OK {
		return "", s.refused(a.Error, got.header)
	}
	return a.TS, nil
}

// keep remembers the thread of a matter for as long as it is open.
func (s *slack) keep(m Message, thread, ts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case m.Resolved:
		delete(s.threads, m.Key)
	case thread == "":
		s.threads[m.Key] = ts
	}
}

// refused reads Slack's word for what went wrong.
func (s *slack) refused(word string, h http.Header) error {
	err := fmt.Errorf("%s refused: %s", s.poster.host, s.poster.hider.Show([]byte(word)))
	switch word {
	case "rate_limited", "ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout":
		return &Failure{Err: err, After: outbound.RetryAfter(h, s.poster.now())}
	}
	return final(err)
}

// slackMost bounds the text in characters: Slack advises 4,000 and cuts at 40,000.
const slackMost = 4000

// slackEscape disarms the three signs with which Slack's markup begins: links,
// mentions and commands such as <!channel>.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slackText is the message in mrkdwn. What does not fit is left out by the line,
// so that no escape is ever cut.
func slackText(m Message) string {
	lines := []string{"*" + m.state() + "* " + slackEscape.Replace(m.Title), slackEscape.Replace(m.Text)}
	var links []string
	for _, l := range m.Links {
		links = append(links, slackLink(l))
	}
	lines = append(lines, strings.Join(links, " · "))
	for _, f := range m.Facts {
		lines = append(lines, "• "+f.Name+": "+slackEscape.Replace(f.Value))
	}
	var b strings.Builder
	for _, l := range lines {
		if l == "" || runes(b.String())+runes(l) >= slackMost {
			continue
		}
		b.WriteString(l + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// slackLink is a link in mrkdwn.
func slackLink(l Link) string {
	return "<" + strings.ReplaceAll(slackEscape.Replace(l.URL), "|", "%7C") + "|" + slackEscape.Replace(strings.ReplaceAll(l.Name, "|", " ")) + ">"
}

func runes(s string) int { return utf8.RuneCountInString(s) }
