package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

const sigterm = syscall.SIGTERM

// soakFault is one thing that fails, holds for a while and ends.
type soakFault struct {
	name  string
	at    time.Duration // after the beginning
	hold  time.Duration
	begin func(context.Context, *soak) error
	end   func(context.Context, *soak) error
}

// soakHappened is a fault as it was, in seconds after the beginning.
type soakHappened struct {
	Name      string  `json:"name"`
	Begin     float64 `json:"begin"`
	End       float64 `json:"end"`
	Recovered float64 `json:"recovered"` // every lag was below the bound again
	MostLag   float64 `json:"most_lag"`  // seconds, from its beginning on
}

// soakFaults spreads all of them over a run, whatever its length.
func soakFaults(length time.Duration) []soakFault {
	all := []soakFault{
		{name: "a consumer killed", begin: kills("ingest-1"), end: starts("ingest-1")},
		{name: "a guard killed", begin: kills("guard-1"), end: starts("guard-1")},
		{name: "ClickHouse killed, again and again", begin: killEngine, end: nothing},
		{name: "a third consumer, for a while", hold: 6 * time.Second, begin: starts("ingest-3"), end: stops("ingest-3")},
		{name: "ClickHouse slow: 50 ms on every message", begin: slows(50 * time.Millisecond), end: slows(0)},
		{name: "the other guard killed", begin: kills("guard-2"), end: starts("guard-2")},
		{name: "a consumer stands still, beyond its session", hold: 9 * time.Second, begin: signals("ingest-2", syscall.SIGSTOP), end: signals("ingest-2", syscall.SIGCONT)},
		{name: "the disk full", begin: fillDisk, end: freeDisk},
		{name: "the pages killed", begin: kills("serve"), end: starts("serve")},
		{name: "the broker killed", begin: killBroker, end: startBrokerAgain},
		{name: "a consumer leaves", begin: stops("ingest-1"), end: starts("ingest-1")},
		{name: "ClickHouse stands still", begin: signalEngine(syscall.SIGSTOP), end: signalEngine(syscall.SIGCONT)},
		{name: "all consumers and guards killed at once", begin: kills("ingest-1", "ingest-2", "guard-1", "guard-2"), end: starts("ingest-1", "ingest-2", "guard-1", "guard-2")},
	}
	return spread(all, length)
}

// soakFaultsNamed are those of them that a regular expression finds, spread over the
// whole run.
func soakFaultsNamed(length time.Duration, only string) ([]soakFault, error) {
	named, err := regexp.Compile(only)
	if err != nil {
		return nil, fmt.Errorf("--faults: %w", err)
	}
	all := slices.DeleteFunc(soakFaults(length), func(f soakFault) bool { return !named.MatchString(f.name) })
	if len(all) == 0 {
		return nil, fmt.Errorf("--faults %q: no fault has such a name", only)
	}
	return spread(all, length), nil
}

func spread(all []soakFault, length time.Duration) []soakFault {
	slot := length * 88 / 100 / time.Duration(len(all))
	for i := range all {
		all[i].at = length*4/100 + time.Duration(i)*slot
		all[i].hold = max(all[i].hold, min(20*time.Second, max(slot/5, 3*time.Second)))
	}
	return all
}

