package embedded_test

import (
	"testing"

	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

func TestEngineAnswers(t *testing.T) {
	c := embeddedtest.ClickHouse(t)
	t.Log(c.Addr(), c.HTTPAddr(), c.Pid())
}
