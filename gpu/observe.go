package gpu

import "time"

// An Observation is what one evaluation of a program took, see [Config].
type Observation struct {
	Tenant string

	// Backend is the name of the backend that worked on it, "" if none did; Fallback says that it was Config.Fallback.
	Backend  string
	Fallback bool

	// Queue is the time until it was the call's turn, and Total that until its end. Worker is the time from the request to the worker's
	// answer; Device is the part of it that the backend worked, by the worker's word, in whole microseconds. What Worker has beside are copies
	// and the way to the worker; what Total has beside is the start of a worker and constants that it had not got yet.
	Queue, Worker, Device, Total time.Duration

	Input, Output int64 // bytes, constants not counted
	Err           error
}
