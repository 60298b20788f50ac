package app

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

// Somebody takes a part out of the ledger under a live writer: the writer stops
// and says so, and a new start does not go on either.
//
// semantics: chain
func TestLedgerCutUnderALiveWriter(t *testing.T) {
	s := newStack(t)
	write, broker := s.liveWriter(t)
	stop := s.consume(t, broker)
	s.threeParts(t, write)
	s.exec(t, "ALTER TABLE ledger DELETE WHERE seq = 2 SETTINGS mutations_sync = 2")
	write(4)
	s.await(t, "the shard stops", func(state string, _ uint64) bool { return state == kafka.StateChain })
	stop()
	defer s.consume(t, broker)()
	s.await(t, "a new start stops as well", func(state string, _ uint64) bool { return state == kafka.StateChain })
}

// Somebody truncates the whole ledger: the writer loses its next part, reads the
// empty ledger, and counts everything again from Kafka.
//
// semantics: chain
func TestLedgerTruncatedUnderALiveWriter(t *testing.T) {
	s := newStack(t)
	write, broker := s.liveWriter(t)
	defer s.consume(t, broker)()
	s.threeParts(t, write)
	s.exec(t, "TRUNCATE TABLE ledger")
	write(4)
	s.await(t, "everything is counted again", func(state string, _ uint64) bool {
		all, err := s.DB.Reconcile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return state == kafka.StateOK && len(all) == 1 && all[0].From == 0 && all[0].Next == 4 && all[0].Accepted == 4 && all[0].Difference == 0
	})
	if faults, err := s.DB.CheckChain(t.Context()); err != nil || len(faults) > 0 {
		t.Errorf("%+v, %v", faults, err)
	}
}

// The same while nothing comes in, so that nobody appends and loses.
//
// semantics: chain
func TestLedgerTruncatedUnderAnIdleWriter(t *testing.T) {
	s := newStack(t)
	write, broker := s.liveWriter(t)
	defer s.consume(t, broker)()
	s.threeParts(t, write)
	s.exec(t, "TRUNCATE TABLE ledger")
	s.await(t, "everything is counted again", func(state string, _ uint64) bool {
		all, err := s.DB.Reconcile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return state == kafka.StateOK && len(all) == 1 && all[0].From == 0 && all[0].Next == 3 && all[0].Accepted == 3
	})
}

// An insert that was accepted lands in a ledger that was truncated meanwhile. The
// constraint that keeps everybody else from it is out of the way.
//
// semantics: chain
func TestLedgerTruncatedUnderAnInsert(t *testing.T) {
	w := newLookWorld(t)
	w.exec(t, "ALTER TABLE ledger DROP CONSTRAINT append")
	w.exec(t, "TRUNCATE TABLE ledger")
	next := ingest.Part{Shard: 0, Seq: w.seq + 1, Config: 1}
	if a, err := w.DB.AppendPart(t.Context(), nil, next); a != clickhouse.Unknown || err == nil || !strings.Contains(err.Error(), "number 3 is there and 2 is gone") {
		t.Errorf("%v, %v", a, err)
	}
}

// Somebody drops the ledger and restores an older one by hand, then restores the same
// rows once more into it. The first leaves a chain, which is counted on; the second
// does not.
//
// semantics: chain
func TestLedgerRestoredByHandUnderALiveWriter(t *testing.T) {
	s := newStack(t)
	write, broker := s.liveWriter(t)
	defer s.consume(t, broker)()
	s.threeParts(t, write)
	table, place := s.Config.ClickHouse.Database+".ledger", "File('"+s.Config.ClickHouse.Database+"')"
	s.exec(t, "BACKUP TABLE "+table+" TO "+place)
	write(4)
	s.await(t, "part 4", func(_ string, seq uint64) bool { return seq >= 4 })
	s.exec(t, "DROP TABLE "+table+" SYNC")
	s.exec(t, "RESTORE TABLE "+table+" FROM "+place)
	s.await(t, "what came after is counted again", func(state string, _ uint64) bool {
		all, err := s.DB.Reconcile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return state == kafka.StateOK && len(all) == 1 && all[0].Accepted == 4 && all[0].Difference == 0
	})
	s.exec(t, "RESTORE TABLE "+table+" FROM "+place+" SETTINGS allow_non_empty_tables = 1")
	s.await(t, "the shard stops", func(state string, _ uint64) bool { return state == kafka.StateChain })
}

// Nobody reports from a broken ledger, also when no consumer is there to say that it
// is: the last word of the one before was "ok".
//
// semantics: chain
func TestNothingIsReportedFromABrokenLedger(t *testing.T) {
	w := newLookWorld(t)
	w.count("control", 10)
	w.exec(t, "ALTER TABLE ledger DELETE WHERE seq = 2 SETTINGS mutations_sync = 2")
	d := w.look(0)
	if len(d.Troubles) == 0 || d.Troubles[0].Code != kafka.StateChain {
		t.Errorf("a look at it says %+v", d.Troubles)
	}
	g, err := NewGuardLedger(w.DB, nil)
	if err != nil {
		t.Fatal(err)
	}
	statuses, err := g.Statuses(t.Context())
	if err != nil || len(statuses) != 1 || statuses[0].State != kafka.StateChain {
		t.Errorf("a guard reads %+v, %v", statuses, err)
	}
}

// liveWriter is a broker with one topic of one partition, and who writes to it.
func (s *Stack) liveWriter(t *testing.T) (write func(unit int), addr string) {
	t.Helper()
	broker := embeddedtest.Kafka(t, []string{"exposures"}, 1)
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()), kgo.DefaultProduceTopic("exposures"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	write = func(unit int) {
		t.Helper()
		value := fmt.Appendf(nil, `{"type":"exposure","ts":%d,"unit":"u-%d","experiment":"e","variant":"a"}`, time.Now().UnixMilli(), unit)
		if err := client.ProduceSync(t.Context(), &kgo.Record{Key: fmt.Appendf(nil, "u-%d", unit), Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return write, broker.Addr()
}

// threeParts has the consumer write a part for each of three records.
func (s *Stack) threeParts(t *testing.T, write func(int)) {
	t.Helper()
	for n := range 3 {
		write(n)
		s.await(t, fmt.Sprintf("part %d", n+1), func(_ string, seq uint64) bool { return seq >= uint64(n+1) })
	}
}

// exec does what no part of assay may: it changes the tables by hand.
func (s *Stack) exec(t *testing.T, statement string) {
	t.Helper()
	admin := s.endpoints.Admin
	conn, err := driver.Open(&driver.Options{Addr: s.endpoints.ClickHouse,
		Auth: driver.Auth{Database: s.Config.ClickHouse.Database, Username: admin.Name, Password: admin.Password}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// consume runs a consumer until the function is called.
func (s *Stack) consume(t *testing.T, broker string) (stop func()) {
	t.Helper()
	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.DeadLetters = []string{broker}, ""
	cfg.Topics = cfg.Topics[:1]
	cfg.Topics[0].Name = "exposures"
	cfg.ChainEvery, cfg.StatusEvery = 100*time.Millisecond, 50*time.Millisecond
	c, err := kafka.New(cfg, Store(s.DB))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// await asks for the shard's status until something holds.
func (s *Stack) await(t *testing.T, what string, holds func(state string, seq uint64) bool) {
	t.Helper()
	last := ""
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		statuses, err := s.DB.Statuses(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(statuses) > 0 {
			last = fmt.Sprintf("%+v", statuses[0])
			if holds(statuses[0].State, statuses[0].Seq) {
				return
			}
		}
	}
	t.Fatalf("still not so: %s; %s", what, last)
}
