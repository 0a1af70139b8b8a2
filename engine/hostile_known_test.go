package engine_test

// knownDeviations are the programs that do not end as their headers say they
// should, with the outcome they have today. testdata/hostile/KNOWN.md explains
// each. A program that ends right fails the test until it is removed here.
var knownDeviations = map[string]string{}
