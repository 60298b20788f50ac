package kafka

import (
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/ingest"
)

// Stage is a part of the way whose time is measured.
type Stage string

// The stages. Consume is the time spent waiting for records; the broker and the
// client's own goroutines work in it.
const (
	Consume Stage = "consume"
	Decode  Stage = "decode"
	Join    Stage = "join"
	Recall  Stage = "recall" // reading evicted units back; its records are units
	Encode  Stage = "encode" // events into rows
	Insert  Stage = "insert" // records into events, and notes of dead letters
	Append  Stage = "append" // a part into the ledger
)

// observe measures one stretch of a stage.
func (c *Consumer) observe(stage Stage, began time.Time, records int) {
	took := c.cfg.Now().Sub(began)
	c.metrics.seconds.WithLabelValues(string(stage)).Observe(took.Seconds())
	if c.cfg.Observe != nil {
		c.cfg.Observe(stage, took, records)
	}
}

type metrics struct {
	records  *prometheus.CounterVec
	dead     *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	rows     prometheus.Counter
	parts    prometheus.Counter
	lag      *prometheus.GaugeVec
	age      *prometheus.GaugeVec
	ok       *prometheus.GaugeVec
	restarts *prometheus.CounterVec
	bytes    *prometheus.GaugeVec
	units    *prometheus.GaugeVec
	loading  *prometheus.GaugeVec
	evicted  prometheus.Counter
	recalled prometheus.Counter
	recalls  prometheus.Counter
	unknown  *prometheus.CounterVec
	differs  *prometheus.GaugeVec
	backs    prometheus.Counter
	reported prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_ingest_records_total", Help: "Offsets that became durable, by topic and by what became of the record."}, []string{"topic", "fate"}),
		dead: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_ingest_dead_letters_total", Help: "Records that cannot be events, by topic and reason; those that the topic's mapping leaves out too."},
			[]string{"topic", "reason"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "assay_ingest_stage_seconds", Help: "Time of one stretch of a stage.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9)}, []string{"stage"}),
		rows: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "assay_ingest_ledger_rows_total", Help: "Delta rows that became durable."}),
		parts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "assay_ingest_parts_total", Help: "Parts that became durable."}),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "assay_ingest_lag_records", Help: "Offsets between what is durable and the end of the log, over all topics."}, []string{"shard"}),
		age: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "assay_ingest_freshness_seconds", Help: "Age of the time up to which everything has been read."}, []string{"shard"}),
		ok: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "assay_ingest_shard_ok", Help: "1 if the shard goes on as it should, 0 if its state blinds the guard."}, []string{"shard"}),
		restarts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_ingest_shard_restarts_total", Help: "Times that a shard dropped its memory or stopped, by reason."}, []string{"reason"}),
	}
	m.bytes = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "assay_ingest_state_bytes", Help: "Memory that a shard's state takes."}, []string{"shard"})
	m.units = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "assay_ingest_state_units", Help: "Units that are in memory."}, []string{"shard"})
	m.loading = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "assay_ingest_state_loading", Help: "1 while a shard that counts already still reads its units into memory; units that are needed before are read back one batch at a time."}, []string{"shard"})
	m.evicted = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "assay_ingest_evicted_units_total", Help: "Units that had to leave memory. They are read back when they are needed."})
	m.recalled = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "assay_ingest_recalled_units_total", Help: "Units that were read back, with those few that turned out to be new."})
	m.recalls = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "assay_ingest_recalls_total", Help: "Queries that read units back; their time is stage recall."})
	m.unknown = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "assay_ingest_unknown_experiment_total", Help: "Exposures of experiments that the configuration does not have, by topic; they count once it does."}, []string{"topic"})
	m.backs = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "assay_ingest_ledger_back_total", Help: "Times that a shard found less in the ledger than it had written: it was truncated or restored, or the server lost its newest parts."})
	m.reported = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "assay_ingest_last_report_timestamp_seconds", Help: "When the consumer last looked at its shards and topics, whether these answered or not."})
	m.differs = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "assay_reconciliation_difference", Help: "Offsets that do not have exactly one fate in the marks, by shard and topic; must be 0."}, []string{"shard", "topic"})
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.records, m.dead, m.seconds, m.rows, m.parts, m.lag, m.age, m.ok, m.restarts,
		m.bytes, m.units, m.loading, m.evicted, m.recalled, m.recalls, m.unknown, m.differs, m.backs, m.reported} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// committed counts a durable part.
