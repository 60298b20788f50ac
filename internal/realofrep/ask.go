package realofrep

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Question is what a client asks of one unit.
type Question struct {
	Flag       string         `json:"flag"`
	Default    any            `json:"default"` // a boolean, a text or a number: what is asked for
	Unit       string         `json:"unit"`    // "": no targeting key
	Attributes map[string]any `json:"attributes"`
}

// Told is what the client made of the answer.
type Told struct {
	Value    any            `json:"value"`
	Variant  string         `json:"variant"`
	Reason   string         `json:"reason"`
	Error    string         `json:"error"`
	Metadata map[string]any `json:"metadata"`
}

// Clients are all of them, by name.
func (p Programs) Clients() map[string]func(ctx context.Context, url, token string, questions []Question) ([]Told, error) {
	clients := filepath.Join(p.root, "internal", "realofrep", "clients")
	process := func(program string, args ...string) func(context.Context, string, string, []Question) ([]Told, error) {
		return func(ctx context.Context, url, token string, questions []Question) ([]Told, error) {
			return p.run(ctx, url, token, questions, program, args...)
		}
	}
	return map[string]func(context.Context, string, string, []Question) ([]Told, error){
		"server": process("node", filepath.Join(clients, "server.mjs")),
		"web":    process("node", filepath.Join(clients, "web.mjs")),
		"python": process(filepath.Join(p.dir, "python", "bin", "python"), filepath.Join(clients, "client.py")),
		"java":   process("java", "-cp", filepath.Join(p.dir, "lib", "*"), filepath.Join(clients, "Client.java")),
		"go":     askGo,
	}
}

// Run runs a script of Node.js with the fetched modules, and returns what it printed.
func (p Programs) Run(ctx context.Context, script string) ([]byte, error) {
	return p.output(ctx, "node", script)
}

// GrowthBookCases is the file of GrowthBook's public cases.
func (p Programs) GrowthBookCases() string { return filepath.Join(p.dir, "growthbook-cases.json") }

// Modules is the folder of Node's modules.
func (p Programs) Modules() string { return filepath.Join(p.dir, "node_modules") }

func (p Programs) run(ctx context.Context, url, token string, questions []Question, program string, args ...string) ([]Told, error) {
	asked, err := json.Marshal(map[string]any{"url": url, "token": token, "questions": questions})
	if err != nil {
		return nil, fmt.Errorf("encode questions: %w", err)
	}
	out, err := p.output(ctx, program, append(args, string(asked))...)
	if err != nil {
		return nil, err
	}
	var told []Told
	if err := json.Unmarshal(out, &told); err != nil {
		return nil, fmt.Errorf("%s: %w in %s", program, err, out)
	}
	return told, nil
}

func (p Programs) output(ctx context.Context, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // programs and scripts of the checkout
	cmd.Env = append(os.Environ(), "MODULES="+p.Modules())
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", program, err, said.String())
	}
	return out, nil
}