// fail lets one fault happen after the other. The next one waits until the lag of the
// one before is gone, for as long as that may take.
func (s *soak) fail(ctx context.Context, r *report) error {
	for _, f := range s.faults {
		pause(ctx, f.at-time.Since(s.began))
		h := soakHappened{Name: f.name, Begin: s.sinceBegan(time.Now())}
		if err := f.begin(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		s.hold(ctx, f)
		if err := f.end(ctx, s); err != nil {
			return fmt.Errorf("after %s: %w", f.name, err)
		}
		h.End = s.sinceBegan(time.Now())
		h.Recovered, h.MostLag = s.recovered(ctx, h)
		s.result.Faults = append(s.result.Faults, h)
		if err := ctx.Err(); err != nil {
			return err
		}
		r.say("  %4.0f s  %-46s %3.0f s, no lag %.0f s after its end; at most %.1f s", h.Begin, f.name, h.End-h.Begin, h.Recovered-h.End, h.MostLag)
	}
	return nil
}

// hold lets a fault last. ClickHouse, which is started at once when it has ended, is
// killed again meanwhile.
func (s *soak) hold(ctx context.Context, f soakFault) {
	for until := time.Now().Add(f.hold); time.Now().Before(until) && ctx.Err() == nil; {
		pause(ctx, min(time.Second, time.Until(until)))
		if f.name == "ClickHouse killed, again and again" {
			_ = killEngine(ctx, s) // it may not be back yet
		}
	}
}

// recovered waits until the lag is gone, or has had its time.
func (s *soak) recovered(ctx context.Context, h soakHappened) (at, most float64) {
	for {
		pause(ctx, soakTick/2)
		now := s.sinceBegan(time.Now())
		last, seen := s.sampler.last()
		most = s.sampler.mostLag(h.Begin)
		switch {
		case seen && last.At > h.End+1 && last.lag() < soakSettled.Seconds():
			return last.At, most
		case ctx.Err() != nil || now > h.End+2*soakRecover.Seconds():
			return now, most
		}
	}
}

func nothing(context.Context, *soak) error { return nil }

func members(names []string, do func(*member) error) func(context.Context, *soak) error {
	return func(_ context.Context, s *soak) error {
		var errs []error
		for _, name := range names {
			errs = append(errs, do(s.members[name]))
		}
		return errors.Join(errs...)
	}
}

func kills(names ...string) func(context.Context, *soak) error {
	return members(names, func(m *member) error {
		if !m.running().Running() {
			return fmt.Errorf("%s had ended before it was killed", m.name)
		}
		m.kill()
		return nil
	})
}

func starts(names ...string) func(context.Context, *soak) error {
	return members(names, (*member).start)
}

func stops(names ...string) func(context.Context, *soak) error {
	return members(names, (*member).stop)
}

func signals(name string, which syscall.Signal) func(context.Context, *soak) error {
	return members([]string{name}, func(m *member) error { m.running().Signal(which); return nil })
}

func slows(by time.Duration) func(context.Context, *soak) error {
	return func(_ context.Context, s *soak) error { s.servers.relay.slow(by); return nil }
}

func signalEngine(which syscall.Signal) func(context.Context, *soak) error {
	return func(_ context.Context, s *soak) error {
		pid := s.servers.engine.Pid()
		if pid == 0 {
			return errors.New("ClickHouse is away")
		}
		if err := syscall.Kill(pid, which); err != nil {
			return fmt.Errorf("signal ClickHouse: %w", err)
		}
		return nil
	}
}

func killEngine(ctx context.Context, s *soak) error { return signalEngine(syscall.SIGKILL)(ctx, s) }

func killBroker(_ context.Context, s *soak) error {
	s.servers.brokerPid.Store(0)
	s.servers.broker.Kill(1)
	return nil
}

func startBrokerAgain(ctx context.Context, s *soak) error {
	if err := s.servers.broker.Restart(1); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	s.servers.brokerPid.Store(int64(s.servers.broker.Pid(1)))
	return s.servers.broker.Await(ctx)
}

// fillDisk leaves ClickHouse no room, or tells it that there is none.
func fillDisk(ctx context.Context, s *soak) error {
	d := s.servers.disk
	if !d.mounted {
		return s.reserve(ctx, "1000000000000000")
	}
	f, err := os.Create(filepath.Join(d.dir, "ballast"))
	if err != nil {
		return fmt.Errorf("fill the disk: %w", err)
	}
	defer func() { _ = f.Close() }()
	end := int64(0)
	for size := int64(1 << 40); size >= 4096; {
		if err := syscall.Fallocate(int(f.Fd()), 0, end, size); err == nil {
			end += size
		} else if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EFBIG) {
			size /= 2
		} else {
			return fmt.Errorf("fill the disk: %w", err)
		}
	}
	return nil
}

func freeDisk(ctx context.Context, s *soak) error {
	if !s.servers.disk.mounted {
		return s.reserve(ctx, "0")
	}
	if err := os.Remove(filepath.Join(s.servers.disk.dir, "ballast")); err != nil {
		return fmt.Errorf("free the disk: %w", err)
	}
	return nil
}

// reserve says how much of the disk ClickHouse must leave free.
func (s *soak) reserve(ctx context.Context, bytes string) error {
	user := s.servers.engine.Admin()
	conn, err := driver.Open(&driver.Options{Addr: []string{s.servers.engine.Addr()}, Auth: driver.Auth{Username: user.Name, Password: user.Password}})
	if err != nil {
		return fmt.Errorf("connect as the administrator: %w", err)
	}
	defer func() { _ = conn.Close() }()
	for _, table := range []string{"ledger", "events", "dead_letters"} {
		if err := conn.Exec(ctx, fmt.Sprintf("ALTER TABLE %s.%s MODIFY SETTING min_free_disk_bytes_to_perform_insert = %s", soakDatabase, table, bytes)); err != nil {
			return fmt.Errorf("reserve the disk: %w", err)
		}
	}
	return nil
}
