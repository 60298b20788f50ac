package realunleash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strconv"
	"time"
)

// Where the flags are.
const (
	Project     = "default"
	Environment = "development"
)

// Role is what a user of the server may do.
type Role int

// The roles, by the server's numbers.
const (
	Editor Role = 2 // may switch flags
	Viewer Role = 3 // may look at them
)

// Event is a line of the server's audit log.
type Event struct {
	ID          int       `json:"id"`
	Type        string    `json:"type"`
	By          string    `json:"createdBy"`
	At          time.Time `json:"createdAt"`
	Environment string    `json:"environment"`
}

// Types of events.
const (
	Disabled = "feature-environment-disabled" // what a kill leaves
	Rerolled = "feature-strategy-update"      // what another rollout leaves
)

// CreateFlag makes a flag that is on for everybody.
func (s *Server) CreateFlag(ctx context.Context, name string) error {
	if err := s.call(ctx, http.MethodPost, "/api/admin/projects/"+Project+"/features", map[string]any{"name": name, "type": "experiment"}, nil); err != nil {
		return err
	}
	err := s.call(ctx, http.MethodPost, flagPath(name)+"/strategies", map[string]any{
		"name": "flexibleRollout", "parameters": map[string]string{"rollout": "100", "stickiness": "default", "groupId": name},
	}, nil)
	if err != nil {
		return err
	}
	return s.call(ctx, http.MethodPost, flagPath(name)+"/on", nil, nil)
}

func flagPath(name string) string {
	return "/api/admin/projects/" + Project + "/features/" + name + "/environments/" + Environment
}

// Off switches a flag off with somebody's token.
func (s *Server) Off(ctx context.Context, token, name string) error {
	return s.send(ctx, http.DefaultClient, token, http.MethodPost, flagPath(name)+"/off", nil, nil)
}

// Enabled tells whether a flag is on.
func (s *Server) Enabled(ctx context.Context, name string) (bool, error) {
	var state struct{ Enabled bool }
	err := s.call(ctx, http.MethodGet, flagPath(name), nil, &state)
	return state.Enabled, err
}

// Audit is what the server's log says of a flag, newest first.
func (s *Server) Audit(ctx context.Context, name string) ([]Event, error) {
	var log struct{ Events []Event }
	err := s.call(ctx, http.MethodGet, "/api/admin/events/"+name, nil, &log)
	return log.Events, err
}

// Token makes a user and returns a token of theirs. The audit log shows their
// name with everything that is done with it.
func (s *Server) Token(ctx context.Context, name string, role Role) (string, error) {
	const password = "Of-the-tests-0815!"
	err := s.call(ctx, http.MethodPost, "/api/admin/user-admin", map[string]any{
		"username": name, "name": name, "rootRole": role, "password": password, "sendEmail": false,
	}, nil)
	if err != nil {
		return "", err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", fmt.Errorf("make a cookie jar: %w", err)
	}
	client := &http.Client{Jar: jar}
	login := map[string]string{"username": name, "password": password}
	if err := s.send(ctx, client, "", http.MethodPost, "/auth/simple/login", login, nil); err != nil {
		return "", err
	}
	var token struct{ Secret string }
	wish := map[string]any{"description": "kills", "expiresAt": time.Now().Add(24 * time.Hour)}
	err = s.send(ctx, client, "", http.MethodPost, "/api/admin/user/tokens", wish, &token)
	return token.Secret, err
}

// call speaks to the server as its administrator.
func (s *Server) call(ctx context.Context, method, path string, body, into any) error {
	return s.send(ctx, http.DefaultClient, s.AdminToken, method, path, body, into)
}

func (s *Server) send(ctx context.Context, client *http.Client, token, method, path string, body, into any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return fmt.Errorf("write the body of %s %s: %w", method, path, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	response, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s (%w)", method, path, response.Status, answer, err)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	return nil
}

// strategy is a flag's only one.
func (s *Server) strategy(ctx context.Context, name string) (id, rollout string, err error) {
	var all []struct {
		ID         string
		Parameters map[string]string
	}
	if err := s.call(ctx, http.MethodGet, flagPath(name)+"/strategies", nil, &all); err != nil {
		return "", "", err
	}
	if len(all) != 1 {
		return "", "", fmt.Errorf("flag %s has %d strategies", name, len(all))
	}
	return all[0].ID, all[0].Parameters["rollout"], nil
}

// Rollout is the percentage of users that get a flag.
func (s *Server) Rollout(ctx context.Context, name string) (percent int, err error) {
	_, rollout, err := s.strategy(ctx, name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(rollout)
}

// SetRollout sets it, as somebody does in Unleash's pages.
func (s *Server) SetRollout(ctx context.Context, name string, percent int) error {
	id, _, err := s.strategy(ctx, name)
	if err != nil {
		return err
	}
	return s.call(ctx, http.MethodPatch, flagPath(name)+"/strategies/"+id, []map[string]string{{"op": "replace", "path": "/parameters/rollout", "value": strconv.Itoa(percent)}}, nil)
}
