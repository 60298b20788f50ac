# assay: `make` lists what can be made.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO        ?= go
LINT      := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   := -s -w -X main.version=$(VERSION)
TESTFLAGS ?= -timeout 50m
ARGS      ?=

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build engine ## the demo: everything started, four experiments, a kill within a minute (ARGS="--for 60s --json")
	bin/assay run --demo $(ARGS)

.PHONY: build
build: ## bin/assay
	@command -v $(GO) >/dev/null || { echo "make: Go 1.26 is needed: install it, or name it with GO=/path/to/go" >&2; exit 1; }
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/assay ./cmd/assay

.PHONY: engine
engine: ## fetch the embedded ClickHouse engine into .cache (pinned, checked against its hash)
	@deploy/engine/fetch.sh

.PHONY: kafka
kafka: ## fetch an Apache Kafka for the tests into .cache (needs Maven and Java 17; without them those tests are skipped)
	@deploy/kafka/fetch.sh

.PHONY: unleash
unleash: ## fetch an Unleash server for the tests into .cache (needs Node.js and PostgreSQL; without them those tests are skipped)
	@deploy/unleash/fetch.sh

.PHONY: alertmanager
alertmanager: ## build an Alertmanager for the tests in .cache (pinned; without it those tests are skipped)
	@deploy/alertmanager/fetch.sh

.PHONY: helm
helm: ## build what checks the Helm chart in .cache (minutes, once; without it those tests are skipped)
	@deploy/helm/fetch.sh

.PHONY: grafana
grafana: ## build what holds the dashboard against Grafana's own types in .cache (without it that test is skipped)
	@deploy/grafana/fetch.sh

.PHONY: browser
browser: ## fetch what drives a browser in the tests of the pages into .cache (needs Node.js and Chromium; without them those tests are skipped)
	@deploy/browser/fetch.sh

.PHONY: openfeature
openfeature: ## fetch OpenFeature's clients and the flag systems that are recomputed for the tests into .cache (needs Node.js, Python, Java and Maven; without them those tests are skipped)
	@deploy/openfeature/fetch.sh

.PHONY: python
python: ## make a Python with clickhouse-connect for the tests in .cache (without it the script of docs/notebooks is not tested)
	@deploy/python/fetch.sh

.PHONY: shells
shells: ## install zsh and fish for the tests of completion (needs root on a Debian; without them those tests are skipped)
	@deploy/shells/fetch.sh

.PHONY: test
test: engine kafka unleash alertmanager helm grafana python browser openfeature shells ## every test, on real parts
	$(GO) test $(TESTFLAGS) ./...
	@test -e .cache/kafka/fetched-pom.xml || { echo "skipped, because there is no Java or Maven for a real broker:"; $(GO) test -list '^TestBroker' ./... | sed -n 's/^Test/  Test/p'; }
	@test -e .cache/unleash/fetched-lock.json || { echo "skipped, because there is no Node.js or PostgreSQL for a real Unleash:"; $(GO) test -list '^TestUnleash' ./... | sed -n 's/^Test/  Test/p'; }
	@test -e .cache/browser/fetched-lock.json || { echo "skipped, because there is no Node.js or Chromium:"; $(GO) test -list '^TestBrowser' ./... | sed -n 's/^Test/  Test/p'; }
	@test -e .cache/openfeature/fetched-pom.xml || { echo "skipped, because there is no Node.js, Python, Java or Maven for OpenFeature's clients:"; $(GO) test -list '^TestClients|^TestVendors' ./... | sed -n 's/^Test/  Test/p'; }
	@ls .cache/alertmanager/*/alertmanager >/dev/null 2>&1 || { echo "skipped, because no Alertmanager could be built:"; $(GO) test -list '^TestAlertmanager' ./... | sed -n 's/^Test/  Test/p'; }
	@test -e .cache/grafana/check || { echo "skipped, because Grafana's types could not be built:"; $(GO) test -list '^TestDashboardTypes' ./deploy | sed -n 's/^Test/  Test/p'; }
	@ls .cache/helm/*/helm >/dev/null 2>&1 || { echo "skipped, because helm could not be built:"; $(GO) test -list '^TestChart' ./deploy | sed -n 's/^Test/  Test/p'; }
	@{ command -v zsh && command -v fish; } >/dev/null || { echo "skipped, because there is no zsh or no fish:"; $(GO) test -list '^TestCompletionIn' ./cmd/assay | sed -n 's/^Test/  Test/p'; }

