// Package clock gives guests the time of the host, as exactly as you like.
//
// A guest has a clock of its own (Date.now, time.time). This one is for what
// that clock lacks: time zones, a time that the embedder shifts or freezes, and a resolution too
// coarse to time the host with.
package clock

import (
	"context"
	"slices"
	"time"

	"github.com/sporeengine/spore/hostfuncs"
)

// DefaultResolution is used if Options.Resolution is not positive.
const DefaultResolution = time.Millisecond

// Options of [Functions]. The zero value is the host's clock in UTC, to the
// millisecond.
type Options struct {
	// Resolution is what the time is rounded down to.
	Resolution time.Duration

	// Zones are the time zones that a guest may ask for by name. The first is what
	// it gets otherwise. None means UTC.
	Zones []*time.Location

	// Now is the clock, which must be safe for concurrent use. Nil means [time.Now].
	Now func() time.Time
}

type question struct {
	Zone string `json:"zone,omitempty" jsonschema:"such as Europe/Oslo; the host decides which there are"`
}

// A reading is a time in forms that need no library.
type reading struct {
	UnixMS int64  `json:"unix_ms" jsonschema:"milliseconds since 1970-01-01T00:00:00Z"`
	Time   string `json:"time" jsonschema:"local, as in 2026-11-25T23:01:02.003+01:00"`
	Zone   string `json:"zone"`
	Offset int    `json:"offset" jsonschema:"of the zone from UTC, in seconds, at this time"`
}

// Functions returns clock.now.
func Functions(opts Options) []hostfuncs.Func {
	resolution, zones, clock := opts.Resolution, slices.Clone(opts.Zones), opts.Now
	if resolution <= 0 {
		resolution = DefaultResolution
	}
	if len(zones) == 0 {
		zones = []*time.Location{time.UTC}
	}
	if clock == nil {
		clock = time.Now
	}
	now := hostfuncs.New("clock.now", "The time of day, in the host's time zone or in one of those that it offers.",
		func(_ context.Context, q question) (reading, error) {
			zone := zones[0]
			if q.Zone != "" {
				i := slices.IndexFunc(zones, func(z *time.Location) bool { return z.String() == q.Zone })
				if i < 0 {
					return reading{}, hostfuncs.Errorf(hostfuncs.CodeDenied, "there is no time zone %.100q here", q.Zone)
				}
				zone = zones[i]
			}
			t := clock().Truncate(resolution).In(zone)
			_, offset := t.Zone()
			return reading{UnixMS: t.UnixMilli(), Time: t.Format("2006-01-02T15:04:05.000Z07:00"), Zone: zone.String(), Offset: offset}, nil
		})
	now.Quick = true
	return []hostfuncs.Func{now}
}
