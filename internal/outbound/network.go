package outbound

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrForbidden says that an address is one that nothing configured may have.
var ErrForbidden = errors.New("link-local and cloud metadata addresses are refused")

// metadata are the services of clouds that give credentials away and are not
// link-local: docs.aws.amazon.com (IMDS over IPv6), alibabacloud.com/help/ecs.
var metadata = []netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200")}

// nat64 is the well-known prefix of RFC 6052, in which the last four bytes are
// an address of IPv4.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// Forbidden tells the addresses at which a machine's own credentials are handed
// out, in every way of writing them.
func Forbidden(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	return a.IsLinkLocalUnicast() || a == metadata[0] || a == metadata[1]
}

// NewDialer is the way out. The address is looked at when it is dialled, after
// names have been resolved, so that no name leads where no address may.
func NewDialer() *net.Dialer {
	return &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Control: refuseForbidden}
}

// NewTransport is the way out for HTTP, through a [NewDialer].
func NewTransport() *http.Transport {
	dialer := NewDialer()
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second, MaxIdleConnsPerHost: 2,
	}
}

func refuseForbidden(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if Forbidden(at.Addr()) {
		return ErrForbidden
	}
	return nil
}
