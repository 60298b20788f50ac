package app

import (
	"context"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/privacy"
)

// PrivacyTerms are what the operator's configuration says of people.
func PrivacyTerms(c config.Config) privacy.Terms {
	t := privacy.Terms{
		Attributes: c.Privacy.Attributes, Sensitive: c.Governance.Sensitive, Verify: map[string]string{},
		DeadLetters: c.Kafka.DeadLetters, SmallestCell: int64(c.Privacy.SmallestCell), Backups: c.Backup.Keep, Retention: map[string]time.Duration{},
	}
	for kind, d := range c.Privacy.Retention {
		t.Retention[kind] = d.Std()
	}
	for _, topic := range c.Kafka.Topics {
		t.Topics = append(t.Topics, topic.Name)
		if topic.Verify != "" {
			t.Verify[topic.Name] = topic.Verify
		}
	}
	return t
}

// PrivacyNotice says what is stored of an experiment's units, why and until when.
func (s *Stack) PrivacyNotice(v *experiment.Version, e *experiment.Experiment) privacy.Notice {
	return privacy.Of(v, e, PrivacyTerms(s.Config))
}

// PrivacyNotice is that of the configuration in force.
func (c *Catalog) PrivacyNotice(ctx context.Context, key string) (privacy.Notice, error) {
	v, err := c.Configuration(ctx, 0)
	if err != nil {
		return privacy.Notice{}, err
	}
	e := v.Find(key)
	if e == nil {
		return privacy.Notice{}, &catalog.Missing{What: "experiment " + key, Hint: "/api/v1/experiments lists them"}
	}
	return c.stack.PrivacyNotice(v, e), nil
}
