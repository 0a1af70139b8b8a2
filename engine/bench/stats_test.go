package main

import (
	"testing"
	"time"
)

func TestPercentileIsAMeasuredValue(t *testing.T) {
	var hundred samples
	for i := 100; i > 0; i-- {
		hundred = append(hundred, time.Duration(i))
	}
	for _, test := range []struct {
		s       samples
		percent float64
		want    time.Duration
	}{
		{hundred, 50, 50},
		{hundred, 99, 99},
		{hundred, 100, 100},
		{hundred, 0, 1},
		{samples{3, 1, 2}, 50, 2},
		{samples{3, 1, 2}, 99, 3},
		{samples{7}, 50, 7},
	} {
		if got := test.s.p(test.percent); got != test.want {
			t.Errorf("p(%v) of %d samples is %d, want %d", test.percent, len(test.s), got, test.want)
		}
	}
	if hundred[0] != 100 {
		t.Error("p has sorted its receiver")
	}
}

func TestFormat(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                       "0 ns",
		999:                     "999 ns",
		3456:                    "3.46 µs",
		45678:                   "45.7 µs",
		456789:                  "457 µs",
		1500 * time.Microsecond: "1.50 ms",
		61 * time.Millisecond:   "61.0 ms",
		4700 * time.Millisecond: "4.70 s",
	} {
		if got := format(d); got != want {
			t.Errorf("format(%d) = %q, want %q", d, got, want)
		}
	}
	if got := ratio(150*time.Millisecond, time.Millisecond); got != "150×" {
		t.Errorf("ratio: %q", got)
	}
	if got := significant(0.0421); got != "0.042" {
		t.Errorf("significant: %q", got)
	}
}
