package app

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// Policy is what becomes of the sums when a unit is erased.
type Policy string

// The policies.
const (
	Keep    Policy = "keep"    // they stay to the bit
	Retract Policy = "retract" // what the unit gave is taken back
)

// maxErased is how many units one request may have: their rows go in one rewriting of
// the parts that hold them, whatever their number, and all their hashes in one statement.
const maxErased = 10_000

// ErasureRequest asks to forget units.
type ErasureRequest struct {
	Units    []string      // ids
	Hashes   []ingest.Unit // of units, where ids are not known
	UnitKind string
	Policy   Policy
	Reason   string
	Actor    string
}

// Erasure is a request as the decision log has it.
type Erasure struct {
	Request  uint64    `json:"request"` // its number in the decision log
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
	Reason   string    `json:"reason"`
	Policy   Policy    `json:"policy"`
	UnitKind string    `json:"unit_kind"`
	Units    int       `json:"units"`

	ErasedAt time.Time     `json:"erased_at,omitzero"` // zero: it is not carried out
	Proof    *ErasureProof `json:"proof,omitempty"`

	id string
}

// erasureAsked is the evidence of a request's line.
type erasureAsked struct {
	Request  string `json:"request"` // id in table suppressed
	Policy   Policy `json:"policy"`
	UnitKind string `json:"unit_kind"`
	Units    int    `json:"units"`
	Reason   string `json:"reason"`
}

// UnitsIn reads ids, one a line; empty lines are none.
func UnitsIn(r io.Reader) (units []string, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if id := strings.TrimSuffix(lines.Text(), "\r"); id != "" {
			units = append(units, id)
		}
	}
	return units, lines.Err()
}

// UnitHash is the SQL of a unit's hash as text: hex alone leaves out leading zeros.
const UnitHash = "leftPad(lower(hex(unit)), 32, '0')"

// ParseUnitHash reads a unit's hash as [UnitHash] shows it.
func ParseUnitHash(text string) (u ingest.Unit, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 16 {
		return u, WithHint(fmt.Errorf("%q is no hash of a unit: it has 32 hexadecimal digits", text), "SELECT "+UnitHash+" FROM events shows it")
	}
	for i, c := range b {
		if i < 8 {
			u.Hi = u.Hi<<8 | uint64(c)
		} else {
			u.Lo = u.Lo<<8 | uint64(c)
		}
	}
	return u, nil
}

// AskErasure files a request: from the version on that it makes, nothing of the units is
// stored or counted any more. Their rows go when it is carried out.
func (s *Stack) AskErasure(ctx context.Context, r ErasureRequest, now func() time.Time) (Erasure, error) {
	units, err := s.erasedUnits(r)
	if err != nil {
		return Erasure{}, err
	}
	asked := erasureAsked{Request: rand.Text(), Policy: r.Policy, UnitKind: r.UnitKind, Units: len(units), Reason: r.Reason}
	if err := s.DB.Suppress(ctx, asked.Request, r.UnitKind, units); err != nil {
		return Erasure{}, fmt.Errorf("write down whom to suppress: %w", err)
	}
	line, err := s.journal(ctx, guardrails.Entry{
		Kind: guardrails.ErasureAsked, Actor: r.Actor,
		Text: fmt.Sprintf("erase %d of unit kind %s, their sums %s: %s", len(units), r.UnitKind, map[Policy]string{Keep: "stay", Retract: "are taken back"}[r.Policy], r.Reason),
	}, asked, now)
	if err != nil {
		return Erasure{}, fmt.Errorf("journal the request: %w", err)
	}
	e := erasureOf(line, asked)
	if err := s.suppress(ctx, e, now); err != nil {
		return e, err
	}
	if err := s.keepErasure(e, units); err != nil {
		return e, WithHint(fmt.Errorf("request %d is in force, and could not be written beside the backups: %w", e.Request, err),
			"a backup of before it would bring its units back: ask again after restoring one")
	}
	return e, nil
}

