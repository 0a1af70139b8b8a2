package fetch

import "net/netip"

// special are addresses that are not on the public internet, or whose packets end up
// elsewhere than it seems: the IANA registries of special-purpose addresses (RFC 6890 and
// its updates), multicast, and the address by which machines of Azure reach
// their host, which looks like any other.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
	"168.63.129.16/32",
	// Of 2000::/3, all that is in use: protocol assignments with Teredo and ORCHID,
	// documentation, 6to4.
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

var (
	global6 = netip.MustParsePrefix("2000::/3")
	nat64   = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052; the other one, RFC 8215, is for private use
)

func prefixes(s ...string) []netip.Prefix {
	p := make([]netip.Prefix, len(s))
	for i := range s {
		p[i] = netip.MustParsePrefix(s[i])
	}
	return p
}

// isPublic reports whether a is the address of a machine on the public internet. An IPv4 address
// inside an IPv6 one is judged by itself if the network may translate it (mapped, NAT64); other kinds of
// tunnels (6to4, Teredo, IPv4-compatible) are not public.
func isPublic(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if a.Is6() && !global6.Contains(a) {
		return false
	}
	return a.IsValid() && !contains(special, a)
}

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
