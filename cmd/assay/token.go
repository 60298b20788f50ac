package main

import (
	"cmp"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/access/tokenfile"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/terminal"
	"github.com/assay-dev/assay/internal/words"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token for the API and for logging in; it is shown once."`
	List   tokenListCmd   `cmd:"" help:"List the tokens, never their text."`
	Revoke tokenRevokeCmd `cmd:"" help:"Make a token useless from the next request on, with the sessions that it began."`
}

// tokens is the file that keeps them. Whoever may write it says who comes in.
func (e *environment) tokens() (*tokenfile.File, error) {
	cfg, err := e.config()
	if err != nil {
		return nil, err
	}
	return app.Tokens(cfg), nil
}

type tokenCreateCmd struct {
	Name       string        `arg:"" help:"Whose it is: the actor in the decision log. With role owner also the owner that experiments name."`
	Role       string        `required:"" help:"evaluator, viewer, analyst, owner, approver, operator or admin (docs/access.md)." enum:"evaluator,viewer,analyst,owner,approver,operator,admin" placeholder:"ROLE"`
	Experiment []string      `help:"It acts on these alone, and owns them." placeholder:"KEY"`
	For        time.Duration `help:"How long it lives, a year at most." default:"2160h" placeholder:"2160h"`
}

// Help is the manual's part about it.
func (tokenCreateCmd) Help() string {
	return manual("Prints the token and keeps its SHA-256 alone, in the file that access.tokens of assay.yaml names (tokens.json of the data folder). It is good at the next request; nothing is restarted. docs/access.md says what each role may do.",
		[]string{`assay token create ada@example.com --role operator`, `assay token create growth --role owner --for 720h`, `assay token create ci --role owner --experiment checkout-cta --json`})
}

// Run makes a token and shows it.
func (c tokenCreateCmd) Run(env *environment) error {
	role, err := access.ParseRole(c.Role)
	if err != nil {
		return usage(err)
	}
	order := access.Order{Name: c.Name, Role: role, Experiments: c.Experiment, For: c.For}
	if err := order.Check(); err != nil {
		return usage(err)
	}
	file, err := env.tokens()
	if err != nil {
		return err
	}
	secret, token, err := order.Make(rand.Reader, time.Now())
	if err != nil {
		return err
	}
	if err := file.Add(token); err != nil {
		return err
	}
	shown := struct {
		shownToken
		Token string `json:"token"`
	}{shownToken(token), secret}
	return env.print(shown, func() error {
		env.println("%s", secret)
		env.println("token %s of %s, %s, until %s; it is not shown again", token.ID, token.Name, token.Role, words.Instant(token.Expires))
		return nil
	})
}

// shownToken is a token without its hash.
type shownToken struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Role        access.Role `json:"role"`
	Experiments []string    `json:"experiments,omitempty"`
	Created     time.Time   `json:"created"`
	Expires     time.Time   `json:"expires"`
	Hash        access.Hash `json:"-"`
}

type tokenListCmd struct{}

// Help is the manual's part about it.
func (tokenListCmd) Help() string {
	return manual("Lists who has a token, expired ones too: id, name, role, experiments, end.",
		[]string{`assay token list`, `assay token list --json`})
}

// Run lists the tokens.
func (tokenListCmd) Run(env *environment) error {
	file, err := env.tokens()
	if err != nil {
		return err
	}
	all, err := file.List()
	if err != nil {
		return err
	}
	shown := make([]shownToken, len(all))
	for i, t := range all {
		shown[i] = shownToken(t)
	}
	return env.print(shown, func() error {
		var rows []string
		for _, t := range shown {
			state := "in force"
			if !time.Now().Before(t.Expires) {
				state = "expired"
			}
			rows = append(rows, strings.Join([]string{t.ID, t.Name, t.Role.String(), cmp.Or(strings.Join(t.Experiments, ","), "all"), words.Instant(t.Expires), state}, "\t"))
		}
		_, err := io.WriteString(env.out, terminal.Table("id\tname\trole\texperiments\tuntil\tstate", rows))
		return err
	})
}

type tokenRevokeCmd struct {
	ID string `arg:"" help:"As assay token list shows it."`
}

// Help is the manual's part about it.
func (tokenRevokeCmd) Help() string {
	return manual("Forgets a token. Its next request is refused, and the sessions of browsers that were begun with it end.",
		[]string{`assay token revoke 211cf1d8052e`})
}

// Run forgets a token.
func (c tokenRevokeCmd) Run(env *environment) error {
	file, err := env.tokens()
	if err != nil {
		return err
	}
	gone, err := file.Revoke(c.ID)
	if errors.Is(err, tokenfile.ErrNoToken) {
		return usage(app.WithHint(err, "`assay token list` shows them"))
	}
	if err != nil {
		return err
	}
	return env.print(map[string]string{"revoked": gone.ID, "name": gone.Name}, func() error {
		env.println("token %s of %s is revoked", gone.ID, gone.Name)
		return nil
	})
}
