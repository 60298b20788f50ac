package main

import "strings"

// manual is what `assay help COMMAND` says beyond a line: what the command is for, how it
// is typed, and which exit codes mean something of their own.
func manual(about string, examples []string, exits ...string) string {
	var b strings.Builder
	b.WriteString(about + "\n\nExamples:\n\n")
	for _, e := range examples {
		b.WriteString("  " + e + "\n")
	}
	b.WriteString("\nExit codes: 0 when it went well")
	for _, e := range append(exits, "1 when something went wrong", "2 for a mistake in the command line or in a file") {
		b.WriteString(", " + e)
	}
	return b.String() + "."
}

func (runCmd) Help() string {
	return manual("Starts a broker and an engine unless others are named, puts the files in force, counts, judges each second, acts, sends the day's report when it is due, and serves metrics and reports. With --demo it brings its own experiments and traffic. It ends at Ctrl-C or after --for, and writes the report.",
		[]string{"assay run --demo --for 60s", "assay run --kafka kafka:9092 --clickhouse clickhouse:9000"})
}

func (ingestCmd) Help() string {
	return manual("Reads the declared topics, joins exposures and outcomes per unit and writes the sums, each exactly once. Start more of them and they share the partitions. Where records were lost before they were read it stops until --accept-gap.",
		[]string{"assay --config /etc/assay/ingest.yaml ingest", "assay ingest --until-end"})
}

func (guardCmd) Help() string {
	return manual("Takes a look at every running experiment each second, writes verdicts to the decision log, turns off what does harm, tells people, and sends the day's report when it is due (docs/guardrails.md, docs/reports.md). Two may run: they agree by the logs.",
		[]string{"assay --config /etc/assay/guard.yaml guard", "assay guard --observe"})
}

func (serveCmd) Help() string {
	return manual("Serves metrics, health and the reports of the days, which it writes when they are due, to people who have no account on the machines that count.",
		[]string{"assay --config /etc/assay/serve.yaml serve"})
}

func (validateCmd) Help() string {
	return manual("Reads the experiment and metric files as apply does, without any server, and says what is wrong with line and column, and what is doubtful (docs/experiments.md). With --against it compares with the files of a Git reference, as they were where HEAD left it, and says of every change whether fewer people see an experiment, as many, or more (docs/governance.md).",
		[]string{"assay validate", "assay validate --experiments experiments --metrics metrics --json", "assay validate --against main --fail-on grow"}, "3 when a change is of a class that --fail-on names")
}

func (applyCmd) Help() string {
	return manual("Makes a version of the files: numbered, with author and time, in force from now on. What may not change while an experiment runs is refused. Files that are in force already change nothing. With --keep consumers leave whole units out, of all experiments; iterations that run do not get them back (docs/sampling.md).",
		[]string{"assay apply", "assay apply --cap revenue --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z", "assay apply --floor 2026-01-01T00:00:00Z", "assay apply --floor 2026-03-01T00:00:00Z --unit-kind device", "assay apply --keep 50%"})
}

func (approveCmd) Help() string {
	return manual("A change that grows may need others to agree (governance.approvals, or approvals in the file). Applying it then leaves that experiment as it is and writes the change into the decision log. Who wants a change does not approve it; an edit of the file, or of what is in force, makes another change that has no approval (docs/governance.md).",
		[]string{"assay approve", `assay approve checkout-cta --reason "power and guardrails are fine"`, `assay approve checkout-cta --withdraw --reason "the campaign begins that day"`})
}

func (readyCmd) Help() string {
	return manual("Computes what must be so before an experiment begins, from its file as it would be applied now: its metrics' events came in the last two weeks, the kill switch was tried without a write, the planned units find the lift, there are guardrails, a story and an end, no other experiment has its units, and sensitive attributes were reviewed (docs/governance.md). Nothing is ticked by hand, and nothing is changed.",
		[]string{"assay ready checkout-cta", "assay ready checkout-cta --metric conversion=4% --lift 3% --power 90%", "assay ready checkout-cta --json"}, "3 when something is not ready")
}

func (effectsCmd) Help() string {
	return manual("Lists the effect on each metric in each arm and iteration, of running and past experiments, as the last look at each had it (docs/governance.md). Quantiles and what is computed from stored events alone are not in it.",
		[]string{"assay effects --metric conversion --goals", "assay effects --metric conversion --shown better --at-least 2% --sort size", "assay effects price --state killed --json"})
}

func (rerunCmd) Help() string {
	return manual("Adds the next iteration to an experiment's file, which repeats an earlier one: as long, with the same phases or ramp, with units of its own, and with the line that says so before it begins. It is read and applied in rehearsal first; nothing is applied. Once it has run, analyze, the page and the write-up show both together (docs/governance.md).",
		[]string{"assay rerun checkout-cta", "assay rerun checkout-cta --start 2026-06-01T00:00:00Z", "assay rerun checkout-cta --print"})
}

