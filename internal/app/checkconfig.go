package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
)

// CheckConfig reads what a start would read before it connects to anything: secrets,
// mappings, certificates.
func CheckConfig(c config.Config) []error {
	problems := c.Unresolved()
	add := func(setting string, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", setting, err))
		}
	}
	_, err := sourceTopics(c.Kafka)
	add("kafka.topics", err)
	_, err = serverTLS(c.Access.TLS)
	add("access.tls", err)
	add("backup.to", clickhouse.Destination(c.Backup.To).Check())
	if len(problems) > 0 {
		return problems // what follows reads secrets and would name them again
	}
	_, err = KafkaClient(c.Kafka)
	add("kafka", err)
	local := c.Verify
	if strings.Contains(local.JWKS, "://") {
		local.JWKS = "" // nothing is connected to
	}
	_, err = prover(context.Background(), local)
	add("verification", err)
	_, err = newSwitches(c.Switches)
	add("switches", err)
	return problems
}
