package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/internal/clickhouse"
)

// soakSample is how everything stands at one moment.
type soakSample struct {
	At     float64            `json:"at"`      // seconds after the beginning
	Events float64            `json:"events"`  // that were counted a second, since the sample before
	RSS    map[string]float64 `json:"rss_mib"` // by process; one that is away is missing
	CPU    map[string]float64 `json:"cpu_s"`   // processor time since the process began
	State  map[string]float64 `json:"state_mib"`
	Parts  map[string]uint64  `json:"parts"` // of the ledger by shard, and of events by month
	Lag    map[string]float64 `json:"lag"`   // seconds, by topic and partition
}

func (s soakSample) lag() (most float64) {
	for _, lag := range s.Lag {
		most = max(most, lag)
	}
	return most
}

// sampler keeps the samples, and of each partition how far it had been written when.
type sampler struct {
	mu    sync.Mutex
	all   []soakSample
	ends  []soakEnds
	next  map[lane]int64
	total int64
}

type soakEnds struct {
	at  time.Time
	end map[lane]int64
}

func (s *sampler) last() (soakSample, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 {
		return soakSample{}, false
	}
	return s.all[len(s.all)-1], true
}

// mostLag is the most since a moment.
func (s *sampler) mostLag(since float64) (most float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.all {
		if x.At >= since {
			most = max(most, x.lag())
		}
	}
	return most
}

// sampleUntil looks at everything again and again. What cannot be asked because it is
// away stands as it was: lag grows on.
func (s *soak) sampleUntil(ctx context.Context) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.servers.addrs()...))
	if err != nil {
		return // the addresses are this program's own
	}
	defer cl.Close()
	admin := kadm.NewClient(cl)
	for tick := time.NewTicker(soakTick); ; {
		s.sample(ctx, admin)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *soak) sample(ctx context.Context, admin *kadm.Client) {
	ctx, cancel := context.WithTimeout(ctx, soakPatience)
	defer cancel()
	now := time.Now()
	x := soakSample{At: s.sinceBegan(now), RSS: map[string]float64{}, CPU: map[string]float64{}, State: map[string]float64{}}
	var ends map[lane]int64
	var next map[lane]int64
	var total int64
	var err error
	var asking errgroup.Group // each may have to wait for what is away
	asking.Go(func() error { ends, err = s.endsOf(ctx, admin); return nil })
	asking.Go(func() error { next, total = s.positions(ctx); return nil })
	asking.Go(func() error { x.Parts = s.partsOf(ctx); return nil })
	_ = asking.Wait() // what was not answered is missing
	pids := map[string]int{"clickhouse": s.servers.engine.Pid(), "kafka": int(s.servers.brokerPid.Load()), "soak": os.Getpid()}
	for name, m := range s.members {
		pids[name] = m.running().Pid()
		if strings.HasPrefix(name, "ingest") && pids[name] > 0 {
			x.State[name] = stateOf(ctx, m.port) / (1 << 20)
		}
	}
	for name, pid := range pids {
		if kib := rss(pid); kib > 0 {
			x.CPU[name] = cpuTime(pid).Seconds()
			if name != "soak" { // its memory is that of all it has sent
				x.RSS[name] = kib / 1024
			}
		}
	}

	p := &s.sampler
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.ends = append(p.ends, soakEnds{now, ends})
	}
	x.Events = p.counted(next, total, x.At)
	x.Lag = p.lags(time.Now())
	p.all = append(p.all, x)
}

// counted takes over how far the ledger is, and tells how many events a second that is.
func (s *sampler) counted(next map[lane]int64, total int64, at float64) float64 {
	if next == nil {
		return 0
	}
	before := 0.0
	if n := len(s.all); n > 0 {
		before = s.all[n-1].At
	}
	rate := float64(total-s.total) / max(at-before, 0.1)
	s.next, s.total = next, total
	return rate
}

