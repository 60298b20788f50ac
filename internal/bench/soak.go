package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded"
)

// A soak lets the shipped binary, as the processes of an installation, count a
// steady stream for a long time while everything that it rests on fails once, one
// thing after the other. What was counted in the end is held against what was sent.
const (
	soakTick     = 2 * time.Second // between samples, as a rule
	soakPatience = 3 * time.Second // for the answers of one
	soakSettled  = 5 * time.Second // a lag below it is none
	soakRecover  = 3 * time.Minute // after a fault, for the lag to be below it
	soakDrain    = 3 * time.Minute // after the last record, to count everything and end every trial
)

// soakOptions say how long and how much.
type soakOptions struct {
	length time.Duration
	binary string // the shipped one
	result string // file that everything measured goes to
	docs   string // folder of soak.md and of images/soak.svg; empty: neither is written
	memory string // of each consumer
	disk   bool   // a disk of its own for ClickHouse, where the system allows it
	only   string // a regular expression: the faults that happen; empty: all
	commit string
	note   string // what else the machine did; stands in the page

	p50, p99 time.Duration // of kills that no fault touches
}

func defaultSoak() soakOptions {
	return soakOptions{length: 30 * time.Minute, memory: "6GiB", disk: true, result: filepath.Join("reports", "soak.json"), p50: 2 * time.Second, p99: 5 * time.Second}
}

// soak is one run.
type soak struct {
	soakOptions
	o       options
	dir     string
	servers soakServers
	db      *clickhouse.DB // not through the relay
	calls   receiver
	stream  *soakStream
	trials  soakTrialSet
	members map[string]*member
	sampler sampler
	faults  []soakFault
	began   time.Time

	result soakResult
}

