// Command assay measures experiments on production traffic within seconds and
// switches a harmful one off. `assay --help` lists what it can do.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/terminal"
)

// version is set by the linker.
var version = "dev"

// Exit codes.
const (
	exitFailure = 1 // something went wrong
	exitUsage   = 2 // the command line or a configuration file is wrong
	exitBreach  = 3 // a check found a breach
)

func main() {
	embedded.RunChildIfAsked()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal does not wait for what the first one asked to end
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without the process: arguments in, exit code out.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c cli
	code := -1
	parser, err := newParser(&c, stdout, stderr, func(n int) { code = n })
	if err != nil {
		return fail(stderr, err)
	}
	kctx, err := parser.Parse(asFlag(args))
	if code >= 0 { // --help
		return code
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "assay: error: %v\nassay: hint: `assay --help` lists the commands, `assay COMMAND --help` a command's flags\n", err)
		return exitUsage
	}
	env := &environment{ctx: ctx, out: stdout, err: stderr, globals: c.Globals, quiet: slog.LevelWarn, level: &slog.LevelVar{},
		model: parser.Model.Node, paint: paletteOf(stdout, os.Getenv)}
	if err := kctx.Run(env); err != nil {
		return fail(stderr, err)
	}
	return 0
}

// newParser reads a command line into c.
func newParser(c *cli, stdout, stderr io.Writer, exit func(int)) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("assay"),
		kong.Description("Measures experiments on production traffic within seconds, with statistics that stay valid however often one looks, and switches a harmful one off."),
		kong.UsageOnError(),
		kong.Writers(stdout, stderr),
		kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Vars{"version": version},
	)
}

// cli is every command; each has its own file.
type cli struct {
	Globals

	Run      runCmd      `cmd:"" help:"Everything in one process: broker and engine if none is named, consumer, guard, door."`
	Ingest   ingestCmd   `cmd:"" help:"Consume events, join them and write them: scales by starting more of them."`
	Guard    guardCmd    `cmd:"" help:"Judge every running experiment each second and act on a breach."`
	Serve    serveCmd    `cmd:"" help:"Serve /metrics, /healthz, /readyz, the reports and, on the embedded engine, SQL."`
	Validate validateCmd `cmd:"" help:"Check experiment and metric files."`
	Apply    applyCmd    `cmd:"" help:"Make the experiment and metric files the configuration in force."`

	Approve approveCmd `cmd:"" help:"Agree to a change that somebody else wants to apply, or list those that wait."`
	Ready   readyCmd   `cmd:"" help:"Compute whether an experiment may begin: data, switch, power, guardrails, end, audience, privacy."`
	Rerun   rerunCmd   `cmd:"" help:"Write the next run of an experiment into its file, so that both are analysed together."`

	Power     powerCmd     `cmd:"" help:"Plan: units, days and lifts, for one look, for looking always and for dated looks."`
	Capacity  capacityCmd  `cmd:"" help:"Plan: machines, memory, disks and cost of a number of events a day, from measured figures."`
	Replay    replayCmd    `cmd:"" help:"Send a file of events through Kafka, as a mapping file says."`
	Analyze   analyzeCmd   `cmd:"" help:"Show the results of experiments with their intervals."`
	Privacy   privacyCmd   `cmd:"" help:"Say what is stored of an experiment's units, why, until when, and who may read it."`
	Moments   momentsCmd   `cmd:"" help:"Add up the exact sums of several regions."`
	Explain   explainCmd   `cmd:"" help:"Tell what became of each event of one unit in one experiment."`
	Report    reportCmd    `cmd:"" help:"Write or send the report of a day: pages that need nothing else, Markdown or plain text."`
	Effects   effectsCmd   `cmd:"" help:"Find what experiments have shown, past ones too: by metric, direction, size and how it ended."`
	Signals   signalsCmd   `cmd:"" help:"Show the signals of an experiment: numbers of services beside the exposed share, breakers, and what changed at each step."`
	Writeup   writeupCmd   `cmd:"" help:"Write what is left to say of an experiment: hypothesis, design, results, its iterations together, decisions, notes."`
	Doctor    doctorCmd    `cmd:"" help:"Look at topics, records, clocks, shards, tables and kill switches: what is wrong, what to do."`
	Verify    verifyCmd    `cmd:"" help:"Recount everything from the stored events and compare to the last bit; exit code 1 when anything differs."`
	Reread    rereadCmd    `cmd:"" help:"Read a range of offsets again that was counted, and store its rows again; nothing is counted twice."`
	Check     checkCmd     `cmd:"" help:"Run guardrail scenarios: observations over time and the verdicts expected."`
	Backtest  backtestCmd  `cmd:"" help:"Play the history of experiments again under other guardrails: when would they have fired, what would that have spared."`
	Decision  decisionCmd  `cmd:"" help:"Read and verify the decision log."`
	Kill      killCmd      `cmd:"" help:"Turn an experiment off by hand, with a reason; or drill that."`
	Resume    resumeCmd    `cmd:"" help:"Open the next iteration of a killed experiment, acknowledge an alarm, or let automatic kills wait."`
	Ramp      rampCmd      `cmd:"" help:"Show where a ramp is and what it waits for; agree to its next step, pause, resume or revert it."`
	Token     tokenCmd     `cmd:"" help:"Make, list and revoke tokens: who may use the API and log in."`
	Simulate  simulateCmd  `cmd:"" help:"Send simulated traffic to a broker."`
	Backup    backupCmd    `cmd:"" help:"Copy all tables to where the server keeps backups, and remove those that are too many."`
	Restore   restoreCmd   `cmd:"" help:"Bring the ledger, or all tables, back from a backup while consumers live: restored beside, checked, exchanged."`
	Retention retentionCmd `cmd:"" help:"Delete events that are older than the configuration wants them kept."`
	Erase     eraseCmd     `cmd:"" help:"Forget units: suppress them, delete their rows, show that nothing is left."`
	Settings  configCmd    `cmd:"" name:"config" help:"Check the configuration of the program, or print it."`
	Migrate   migrateCmd   `cmd:"" help:"Bring the tables to this version's schema."`
	Move      moveCmd      `cmd:"" help:"Take shards to another of several ClickHouse servers."`
	Grow      growCmd      `cmd:"" help:"Fill a database of another number of shards from this one's events, and compare both to the last bit."`
	Version   versionCmd   `cmd:"" help:"Print the version."`

	Help       helpCmd       `cmd:"" help:"Show how a command is used: assay help analyze."`
	Man        manCmd        `cmd:"" help:"Print the manual page of all commands."`
	Completion completionCmd `cmd:"" help:"Print the script with which a shell completes commands, flags and experiments."`
	Complete   completeCmd   `cmd:"" hidden:"" help:"Answer a shell that wants to complete a command."`
}

