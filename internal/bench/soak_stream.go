package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
)

const (
	soakExposures = "assay.exposures"
	soakOutcomes  = "assay.outcomes"

	soakBuys   = 8                // of a unit, on average
	soakVisit  = time.Minute      // for which a unit buys
	soakReturn = 30 * time.Minute // within which a few come back
	soakTwice  = 1000             // one record of so many is sent a second time
	soakJunk   = 10_000           // one of so many is no event
	soakBack   = 500              // one purchase of so many is of a unit that comes back
)

// soakStream sends events as they happen: units come, are exposed to each experiment,
// buy for a minute, and few come back later. It remembers what must come of it.
type soakStream struct {
	rate       int
	partitions int32
	addrs      []string
	random     *rand.Rand
	topics     source

	began   time.Time
	units   []soakUnit
	records int64 // sent, of any sort
	twice   int64
	junk    int64
	ids     int64
	failed  atomic.Pointer[error]
}

// soakUnit is what a unit must add up to.
type soakUnit struct {
	born  uint32 // seconds after the beginning
	cents uint32
	buys  uint32
}

func newSoakStream(rate int, partitions int32, addrs []string) *soakStream {
	return &soakStream{rate: rate, partitions: partitions, addrs: addrs, random: rand.New(rand.NewPCG(3, 5)), topics: sourceOf(soakExposures, soakOutcomes)}
}

func sourceOf(exposures, outcomes string) source { return source{exposures, outcomes} }

// soakProducer waits for a broker that is away as long as it takes: what was sent is
// sent once.
func soakProducer(addrs []string) (*kgo.Client, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.MaxBufferedRecords(200_000), kgo.ProducerLinger(5*time.Millisecond))
	if err != nil {
		return nil, fmt.Errorf("make a producer: %w", err)
	}
	return cl, nil
}