// benchSoak runs one and judges it. The result is written whatever it is.
func benchSoak(ctx context.Context, dir string, o options, r *report) (err error) {
	s := &soak{soakOptions: o.soak, o: o, dir: dir, members: map[string]*member{}}
	if _, err := os.Stat(s.binary); err != nil {
		return fmt.Errorf("the binary to soak: %w (make build makes it)", err)
	}
	if s.binary, err = filepath.Abs(s.binary); err != nil {
		return fmt.Errorf("the binary to soak: %w", err)
	}
	if o.jars == "" {
		return errors.New("a soak needs an Apache Kafka that can be killed: install Java 17 and Maven 3, then make kafka")
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.prepare(ctx); err != nil {
		return fmt.Errorf("prepare the soak: %w%s", err, s.said())
	}
	r.say("a soak of %v at %d events/s, %d shards, %d faults, %d harmed experiments; ClickHouse's disk: %s",
		s.length, o.rate, o.partitions, len(s.faults), len(s.trials.all), s.servers.disk.what)
	if err := s.run(ctx, r); err != nil {
		s.docs = "" // a page is about a run that came to its end
		err = errors.Join(err, s.write())
		return fmt.Errorf("soak: %w%s", err, s.said())
	}
	s.result.Criteria = judge(&s.result, s.bounds())
	if err := s.write(); err != nil {
		return err
	}
	r.soaked(&s.result)
	if n := s.result.failures(); n > 0 {
		return fmt.Errorf("%d of %d criteria do not hold%s", n, len(s.result.Criteria), s.said())
	}
	return nil
}

func (s *soak) bounds() soakBounds {
	return soakBounds{p50: s.p50, p99: s.p99, recover: soakRecover, parts: mostParts, rate: 0.95}
}

// prepare starts servers and processes, with experiments in force.
func (s *soak) prepare(ctx context.Context) (err error) {
	if s.faults, err = soakFaultsNamed(s.length, s.only); err != nil {
		return err
	}
	s.trials.plan(s.length)
	if err := s.calls.listen(ctx); err != nil {
		return err
	}
	if err := s.startServers(ctx); err != nil {
		return err
	}
	if err := s.configure(); err != nil {
		return err
	}
	for _, args := range [][]string{{"--config", "admin.yaml", "migrate"}, {"--config", "serve.yaml", "apply"}} {
		if _, err := s.command(ctx, args...); err != nil {
			return err
		}
	}
	user := s.servers.engine.Admin()
	s.db, err = clickhouse.Open(ctx, clickhouse.Config{Addr: []string{s.servers.engine.Addr()}, Database: soakDatabase, User: user.Name, Password: user.Password, Code: "soak"})
	if err != nil {
		return err
	}
	v, err := s.db.Version(ctx)
	if err != nil {
		return err
	}
	for _, t := range s.trials.all {
		t.oracle = newOracle(v.Find(t.key))
	}
	for _, name := range []string{"ingest-1", "ingest-2", "guard-1", "guard-2", "serve"} {
		if err := s.members[name].start(); err != nil {
			return err
		}
	}
	return s.ready(ctx)
}

// run is the soak itself: stream, trials, faults and samples beside one another.
func (s *soak) run(ctx context.Context, r *report) error {
	s.stream = newSoakStream(s.o.rate, s.o.partitions, s.servers.addrs())
	s.began = time.Now()
	s.result = soakResult{Began: s.began.UTC(), For: s.length.Seconds(), Rate: s.o.rate, Shards: int(s.o.partitions),
		Memory: s.soakOptions.memory, Disk: s.servers.disk.what, Note: s.note, Commit: s.commit, Cores: cores(), Bounds: s.bounds().seconds()}
	ends := s.began.Add(s.length)
	sampling, stopSampling := context.WithCancel(ctx)
	defer stopSampling()
	sampled := make(chan struct{})
	go func() { defer close(sampled); s.sampleUntil(sampling) }()

	group, running := errgroup.WithContext(ctx)
	failed := make(chan struct{}) // when all has failed that is to fail: before that the stream does not end
	group.Go(func() error {
		err := s.stream.run(running, ends, failed)
		s.result.Sent = s.sinceBegan(time.Now())
		return err
	})
	group.Go(func() error { return s.harm(running, ends) })
	group.Go(func() error {
		defer close(failed)
		return s.fail(running, r)
	})
	err := group.Wait()
	if err == nil {
		err = s.drain(ctx)
	}
	stopSampling()
	<-sampled
	s.result.Samples = s.sampler.all
	kills, ofTrials := s.trials.kills(s.began, &s.calls)
	s.result.Kills, s.result.Expected = kills, s.stream.expected(ofTrials)
	s.result.Records = s.stream.records
	if err != nil {
		return err
	}
	return s.settle(ctx, r)
}

func (s *soak) sinceBegan(t time.Time) float64 { return t.Sub(s.began).Seconds() }

// harm feeds the trials until the stream ends, and those that are not called off yet
// for as long as they need.
func (s *soak) harm(ctx context.Context, ends time.Time) error {
	cl, err := soakProducer(s.servers.addrs())
	if err != nil {
		return err
	}
	defer cl.Close()
	f := &feeding{to: sourceOf(soakExposures, soakOutcomes), partitions: s.o.partitions, random: rand.New(rand.NewPCG(11, 11))}
	for tick := time.NewTicker(killTick); ; {
		now, left := time.Now(), 0
		for _, t := range s.trials.all {
			if age := now.Sub(s.began) - t.begins; s.calls.arrived(t.key).IsZero() {
				left++
				f.advance(ctx, cl, t, age)
			}
		}
		if left == 0 && now.After(ends) {
			return cl.Flush(ctx)
		}
		if now.After(ends.Add(soakDrain)) {
			return errors.Join(cl.Flush(ctx), fmt.Errorf("%d of %d harmed experiments were not called off %v after the stream's end", left, len(s.trials.all), soakDrain))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// drain waits until everything is counted.
func (s *soak) drain(ctx context.Context) error {
	deadline := time.Now().Add(soakDrain)
	for {
		behind, err := s.behind(ctx)
		if err == nil && behind == 0 {
			s.result.Drained = s.sinceBegan(time.Now())
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("%d records are not counted %v after the last one", behind, soakDrain), err)
		}
		pause(ctx, soakTick)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// settle ends the processes in order and holds what was counted against what was sent.
func (s *soak) settle(ctx context.Context, r *report) error {
	r.say("sent %d records, all of them counted; recounting", s.stream.records)
	for _, m := range s.members {
		if err := m.stop(); err != nil {
			return err
		}
	}
	v, err := s.db.Version(ctx)
	if err != nil {
		return err
	}
	if s.result.Wrong, err = s.stream.check(ctx, s.db, &v); err != nil {
		return err
	}
	s.result.Counted, err = s.counted(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	out, err := s.command(ctx, "--config", "serve.yaml", "verify", "--json")
	var found struct {
		Differences *int `json:"differences"`
	}
	if jsonErr := json.Unmarshal([]byte(out), &found); jsonErr != nil || found.Differences == nil {
		return fmt.Errorf("verify: %w %w\n%s", err, jsonErr, out)
	}
	s.result.Differences, s.result.VerifyTook = *found.Differences, time.Since(began).Seconds()
	if _, err := s.command(ctx, "--config", "serve.yaml", "decision", "verify"); err != nil {
		s.result.Wrong = append(s.result.Wrong, "the decision log: "+err.Error())
	}
	s.result.Restarts = s.servers.engine.Restarts()
	return nil
}

// counted is what the marks say became of the stream's records.
func (s *soak) counted(ctx context.Context) (c soakFates, err error) {
	all, err := s.db.Reconcile(ctx)
	if err != nil {
		return c, err
	}
	for _, r := range all {
		c.Accepted += int64(r.Accepted)
		c.Duplicate += int64(r.Duplicate)
		c.Dead += int64(r.Dead)
		c.Other += int64(r.Misplaced + r.Suppressed + r.Shed)
		c.Unexplained += abs(r.Difference)
	}
	return c, nil
}

func abs(n int64) int64 { return max(n, -n) }

// close ends everything that was started.
func (s *soak) close() error {
	for _, m := range s.members {
		m.kill()
	}
	if s.db != nil {
		_ = s.db.Close()
	}
	if s.calls.server != nil {
		s.calls.close()
	}
	return s.servers.close()
}

// soakUsers is what of the engine's accounts is written into files.
func soakUsers(e *embedded.ClickHouse) []embedded.User { return []embedded.User{e.Admin(), e.Writer()} }
