package engine

// selfExecutable returns the program of this process, also if its file was
// replaced since.
func selfExecutable() (string, error) { return "/proc/self/exe", nil }