func (writeupCmd) Help() string {
	return manual("Writes one Markdown document of an experiment from what is stored: hypothesis and design, the result of each iteration with intervals, the iterations together, what was decided, the notes, and the hash that vouches for the log (docs/governance.md).",
		[]string{"assay writeup checkout-cta", "assay writeup checkout-cta --json", "assay writeup checkout-cta > docs/experiments/checkout-cta.md"})
}

func (replayCmd) Help() string {
	return manual("Makes events of a file's rows and sends them to the topics. Ids come from the file's hash and the line: sending a file twice counts once (docs/sources.md).",
		[]string{"assay replay events.ndjson --mapping segment", "assay replay shop.csv --mapping testdata/replay/shop.yaml"})
}

func (analyzeCmd) Help() string {
	return manual("Shows the newest look, and takes one where there is none of the ledger as it is: effects with both their intervals, guardrails, the split, and what stands aside. Read the intervals for every look unless exactly this look was planned. With --plan it says how each question is answered and what is lacking.",
		[]string{"assay analyze", "assay analyze checkout-cta --plan", "assay analyze checkout-cta --slow", "assay analyze checkout-cta --as-of 2026-03-01T12:00:00Z --json | jq '.[0].comparisons[]'"})
}

func (explainCmd) Help() string {
	return manual("Lists every stored event of one unit in order of time and says of each whether it counts in the experiment, and if not, why: outside, duplicate, crossover, late phase, excluded.",
		[]string{"assay explain checkout-cta u-123", "assay explain checkout-cta u-123 --json"})
}

func (signalsCmd) Help() string {
	return manual("Shows the signals that the experiment file names: the last reading of each beside the planned share of exposed units, how its circuit breaker stands and why, and at each step of the ramp the level before and after with the verdict. A change at a step is one at that time, and may have another cause (docs/signals.md).",
		[]string{"assay signals checkout-cta", "assay signals checkout-cta --json --points 1000"})
}

func (doctorCmd) Help() string {
	return manual("Looks at topics, keys, clocks, tables, switches and channels and changes nothing. Each fault comes with what to do.",
		[]string{"assay doctor", "assay doctor --notify", "assay doctor --topic orders"}, "1 also when something is at fault")
}

func (verifyCmd) Help() string {
	return manual("Counts again what the ledger says, in SQL from the stored events alone, and compares every sum to the last bit. Consumers may go on meanwhile. It tells how far it is and how long the rest takes (docs/verify.md).",
		[]string{"assay verify", "assay verify --experiment checkout-cta --json"}, "1 also when anything differs")
}

func (rereadCmd) Help() string {
	return manual("Reads a range of offsets that was counted once more from Kafka and stores its rows again, for a table that lost some. The ledger stays as it is.",
		[]string{"assay reread --topic assay.outcomes --partition 3 --from 1000 --to 2000"})
}

func (checkCmd) Help() string {
	return manual("Plays scenario files: a guardrail, observations over time and the verdicts expected of it. For rules of your own, in continuous integration.",
		[]string{"assay check guardrails/testdata/scenarios", "assay check my-rule.yaml --json"}, "3 when a verdict is not the expected one")
}

func (decisionShowCmd) Help() string {
	return manual("Lists what was decided, by whom and why, oldest first, and the hash that vouches for all of it.",
		[]string{"assay decision", "assay decision show checkout-cta", "assay decision --json | jq .head.hash"})
}

func (decisionReplayCmd) Help() string {
	return manual("Takes the evidence that a decision was stored with and decides again, by the same rules.",
		[]string{"assay decision replay 12", "assay decision replay --all"}, "3 when anything comes out otherwise")
}

// Help implements kong.HelpProvider.
func (decisionNoteCmd) Help() string {
	return manual("Writes one line beside the latest iteration of an experiment, under your name: a campaign began, a mobile version went out. It changes nothing.",
		[]string{`assay decision note checkout-cta "the spring campaign began"`})
}

func (decisionVerifyCmd) Help() string {
	return manual("Computes every hash of the log again: what was changed, taken out or put in breaks the chain at that line. With --head it also finds what was cut off or written anew before that decision.",
		[]string{"assay decision verify", "assay decision verify --head HASH"}, "1 also when the chain is broken")
}

func (killCmd) Help() string {
	return manual("Turns the experiment off through its kill switch, reads it back, and ends the iteration when it is off. The reason stands in the decision log for ever.",
		[]string{`assay kill checkout-cta --reason "errors are up"`, `assay kill checkout-cta --reason drill --drill`})
}

func (resumeCmd) Help() string {
	return manual("Opens the next iteration of an experiment that was killed; its guardrails only notify unless a new budget is declared. Or acknowledges a broken split, or lets automatic kills wait.",
		[]string{`assay resume checkout-cta --reason "mended" --rearm 0.05`, `assay resume checkout-cta --reason "a bot" --acknowledge 1`, `assay resume --all --snooze 2h --reason "load test"`})
}