// lags are how long ago each partition ended where it is counted up to now.
func (s *sampler) lags(now time.Time) map[string]float64 {
	out := map[string]float64{}
	if len(s.ends) == 0 {
		return out
	}
	least := len(s.ends) - 1
	for in, end := range s.ends[len(s.ends)-1].end {
		i := len(s.ends) - 1
		for i >= 0 && s.ends[i].end[in] > s.next[in] {
			i--
		}
		name := fmt.Sprintf("%s %d", []string{"exposures", "outcomes"}[in.topic], in.shard)
		switch {
		case end <= s.next[in]:
			out[name] = 0
		case i < 0:
			out[name] = now.Sub(s.ends[0].at).Seconds()
		default:
			out[name] = now.Sub(s.ends[i].at).Seconds()
		}
		least = min(least, max(i, 0))
	}
	s.ends = s.ends[least:] // what is behind all of them is not asked for again
	return out
}

func (s *soak) endsOf(ctx context.Context, admin *kadm.Client) (map[lane]int64, error) {
	listed, err := admin.ListEndOffsets(ctx, soakExposures, soakOutcomes)
	if err == nil {
		err = listed.Error()
	}
	out := map[lane]int64{}
	listed.Each(func(o kadm.ListedOffset) { out[laneOf(o.Topic, o.Partition)] = o.Offset })
	return out, err
}

func laneOf(topic string, shard int32) lane {
	if topic == soakOutcomes {
		return lane{1, shard}
	}
	return lane{0, shard}
}

// positions are where the last marks end; nil when ClickHouse does not say.
func (s *soak) positions(ctx context.Context) (next map[lane]int64, total int64) {
	all, err := s.db.Positions(ctx)
	if err != nil {
		return nil, 0
	}
	next = map[lane]int64{}
	for _, p := range all {
		for topic, n := range p.Next {
			next[laneOf(topic, int32(p.Shard))] = n
			total += n
		}
	}
	return next, total
}

// behind is how many records are not counted.
func (s *soak) behind(ctx context.Context) (n int64, err error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.servers.addrs()...))
	if err != nil {
		return 0, fmt.Errorf("make a client: %w", err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ends, err := s.endsOf(ctx, kadm.NewClient(cl))
	next, _ := s.positions(ctx)
	for in, end := range ends {
		n += max(0, end-next[in])
	}
	return n, err
}

func (s *soak) partsOf(ctx context.Context) map[string]uint64 {
	counts, err := s.db.Parts(ctx)
	if err != nil {
		return nil
	}
	return soakParts(counts)
}

func soakParts(counts []clickhouse.PartCount) map[string]uint64 {
	out := map[string]uint64{}
	for _, c := range counts {
		if c.Table == "ledger" || c.Table == "events" {
			out[c.Table+" "+c.Partition] = c.Parts
		}
	}
	return out
}

// rss is the memory of a process in KiB, 0 where it is away.
func rss(pid int) float64 {
	if pid == 0 {
		return 0
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib
		}
	}
	return 0
}

// stateOf is what a consumer says that its units take.
func stateOf(ctx context.Context, port int) (sum float64) {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/metrics", port), nil)
	if err != nil {
		return 0
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0 // it may be standing still
	}
	defer func() { _ = answer.Body.Close() }()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "assay_ingest_state_bytes{"); ok {
			v, _ := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
			sum += v
		}
	}
	return sum
}

// ready waits until every process says that it does its work.
func (s *soak) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, m := range s.members {
		if m.running() == nil {
			continue
		}
		err := m.running().Await(ctx, func(ctx context.Context) error {
			q, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/readyz", m.port), nil)
			if err != nil {
				return err
			}
			answer, err := http.DefaultClient.Do(q)
			if err != nil {
				return err
			}
			defer func() { _ = answer.Body.Close() }()
			if answer.StatusCode != http.StatusOK {
				return fmt.Errorf("%s says %s", m.name, answer.Status)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}