// erasedUnits are the request's units as hashes, each once.
func (s *Stack) erasedUnits(r ErasureRequest) ([]ingest.Unit, error) {
	switch {
	case strings.TrimSpace(r.Reason) == "":
		return nil, WithHint(errors.New("an erasure needs a reason"), "name the ticket, never the person: it stands in the decision log for ever")
	case r.Policy != Keep && r.Policy != Retract:
		return nil, fmt.Errorf("the policy of an erasure is keep or retract, not %q", r.Policy)
	}
	units := slices.Clone(r.Hashes)
	if len(r.Units) > 0 {
		key, err := UnitKey(s.Config)
		if err != nil {
			return nil, err
		}
		for _, id := range r.Units {
			units = append(units, key.Unit(r.UnitKind, id))
		}
	}
	slices.SortFunc(units, func(a, b ingest.Unit) int { return cmp.Or(cmp.Compare(a.Hi, b.Hi), cmp.Compare(a.Lo, b.Lo)) })
	units = slices.Compact(units)
	switch n := len(units); {
	case n == 0:
		return nil, errors.New("no unit is named")
	case n > maxErased:
		return nil, WithHint(fmt.Errorf("%d units are too many for one request", n), fmt.Sprintf("make requests of at most %d", maxErased))
	}
	return units, nil
}

// suppress makes the version that names the request, unless there is one.
func (s *Stack) suppress(ctx context.Context, e Erasure, now func() time.Time) error {
	return follow(ctx, s.DB, func(current *experiment.Version) (*experiment.Version, error) {
		return current.Erasing(e.Request, fmt.Sprintf("erasure %d", e.Request), e.Actor, now()), nil
	})
}

// journal appends a line about erasure to the decision log, after whatever is last.
func (s *Stack) journal(ctx context.Context, e guardrails.Entry, evidence any, now func() time.Time) (guardrails.Entry, error) {
	var err error
	if e.Evidence, err = json.Marshal(evidence); err != nil {
		return e, err
	}
	e.Code = s.Code
	for {
		last, hash, err := s.DB.LastDecision(ctx)
		if err != nil {
			return e, err
		}
		e.Seq, e.At = last+1, now().UTC().Truncate(time.Millisecond)
		if _, err = (journal{s.DB}).Append(ctx, e, hash); !errors.Is(err, guardrails.ErrTaken) {
			return e, err
		}
	}
}

func erasureOf(line guardrails.Entry, asked erasureAsked) Erasure {
	return Erasure{Request: line.Seq, At: line.At, Actor: line.Actor, Reason: asked.Reason, Policy: asked.Policy,
		UnitKind: asked.UnitKind, Units: asked.Units, id: asked.Request}
}

// linesOf are the lines of the decision log of some kinds, the oldest first.
func (s *Stack) linesOf(ctx context.Context, kinds ...guardrails.EntryKind) ([]guardrails.Entry, error) {
	var names []string
	for _, k := range kinds {
		names = append(names, string(k))
	}
	rows, err := s.DB.LinesOf(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("read the decision log: %w", err)
	}
	return entriesOf(rows)
}

// Erasures are all requests, the oldest first.
func (s *Stack) Erasures(ctx context.Context) ([]Erasure, error) {
	lines, err := s.linesOf(ctx, guardrails.ErasureAsked, guardrails.Erased)
	if err != nil {
		return nil, err
	}
	all := []Erasure{}
	for _, line := range lines {
		switch line.Kind {
		case guardrails.ErasureAsked:
			var asked erasureAsked
			if err := json.Unmarshal(line.Evidence, &asked); err != nil {
				return nil, fmt.Errorf("decode decision %d: %w", line.Seq, err)
			}
			all = append(all, erasureOf(line, asked))
		case guardrails.Erased:
			i := slices.IndexFunc(all, func(e Erasure) bool { return e.Request == line.Decision })
			if i < 0 {
				continue
			}
			all[i].ErasedAt, all[i].Proof = line.At, &ErasureProof{}
			if err := json.Unmarshal(line.Evidence, all[i].Proof); err != nil {
				return nil, fmt.Errorf("decode decision %d: %w", line.Seq, err)
			}
		}
	}
	return all, nil
}
