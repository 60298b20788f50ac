package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/doctor"
)

const doctorPartitions = 4

// newDoctorWorld is a broker with a healthy topic, one whose producers partition by
// crc32, and one of another system's events.
func newDoctorWorld(t *testing.T) *Stack {
	t.Helper()
	s := newStack(t)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(doctorPartitions, "good", "astray", "web", "odd"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	s.Brokers = cluster.ListenAddrs()
	s.Config.Kafka.Topics = []config.Topic{{Name: "good"}, {Name: "astray"}}
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	now := time.Now().UnixMilli()
	for i := range 60 {
		unit := fmt.Sprint("u-", i)
		put := func(topic string, by ingest.Partitioner, format string, args ...any) {
			r := &kgo.Record{Topic: topic, Partition: ingest.Partition([]byte(unit), doctorPartitions, by), Key: []byte(unit), Value: fmt.Appendf(nil, format, args...)}
			if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		put("good", ingest.Murmur2, `{"type":"exposure","ts":%d,"unit":%q,"experiment":"cta","variant":"a"}`, now, unit)
		put("astray", ingest.CRC32, `{"type":"outcome","ts":%d,"unit":%q,"event":"buy"}`, now, unit)
		put("web", ingest.Murmur2, `{"type":"track","event":"Experiment Viewed","messageId":"m-%d","userId":%q,"timestamp":%q,"properties":{"experiment_id":"cta","variation_id":"a"}}`,
			i, unit, time.UnixMilli(now).UTC().Format(time.RFC3339Nano))
		put("odd", ingest.Murmur2, `{"visitor_id":%q,"when":%d,"group":"a","test":"cta"}`, unit, now)
	}
	return s
}

func findings(r doctor.Report, check, subject string) (out []doctor.Finding) {
	for _, f := range r.Findings {
		if f.Check == check && f.Subject == subject {
			out = append(out, f)
		}
	}
	return out
}

func TestDoctor(t *testing.T) {
	s := newDoctorWorld(t)
	r, err := s.Doctor(t.Context(), 400, "", false, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if f := findings(r, doctor.Partitioner, "astray"); len(f) != 1 || f[0].Level != doctor.Fault || !strings.Contains(f[0].Remedy, "crc32") {
		t.Errorf("the topic partitioned by crc32: %+v", f)
	}
	if f := findings(r, doctor.Partitioner, "good"); len(f) != 1 || f[0].Level != doctor.OK {
		t.Errorf("the good topic: %+v", f)
	}
	if f := findings(r, doctor.Decoding, "good"); len(f) != 1 || !strings.Contains(f[0].Detail, "60 are exposures") {
		t.Errorf("the good topic's records: %+v", f)
	}
	if f := findings(r, doctor.Shards, "shards 0, 1, 2, 3"); len(f) != 1 || f[0].Level != doctor.Fault {
		t.Errorf("nobody reads the shards: %+v", r.Findings)
	}
	if len(r.Findings) == 0 || r.Findings[0].Level != doctor.Fault {
		t.Errorf("the worst does not come first: %+v", r.Findings)
	}
}

// TestDoctorProposesMappings: for a declared topic that is another system's, for
// one that is not declared, and a draft for what nobody knows.
func TestDoctorProposesMappings(t *testing.T) {
	s := newDoctorWorld(t)
	s.Config.Kafka.Topics = []config.Topic{{Name: "good"}, {Name: "web"}}
	r, err := s.Doctor(t.Context(), 400, "", false, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	segment := func(r doctor.Report) {
		t.Helper()
		if f := findings(r, doctor.Mapping, "web"); len(f) != 1 || !strings.Contains(f[0].Remedy, "mapping: segment") || !strings.Contains(f[0].Detail, "60 exposures") {
			t.Errorf("proposal for the web topic: %+v", f)
		}
	}
	segment(r)
	r, err = s.Doctor(t.Context(), 400, "web", false, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	segment(r)
	if len(r.Findings) != 1 {
		t.Errorf("one topic was asked for: %+v", r.Findings)
	}
	r, err = s.Doctor(t.Context(), 400, "odd", false, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Drafts) != 1 || !strings.Contains(r.Drafts[0].Text, "visitor_id") || !strings.Contains(r.Drafts[0].Text, "when") {
		t.Errorf("draft for the odd topic: %+v", r)
	}
	if _, err = s.Doctor(t.Context(), 400, "nowhere", false, time.Now()); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("a topic that is not there: %v", err)
	}
}
