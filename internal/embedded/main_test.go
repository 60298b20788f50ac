package embedded_test

import (
	"testing"

	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }
