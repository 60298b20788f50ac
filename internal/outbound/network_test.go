package outbound_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/outbound"
)

func TestForbidden(t *testing.T) {
	for text, want := range map[string]bool{
		"169.254.169.254": true, "169.254.0.1": true, "fe80::1": true, "fe80::1%eth0": true, "febf::1": true,
		"::ffff:169.254.169.254": true, "64:ff9b::a9fe:a9fe": true, "fd00:ec2::254": true, "100.100.100.200": true,
		"127.0.0.1": false, "::1": false, "10.0.0.1": false, "169.253.0.1": false, "fec0::1": false, "64:ff9b::a00:1": false, "100.100.100.201": false,
	} {
		if got := outbound.Forbidden(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: forbidden %v, want %v", text, got, want)
		}
	}
}

// TestTransport: what may not be dialled is refused however it is written, and a
// certificate that nobody vouches for is not believed.
func TestTransport(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	transport := outbound.NewTransport()
	transport.Proxy = nil
	get := func(address string) error {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(request)
		if err == nil {
			response.Body.Close()
		}
		return err
	}
	for _, address := range []string{"http://169.254.169.254/latest", "http://[::ffff:a9fe:a9fe]/", "https://[fd00:ec2::254]/"} {
		if err := get(address); !errors.Is(err, outbound.ErrForbidden) {
			t.Errorf("%s: %v, want it refused", address, err)
		}
	}
	if err := get(server.URL); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}
}
