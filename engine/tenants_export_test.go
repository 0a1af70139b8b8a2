package engine

import "fmt"

// CountTenants returns a function that counts a call for one of many tenants, of which max are kept.
func CountTenants(max int) func(i int) {
	s := &tenants{max: max}
	names := make([]string, 2*max)
	for i := range names {
		names[i] = fmt.Sprint("tenant ", i)
	}
	u := &Usage{Guest: 1, Fuel: 1}
	return func(i int) { s.called(names[i], u, nil) }
}