.PHONY: chaos
chaos: engine kafka ## attack the shipped binary: 1,000 kills and more, a million malformed records, exact afterwards (docs/exactly-once.md)
	$(GO) test ./internal/e2e -run '^Test(Chaos|Broker)' -count=1 -v -timeout 3h -e2e.long 20 $(ARGS) | grep -vE '^ +(process_test|assay:|hint:|[0-9] \||\^)'

.PHONY: soak
soak: build engine kafka ## 30 minutes of 50,000 events/s while every part fails; fails itself when a criterion does not hold, writes docs/soak.md (ARGS="--for 5m --rate 20000")
	$(GO) run ./internal/bench -soak -docs docs -commit $(VERSION) $(ARGS)

.PHONY: soak-short
soak-short: build engine kafka ## the same faults in a minute and a half, exact afterwards; how fast is not judged
	$(GO) run ./internal/bench -soak -for 90s -rate 5000 -consumer-memory 512MiB -kill-p50 1m -kill-p99 2m $(ARGS)

.PHONY: race
race: engine ## the tests of concurrent packages under the race detector
	$(GO) test -race $(TESTFLAGS) ./ingest/... ./internal/watch/... ./guardrails/... ./internal/simulate/...

.PHONY: bench
bench: engine kafka openfeature ## events/s end to end, what an event costs each process, each part alone, and a comparison (ARGS="--long": also five minutes; ARGS="-analysis 5000000": exploratory analyses)
	$(GO) run ./internal/bench $(ARGS)
	$(GO) run ./internal/bench -readers
	$(GO) run ./internal/bench -assign
	$(GO) run ./internal/bench -erase 1000000
	@echo; echo "A COMPARISON FROM MOMENTS, beside one t quantile of gonum"
	$(GO) test ./stats -run '^$$' -bench '^BenchmarkComparison$$'

.PHONY: bench-kill
bench-kill: engine kafka ## from the event that shows harm to the off call, and a round over 1,000 experiments (ARGS="--long": ten minutes)
	$(GO) run ./internal/bench -kill $(ARGS)

.PHONY: simulate-stats
simulate-stats: ## the statistics' guarantees by simulation, hours; writes docs/calibration.md (ARGS="--replicates 500 --only drift")
	$(GO) run ./internal/calibrate --commit $(VERSION) $(ARGS)

.PHONY: simulate-stats-short
simulate-stats-short: ## the same scenarios as small as their gates allow, 7 to 8 minutes of two cores; fails when a promise is broken
	$(GO) run ./internal/calibrate --commit $(VERSION) --short --results reports/calibration-short $(ARGS)

.PHONY: simulate-kills
simulate-kills: ## false kills and missed harm through the guard's own loop, half an hour (ARGS="-falsekills.seed 2")
	$(GO) test ./internal/watch -run '^Test(FalseKills|MissedHarm)$$' -count=1 -v -timeout 12h -args -falsekills.replicates 2000 -falsekills.looks 1000 $(ARGS)

.PHONY: fuzz
FUZZTIME ?= 8s
fuzz: ## two minutes of fuzzing: the decoder, and every exported function of the statistics
	$(GO) test ./ingest -run '^$$' -fuzz FuzzDecode -fuzztime 30s
	for f in Pair Estimate Counts Sums Rows Pairs Families; do $(GO) test ./stats -run '^$$' -fuzz "^Fuzz$$f\$$" -fuzztime $(FUZZTIME) || exit 1; done
	for f in Designs Sizes; do $(GO) test ./stats/design -run '^$$' -fuzz "^Fuzz$$f\$$" -fuzztime $(FUZZTIME) || exit 1; done
	for f in Sequences OneLook; do $(GO) test ./stats/yardstick -run '^$$' -fuzz "^Fuzz$$f\$$" -fuzztime $(FUZZTIME) || exit 1; done

.PHONY: check
check: fmt-check mod-check vet lint ## formatting, go.mod, vet, lint

.PHONY: mod-check
mod-check:
	@$(GO) mod tidy -diff >/dev/null || { echo "go.mod or go.sum is not tidy: run go mod tidy"; exit 1; }

.PHONY: fmt
fmt: ## format the sources
	gofmt -w $$(git ls-files '*.go')

.PHONY: fmt-check
fmt-check:
	@bad=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$bad" || { echo "not formatted (make fmt):"; echo "$$bad"; exit 1; }

.PHONY: vet
vet:
	$(GO) vet ./...

.PHONY: lint
lint: ## golangci-lint
	$(GO) run $(LINT) run ./...

.PHONY: clean
clean: ## remove what was built; `make clean-all` also removes fetched things and data
	rm -rf bin reports

.PHONY: clean-all
clean-all: clean
	rm -rf .cache data