func (rampShowCmd) Help() string {
	return manual("Shows the steps of a ramp, which one is in force since when, and what it waits for, as the guard saw it last (docs/ramps.md).",
		[]string{"assay ramp checkout-cta", "assay ramp checkout-cta --json | jq .ramp.reason"})
}

func (rampApproveCmd) Help() string {
	return manual("Agrees to the next step of a ramp as the file has it now. It begins when every guardrail is healthy and the step's time and units are full.",
		[]string{`assay ramp approve checkout-cta --reason "looks well"`})
}

func (rampPauseCmd) Help() string {
	return manual("Holds a ramp at its step. A step that is being carried out is carried out.", []string{`assay ramp pause checkout-cta --reason "over the weekend"`})
}

func (rampResumeCmd) Help() string {
	return manual("Lets a ramp go on that was paused, or whose last step could not be carried out: that is tried again.",
		[]string{`assay ramp resume checkout-cta --reason "the token is renewed"`})
}

func (rampRevertCmd) Help() string {
	return manual("Lets nobody take part any more, reads the traffic back, and begins a phase of 0 %. The iteration goes on, and what was counted stays; the ramp never goes on in it.",
		[]string{`assay ramp revert checkout-cta --reason "support is flooded"`}, "1 also when it could not be carried out")
}

func (simulateCmd) Help() string {
	return manual("Sends the traffic of the demo's four experiments, with a flag service of their own, to a broker that is there.",
		[]string{"assay simulate --for 60s"})
}

func (backupCmd) Help() string {
	return manual("Has the server copy all tables to where backup.to says, while consumers go on, and removes what is more than backup.keep where it reaches the files (docs/operations.md).",
		[]string{"assay backup", "assay backup --user assay_backup --password-env ASSAY_BACKUP_PASSWORD --keep 7", "assay backup --list"})
}

func (restoreCmd) Help() string {
	return manual("Restores the ledger beside the one in use, checks it and exchanges the two in one step, while consumers live: they read again from Kafka what came after the backup. With --all every table, after the loss of a server; rows are added, and chains in use that go further than the backup's stay.",
		[]string{"assay restore 20260301-120000", "assay restore 20260301-120000 --all --user assay_admin --password-env ASSAY_ADMIN_PASSWORD"})
}

func (configCheckCmd) Help() string {
	return manual("Reads the file strictly, then every secret, mapping, certificate and switch that it names, as a start would, and connects to nothing.",
		[]string{"assay config check", "assay --config /etc/assay/guard.yaml config check --json"}, "2 also when something is wrong")
}

func (configPrintCmd) Help() string {
	return manual("Prints each setting as it holds: the file over the defaults, the environment and the flags over the file. Of a secret it says where it comes from, of an address no login, path or query.",
		[]string{"assay config print", "assay config print --json"})
}

func (migrateCmd) Help() string {
	return manual("Makes the tables, or brings them to this version's schema, with a user that may. Other commands do so by themselves where they may.",
		[]string{"assay migrate", "assay migrate --user admin --password-env ADMIN_PASSWORD", "assay migrate --adopt a"})
}

func (moveCmd) Help() string {
	return manual("Moves shards one after another from the nodes that they are on to another one (clickhouse.nodes): stored rows, ledger and all. Consumers may go on and wait for the shard at hand. Results are blind meanwhile. Two moves must not run at once. Given again after it was stopped, it goes on (docs/operations.md).",
		[]string{"assay move 3 --to b --user assay_admin --password-env ASSAY_ADMIN_PASSWORD", "assay move 1 3 5 --to b"})
}

func (growCmd) Help() string {
	return manual("Brings the database of this configuration, which has another number of shards (kafka.shards) than the one in use, to where that one stands: copies its stored events to the topics of the new shards, carries configurations, decisions, looks and deliveries, counts, and compares every sum of both. Exit code 1 when one differs. What runs on the old database may go on, and the command be given again, which copies what came since. With --last, when the old consumers and guards have been stopped for ten seconds, the old database takes nothing any more (docs/operations.md, More shards).",
		[]string{"assay --config new.yaml grow --from assay --user assay_admin --password-env ASSAY_ADMIN_PASSWORD", "assay --config new.yaml grow --from assay --last"})
}

func (versionCmd) Help() string {
	return manual("Prints the version that stands on results, decisions and parts of the ledger.", []string{"assay version", "assay version --json"})
}

func (helpCmd) Help() string {
	return manual("Says what --help says.", []string{"assay help", "assay help decision verify"})
}

func (manCmd) Help() string {
	return manual("Prints one page about all commands, for man.", []string{"assay man | man -l -", "assay man > /usr/local/share/man/man1/assay.1"})
}

func (completionCmd) Help() string {
	return manual("Prints a script for the shell's start-up file. It asks this program what may follow, keys of experiments among it.",
		[]string{"source <(assay completion bash)", "source <(assay completion zsh)", "assay completion fish | source"})
}