func (m *metrics) committed(l *life, job work) {
	part := job.part
	m.parts.Inc()
	m.rows.Add(float64(len(part.Rows)))
	if job.batch != nil {
		for topic, n := range job.batch.unknown {
			m.unknown.WithLabelValues(l.names[topic]).Add(float64(n))
		}
	}
	for _, c := range part.Offsets {
		filtered := m.died(l, job.batch, c.Topic)
		for fate, n := range map[string]uint64{
			"accepted": c.Accepted, "duplicate": c.Duplicate, "dead": c.Dead - filtered, "filtered": filtered, "misplaced": c.Misplaced,
			"suppressed": c.Suppressed, "shed": c.Shed, "no_record": c.NoRecord, "gap": c.Gap,
		} {
			if n > 0 {
				m.records.WithLabelValues(l.names[c.Topic], fate).Add(float64(n))
			}
		}
	}
}

// reconciled sets what a topic of a shard leaves unaccounted for.
func (m *metrics) reconciled(r Reconciled) {
	m.differs.WithLabelValues(strconv.Itoa(int(r.Shard)), r.Topic).Set(float64(r.Difference))
}

// died counts the dead records of one topic by reason, and returns how many of
// them only its mapping leaves out.
func (m *metrics) died(l *life, b *batch, topic uint8) (filtered uint64) {
	if b == nil {
		return 0
	}
	for i := range b.dead {
		if d := &b.dead[i]; d.Place.Topic == topic {
			m.dead.WithLabelValues(l.names[topic], string(d.Reason)).Inc()
			if d.Reason == ingest.Filtered {
				filtered++
			}
		}
	}
	return filtered
}

// restarted counts why a shard dropped its memory.
func (m *metrics) restarted(why error) {
	reason := "error"
	var stopped *halt
	switch {
	case errors.As(why, &stopped):
		reason = stopped.state
	case errors.Is(why, errLost):
		reason = "lost"
	case errors.Is(why, errReloaded):
		reason = "topics"
	case errors.Is(why, errBack):
		reason = "back"
	case errors.Is(why, errAnotherRun):
		reason = "server"
	}
	m.restarts.WithLabelValues(reason).Inc()
}

// told sets the gauges of a shard to its status.
func (m *metrics) told(shard uint16, lag int64, age time.Duration, ok bool) {
	label := strconv.Itoa(int(shard))
	m.lag.WithLabelValues(label).Set(float64(lag))
	m.age.WithLabelValues(label).Set(age.Seconds())
	m.ok.WithLabelValues(label).Set(truth(ok))
}

// holds sets the gauges of a shard's state.
func (m *metrics) holds(shard uint16, bytes int64, units int) {
	label := strconv.Itoa(int(shard))
	m.bytes.WithLabelValues(label).Set(float64(bytes))
	m.units.WithLabelValues(label).Set(float64(units))
}

// loads notes whether a shard's units are still being read into memory.
func (m *metrics) loads(shard uint16, yes bool) {
	m.loading.WithLabelValues(strconv.Itoa(int(shard))).Set(truth(yes))
}

// truth is 1 of what is so.
func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// forget drops the gauges of a shard that somebody else has now.
func (m *metrics) forget(shard uint16) {
	label := strconv.Itoa(int(shard))
	for _, g := range []*prometheus.GaugeVec{m.lag, m.age, m.ok, m.bytes, m.units, m.loading} {
		g.DeleteLabelValues(label)
	}
	m.differs.DeletePartialMatch(prometheus.Labels{"shard": label})
}
