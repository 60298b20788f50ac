package deploy_test

import (
	"flag"
	"os"
	"testing"

	"github.com/assay-dev/assay/internal/embedded"
)

// update rewrites the generated parts of docs/.
var update = flag.Bool("update", false, "rewrite the generated documentation")

func TestMain(m *testing.M) {
	embedded.RunChildIfAsked()
	beEngineIfAsked()
	code := m.Run()
	stopEngine()
	removeBinary()
	os.Exit(code)
}
