package app

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// newFaults counts statements that ClickHouse did not carry out.
func newFaults() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "assay_clickhouse_errors_total",
		Help: "Tries of statements that failed, by the server's error code (system.errors has their names); 0: it did not answer.",
	}, []string{"code"})
}

// RegisterFaults is for who lists metrics.
func RegisterFaults(r prometheus.Registerer) error { return r.Register(newFaults()) }

// failed counts one.
func (s *Stack) failed(code int32) { s.faults.WithLabelValues(strconv.Itoa(int(code))).Inc() }
