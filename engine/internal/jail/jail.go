// Package jail takes from the running process what a worker of the engine does
// not need: the file system, the network, other processes, new programs, and new
// executable memory.
//
// There is no way back. What is needed later, such as files, is opened before.
package jail

// A Report says what [Enter] could do.
type Report struct {
	// Seccomp: system calls other than those on a short list fail.
	Seccomp bool `json:"seccomp"`
	// Landlock is the version of the kernel's interface by which files, and
	// what else the version knows, were given up as well: a second lock on the
	// same door. 0 means that there is none, for the reason in Note.
	Landlock int `json:"landlock"`
	// Note says why something is missing.
	Note string `json:"note,omitempty"`
}