// Globals are the flags of every command.
type Globals struct {
	Config      string   `env:"ASSAY_CONFIG" help:"Configuration file (default: assay.yaml, if it is there)." type:"path" placeholder:"FILE"`
	Data        string   `env:"ASSAY_DATA" help:"Folder of the embedded broker and engine." type:"path" placeholder:"DIR"`
	Kafka       []string `env:"ASSAY_KAFKA" help:"Kafka addresses; none: the embedded broker." placeholder:"HOST:PORT"`
	ClickHouse  []string `env:"ASSAY_CLICKHOUSE" name:"clickhouse" help:"ClickHouse addresses (native protocol); none: the embedded engine." placeholder:"HOST:PORT"`
	Experiments string   `env:"ASSAY_EXPERIMENTS" help:"Folder of experiment files." type:"path" placeholder:"DIR"`
	Metrics     string   `env:"ASSAY_METRICS" help:"Folder of metric files." type:"path" placeholder:"DIR"`
	Listen      string   `env:"ASSAY_LISTEN" help:"Address of /metrics, /healthz, /readyz and the reports (default: 127.0.0.1:8344)." placeholder:"HOST:PORT"`
	JSON        bool     `name:"json" help:"Print the result as JSON."`
	LogLevel    string   `env:"ASSAY_LOG_LEVEL" help:"What is logged to standard error: debug, info, warn or error (default: warn; run shows alerts by itself and logs errors)." enum:",debug,info,warn,error" default:""`
	LogFormat   string   `env:"ASSAY_LOG_FORMAT" help:"How it is logged: text or json (default: text)." enum:",text,json" default:""`
}

// environment is what a command runs in.
type environment struct {
	ctx     context.Context
	out     io.Writer
	err     io.Writer
	globals Globals
	quiet   slog.Level // what is logged when nothing else was asked for
	level   *slog.LevelVar
	model   *kong.Node // of the command line
	paint   terminal.Palette
}

// config reads the configuration file and lays the flags over it.
func (e *environment) config() (config.Config, error) {
	c, err := config.Load(e.globals.Config)
	if err != nil {
		return c, usage(err)
	}
	set := func(field *string, flag string) {
		if flag != "" {
			*field = flag
		}
	}
	set(&c.Data, e.globals.Data)
	set(&c.Experiments, e.globals.Experiments)
	set(&c.Metrics, e.globals.Metrics)
	set(&c.Listen, e.globals.Listen)
	if len(e.globals.Kafka) > 0 {
		c.Kafka.Brokers = e.globals.Kafka
	}
	if len(e.globals.ClickHouse) > 0 {
		c.ClickHouse.Addresses = e.globals.ClickHouse
	}
	return c, nil
}

// within bounds a command's time; 0 leaves it open.
func (e *environment) within(limit time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		return context.WithCancel(e.ctx)
	}
	return context.WithTimeout(e.ctx, limit)
}

// log returns the logger of the level and the form that were asked for: by a flag, else
// by the file.
func (e *environment) log(c config.Config) *slog.Logger {
	e.level.Set(e.quiet)
	for _, asked := range []string{e.globals.LogLevel, c.Log.Level} {
		if asked != "" {
			_ = e.level.UnmarshalText([]byte(asked)) // the enum above and config leave no other case
			break
		}
	}
	return slog.New(e.handler(c, e.level))
}

func (e *environment) handler(c config.Config, level slog.Leveler) slog.Handler {
	opts := &slog.HandlerOptions{Level: level}
	if e.globals.LogFormat == "json" || e.globals.LogFormat == "" && c.Log.Format == "json" {
		return slog.NewJSONHandler(e.err, opts)
	}
	return slog.NewTextHandler(e.err, opts)
}

// usageError is a mistake in the command line or in a file.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// usage marks an error as one.
func usage(err error) error { return usageError{err} }

// errBreach says that a check found what it looks for.
var errBreach = errors.New("breach")

// fail prints an error with its hint and gives the exit code.
func fail(w io.Writer, err error) int {
	if !errors.Is(err, errBreach) && !errors.Is(err, errDifferent) && !errors.Is(err, errConfig) {
		_, _ = fmt.Fprintf(w, "assay: error: %v\n", err)
		if hint := app.Hint(err); hint != "" {
			_, _ = fmt.Fprintf(w, "assay: hint: %s\n", hint)
		}
	}
	var u usageError
	switch {
	case errors.Is(err, errBreach):
		return exitBreach
	case errors.As(err, &u):
		return exitUsage
	default:
		return exitFailure
	}
}
