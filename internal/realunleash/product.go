package realunleash

import (
	"bufio"
	"context"
	_ "embed" // the product
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

//go:embed sdk.js
var product string

// Product is a program that asks Unleash's own SDK whether flags are on.
type Product struct {
	cmd    *exec.Cmd
	sights chan sight // closed when the program has ended
}

// sight is what the SDK says of a flag, when it first says so.
type sight struct {
	Flag  string  `json:"flag"`
	On    bool    `json:"on"`    // for anybody
	Share float64 `json:"share"` // of its users
}

// Run starts a product that asks for flags every half second.
func (s *Server) Run(flags ...string) (*Product, error) {
	cmd := exec.Command("node", append([]string{"-"}, flags...)...)
	cmd.Dir, cmd.Stdin, cmd.Stderr = s.dir, strings.NewReader(product), os.Stderr
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "NODE_PATH=" + s.programs.Modules,
		"UNLEASH_URL=" + s.URL, "UNLEASH_TOKEN=" + s.BackendToken}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("read a product: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a product: %w", err)
	}
	p := &Product{cmd: cmd, sights: make(chan sight, 100)}
	go p.listen(out)
	return p, nil
}

func (p *Product) listen(out io.Reader) {
	defer close(p.sights)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var seen sight
		if json.Unmarshal(lines.Bytes(), &seen) == nil {
			p.sights <- seen
		}
	}
	_ = p.cmd.Wait() // it was killed
}

// Await returns when the SDK says that a flag is on, or off. What it says before,
// and of other flags, is passed over: a server's new flag is not at once in what
// it tells SDKs.
func (p *Product) Await(ctx context.Context, flag string, on bool) error {
	err := p.await(ctx, func(s sight) bool { return s.Flag == flag && s.On == on })
	if err != nil {
		return fmt.Errorf("the SDK does not say that %s is on: %v: %w", flag, on, err)
	}
	return nil
}

// AwaitShare returns when the SDK gives a flag to a share of its users between two.
func (p *Product) AwaitShare(ctx context.Context, flag string, low, high float64) error {
	err := p.await(ctx, func(s sight) bool { return s.Flag == flag && s.Share >= low && s.Share <= high })
	if err != nil {
		return fmt.Errorf("the SDK does not give %s to a share of %v to %v: %w", flag, low, high, err)
	}
	return nil
}

func (p *Product) await(ctx context.Context, is func(sight) bool) error {
	for {
		select {
		case seen, ok := <-p.sights:
			if !ok {
				return errors.New("the product has ended")
			}
			if is(seen) {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close ends the program. Nobody may be in Await.
func (p *Product) Close() {
	_ = p.cmd.Process.Kill() // it may have ended
	for range p.sights {
	}
}