// run sends until the end, and until everything has failed that is to fail. What is due
// while a broker is away is sent afterwards.
func (s *soakStream) run(ctx context.Context, ends time.Time, failed <-chan struct{}) error {
	cl, err := soakProducer(s.addrs)
	if err != nil {
		return err
	}
	defer cl.Close()
	s.began = time.Now()
	for tick := time.NewTicker(liveTick); time.Now().Before(ends) || !over(failed); {
		due := int64(time.Since(s.began).Seconds() * float64(s.rate))
		for s.records < due && ctx.Err() == nil {
			s.unit(ctx, cl)
			for range soakBuys {
				s.purchase(ctx, cl)
			}
		}
		if failed := s.failed.Load(); failed != nil {
			return fmt.Errorf("send: %w", *failed)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	if err := cl.Flush(ctx); err != nil {
		return fmt.Errorf("send the last records: %w", err)
	}
	if failed := s.failed.Load(); failed != nil {
		return fmt.Errorf("send: %w", *failed)
	}
	return nil
}

func over(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// unit lets one come and be exposed to each experiment.
func (s *soakStream) unit(ctx context.Context, cl *kgo.Client) {
	i, now := len(s.units), time.Now()
	s.units = append(s.units, soakUnit{born: uint32(now.Sub(s.began).Seconds())})
	for j, key := range keys {
		v := s.begin("exposure", i, now)
		v = append(append(v, `,"experiment":"`...), key...)
		v = append(append(v, `","variant":"`...), soakVariants[soakVariant(i, j)]...)
		s.send(ctx, cl, 0, i, append(v, `","attrs":{"device":"mobile","country":"DE"}}`...))
	}
}

// purchase is one of a unit that is there, or of one that comes back.
func (s *soakStream) purchase(ctx context.Context, cl *kgo.Client) {
	now := time.Now()
	within := soakVisit
	if s.random.IntN(soakBack) == 0 {
		within = soakReturn
	}
	perSecond := float64(s.rate) / float64(len(keys)+soakBuys)
	window := min(len(s.units), 1+int(within.Seconds()*perSecond))
	i := len(s.units) - 1 - s.random.IntN(window)
	cents := 1 + s.random.IntN(10_000)
	s.units[i].cents += uint32(cents)
	s.units[i].buys++
	v := append(s.begin("outcome", i, now), `,"event":"purchase","value":`...)
	v = strconv.AppendInt(v, int64(cents/100), 10)
	v = append(v, '.', byte('0'+cents/10%10), byte('0'+cents%10))
	s.send(ctx, cl, 1, i, append(v, `,"attrs":{"device":"mobile","currency":"EUR"}}`...))
}

// begin is what both kinds of event begin with.
func (s *soakStream) begin(kind string, unit int, t time.Time) []byte {
	v := append(append(make([]byte, 0, 220), `{"type":"`...), kind...)
	v = strconv.AppendInt(append(v, `","id":"soak-`...), s.ids, 10)
	s.ids++
	v = strconv.AppendInt(append(v, `","ts":`...), t.UnixMilli(), 10)
	return append(strconv.AppendInt(append(v, `,"unit":"soak-user-`...), int64(unit), 10), '"')
}

// send sends a record, some of them twice, and some that are none.
func (s *soakStream) send(ctx context.Context, cl *kgo.Client, topic, unit int, value []byte) {
	key := strconv.AppendInt([]byte("soak-user-"), int64(unit), 10)
	once := func(value []byte) {
		s.records++
		cl.Produce(ctx, &kgo.Record{Topic: s.topics[topic], Key: key, Value: value, Partition: ingest.Partition(key, s.partitions, ingest.Murmur2)},
			func(_ *kgo.Record, err error) {
				if err != nil {
					s.failed.CompareAndSwap(nil, &err)
				}
			})
	}
	once(value)
	if s.random.IntN(soakTwice) == 0 {
		s.twice++
		once(value)
	}
	if s.random.IntN(soakJunk) == 0 {
		s.junk++
		once(value[:len(value)/2])
	}
}

var soakVariants = []string{"control", "treatment"}

// soakVariant is the variant of a unit in an experiment: a bit of a mixed number.
func soakVariant(unit, experiment int) int {
	x := uint64(unit)*uint64(len(keys)) + uint64(experiment) + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return int((x ^ x>>31) & 1)
}

// expected is what the marks must say, with so many events of trials on top.
func (s *soakStream) expected(ofTrials int64) soakFates {
	return soakFates{Accepted: s.records - s.twice - s.junk + ofTrials, Duplicate: s.twice, Dead: s.junk}
}

// check holds the ledger's sums against the units'. It returns what is wrong.
func (s *soakStream) check(ctx context.Context, db *clickhouse.DB, v *experiment.Version) ([]string, error) {
	var specs []clickhouse.MomentsSpec
	for _, key := range keys {
		specs = append(specs, clickhouse.MomentsSpec{Experiment: key, Iteration: v.Find(key).Latest().Number})
	}
	m, err := db.Moments(ctx, specs)
	if err != nil {
		return nil, fmt.Errorf("read the sums: %w", err)
	}
	got := map[string]string{}
	for _, c := range m.Cells {
		if c.Dimension == "" {
			got[c.Experiment+" "+c.Variant+" "+c.Metric] = fmt.Sprintf("n %d Σ %s Σ² %s", c.Open.N, c.Open.Sum, c.Open.SumSquares)
		}
	}
	var wrong []string
	for cell, want := range s.sums() {
		if got[cell] != want {
			wrong = append(wrong, fmt.Sprintf("%s is %q, it must be %q", cell, got[cell], want))
		}
	}
	return wrong, nil
}

// sums are the moments that must come out, by cell.
func (s *soakStream) sums() map[string]string {
	out := map[string]string{}
	for j, key := range keys {
		for arm, variant := range soakVariants {
			var n, buyers, cents, squares, buys, buysSquared int64
			for i := range s.units {
				if soakVariant(i, j) != arm {
					continue
				}
				u := &s.units[i]
				n++
				buyers += int64(min(u.buys, 1))
				cents, squares = cents+int64(u.cents), squares+int64(u.cents)*int64(u.cents)
				buys, buysSquared = buys+int64(u.buys), buysSquared+int64(u.buys)*int64(u.buys)
			}
			for metric, y := range map[string][2]int64{"revenue": {cents, squares}, "conversion": {buyers, buyers}, "purchases": {buys, buysSquared}} {
				out[key+" "+variant+" "+metric] = fmt.Sprintf("n %d Σ %d Σ² %d", n, y[0], y[1])
			}
		}
	}
	return out
}

// soakFiles are the experiments of the stream and their metrics.
func soakFiles() []experiment.File {
	all := []experiment.File{metric("revenue", "mean", "decimals: 2\n"), metric("conversion", "proportion", ""), metric("purchases", "count", "")}
	for _, key := range keys {
		all = append(all, experiment.File{Name: "experiments/" + key + ".yaml", Data: fmt.Appendf(nil, `key: %s
owner: bench
variants: {control: 50%%, treatment: 50%%}
control: control
window: 1h
dimensions: [{attribute: country, values: [DE, FR]}, {attribute: device, values: [mobile, desktop]}]
goals: [revenue, conversion, purchases]
`, key)})
	}
	return all
}
