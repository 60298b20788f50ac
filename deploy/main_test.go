package deploy_test

import (
	"os"
	"testing"

	"github.com/assay-dev/assay/internal/embedded"
)

func TestMain(m *testing.M) {
	embedded.RunChildIfAsked()
	beEngineIfAsked()
	code := m.Run()
	stopEngine()
	removeBinary()
	os.Exit(code)
}
