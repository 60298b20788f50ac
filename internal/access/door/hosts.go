package door

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// hosts are the names that the door answers to. A page of somebody else's whose
// name was made to lead here (DNS rebinding) sends its own.
type hosts map[string]bool

func newHosts(names []string) hosts {
	h := hosts{"localhost": true}
	for _, n := range names {
		h[strings.ToLower(n)] = true
	}
	return h
}

// know tells whether a request is addressed to a name of ours, to loopback, or to
// the address at which it came in. Ports say nothing: a forwarded one may be any.
func (h hosts) know(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	if h[host] {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	return ip.Unmap().IsLoopback() || ip.Unmap() == localAddr(r)
}

// localAddr is the address of this end of the connection.
func localAddr(r *http.Request) netip.Addr {
	a, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	ip, _ := netip.AddrFromSlice(a.IP)
	return ip.Unmap()
}

// remoteAddr is the address of the other end. What a proxy says of another one is
// not believed.
func remoteAddr(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
