// Package realkafka runs an Apache Kafka of one or several brokers for tests: on
// 127.0.0.1, on free ports, in a folder of their own. The embedded broker is
// laxer than a real one in places, so what assay promises is tried on both.
//
// The jars come from `make kafka`; Java runs them. Brokers may be killed, stopped
// and started again on what they had written, which is what the tests are for.
package realkafka
