package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/words"
)

type eraseCmd struct {
	Units eraseUnitsCmd `cmd:"" help:"Ask to forget units, and carry it out."`
	Run   eraseRunCmd   `cmd:"" help:"Carry out what is open, and delete again what has come back."`
	List  eraseListCmd  `cmd:"" help:"List the requests and how far they are."`
}

type eraseUnitsCmd struct {
	Unit     []string `help:"Id of a unit; again for more of them." placeholder:"ID"`
	File     string   `help:"File of ids, one a line; - is standard input. A thousand cost as much as one." placeholder:"FILE"`
	Hash     []string `help:"Hash of a unit as the tables have it, 32 hexadecimal digits." placeholder:"HEX"`
	UnitKind string   `help:"Kind of the units." default:"user" placeholder:"KIND"`
	Policy   string   `required:"" help:"keep: sums stay to the bit. retract: what the units gave is taken back." enum:"keep,retract" placeholder:"keep|retract"`
	Reason   string   `required:"" help:"One line, such as the ticket; it stands in the decision log for ever, so it names no person." placeholder:"TEXT"`
	Author   string   `help:"Who asks (default: the user of this machine)." placeholder:"NAME"`
	Later    bool     `help:"Suppress the units now, and leave their rows to the next assay erase run."`

	eraseRunFlags
}

type eraseRunFlags struct {
	Wait time.Duration `help:"How long to wait for the shards, and for the server to remove files." default:"10m" placeholder:"10m"`

	As asAccount `embed:""`
}

// Help is the manual's part about it.
func (eraseUnitsCmd) Help() string {
	return manual("From now on nothing of the units is stored or counted, also not when a topic is read again. Then their rows are deleted, which needs the right to alter, and it is shown that nothing is left in any table or file; what lies outside (Kafka, backups, files that people exported) is listed with the time until which it is kept. An id on a command line can be seen by others on this machine and stays in the shell's history: a file does not. See docs/erasure.md.",
		[]string{`assay erase units --file ids.txt --policy keep --reason "ticket 4711"`, `assay erase units --unit u-123 --policy retract --reason "ticket 4712" --later`, `assay erase units --file - --policy keep --reason "ticket 4713" --json < ids.txt`})
}

// Run files a request and carries it out.
func (c eraseUnitsCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	c.As.over(&cfg)
	ctx, who, err := env.as(cfg, c.Author)
	if err != nil {
		return err
	}
	env.ctx = ctx
	request := app.ErasureRequest{Units: c.Unit, UnitKind: c.UnitKind, Policy: app.Policy(c.Policy), Reason: c.Reason, Actor: who.Name}
	for _, text := range c.Hash {
		u, err := app.ParseUnitHash(text)
		if err != nil {
			return usage(err)
		}
		request.Hashes = append(request.Hashes, u)
	}
	if c.File != "" {
		ids, err := c.read()
		if err != nil {
			return err
		}
		request.Units = append(request.Units, ids...)
	}
	return env.with(cfg, app.Options{Kafka: true, Migrate: true}, func(s *app.Stack) error {
		asked, err := s.AskErasure(env.ctx, request, time.Now)
		if err != nil {
			return err
		}
		if c.Later {
			return env.print(asked, func() error {
				env.println("request %d: %d units are suppressed; their rows are deleted by `assay erase run`", asked.Request, asked.Units)
				return nil
			})
		}
		return c.carryOut(env, s)
	})
}

func (c eraseUnitsCmd) read() ([]string, error) {
	var from io.Reader = os.Stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, usage(err)
		}
		defer f.Close()
		from = f
	}
	ids, err := app.UnitsIn(from)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", c.File, err)
	}
	return ids, nil
}

type eraseRunCmd struct{ eraseRunFlags }

// Help is the manual's part about it.
func (eraseRunCmd) Help() string {
	return manual("Does what `assay erase units` does after the request was filed, for every request that is open: those that were left for later and those that were interrupted. Then it looks whether rows of erased units have come back, out of a backup for example, and deletes them. Run it daily, one at a time, and after every restore.",
		[]string{"assay erase run", "assay erase run --user assay_admin --password-env ASSAY_ADMIN_PASSWORD --wait 15m"})
}

// Run carries out what is open.
func (c eraseRunCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	c.As.over(&cfg)
	return env.with(cfg, app.Options{Kafka: true, Migrate: true}, func(s *app.Stack) error { return c.carryOut(env, s) })
}

func (c eraseRunFlags) carryOut(env *environment, s *app.Stack) error {
	done, err := s.Erase(env.ctx, app.ErasureRun{Wait: c.Wait, Now: time.Now, Tell: func(request uint64, step string) {
		s.Log.Info("erase", "request", request, "step", step)
	}})
	if err != nil {
		return err
	}
	return env.print(done, func() error {
		if len(done) == 0 {
			env.println("nothing is open")
		}
		for _, e := range done {
			env.erasure(e)
		}
		return nil
	})
}

type eraseListCmd struct {
	Request uint64 `arg:"" optional:"" help:"Number of one request, with its proof."`
}

// Help is the manual's part about it.
func (eraseListCmd) Help() string {
	return manual("Never says which units: only how many, of which kind, who asked, when and why, and what was found when it was carried out.",
		[]string{"assay erase list", "assay erase list 17 --json"})
}

// Run lists the requests.
func (c eraseListCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	return env.with(cfg, app.Options{}, func(s *app.Stack) error {
		all, err := s.Erasures(env.ctx)
		if err != nil {
			return err
		}
		if c.Request > 0 {
			for _, e := range all {
				if e.Request == c.Request {
					return env.print(e, func() error { env.erasure(e); return nil })
				}
			}
			return fmt.Errorf("there is no request of erasure %d", c.Request)
		}
		return env.print(all, func() error {
			for _, e := range all {
				state := "open"
				if e.Proof != nil {
					state = "erased " + words.Instant(e.ErasedAt)
				}
				env.println("%-6d  %s  %6d %s  %-7s  %s  by %s: %s", e.Request, words.Instant(e.At), e.Units, e.UnitKind, e.Policy, state, e.Actor, e.Reason)
			}
			return nil
		})
	})
}

// erasure prints one request with its proof.
func (e *environment) erasure(x app.Erasure) {
	e.println("request %d of %s by %s: %d of unit kind %s, policy %s: %s", x.Request, words.Instant(x.At), x.Actor, x.Units, x.UnitKind, x.Policy, x.Reason)
	if x.Proof == nil {
		e.println("  open: the units are suppressed, their rows are not deleted yet (`assay erase run`)")
		return
	}
	var places uint64
	for _, n := range x.Proof.Places {
		places += n
	}
	e.println("  erased at %s: %d records deleted; left in tables and files of the database: none", words.Instant(x.ErasedAt), places)
	for _, t := range x.Proof.Topics {
		gone := "never by itself"
		if !t.GoneBy.IsZero() {
			gone = "gone by " + words.Instant(t.GoneBy)
		}
		e.println("  Kafka %s: kept %s; %s", t.Topic, t.Keeps, gone)
	}
	for _, b := range x.Proof.Backups {
		e.println("  backup %s of %s may hold them, until it is removed", b.Name, words.Instant(b.Begun))
	}
	e.println("  files that people exported are not known to assay")
}
