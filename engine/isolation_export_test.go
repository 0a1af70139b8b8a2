package engine

// SetWorkerArgs makes e start its worker processes with other arguments.
func SetWorkerArgs(e *Engine, args ...string) { e.workerArgs = args }

// WorkerProcesses returns the process numbers of e's worker processes.
func WorkerProcesses(e *Engine) (pids []int) {
	for name, l := range e.languages {
		if l.processes == nil || name != l.runtime.Language {
			continue
		}
		l.processes.mu.Lock()
		for p := range l.processes.all {
			pids = append(pids, p.cmd.Process.Pid)
		}
		l.processes.mu.Unlock()
	}
	return pids
}

// BusyWorkers returns those that have an owner.
func BusyWorkers(e *Engine) (pids []int) {
	for name, l := range e.languages {
		if l.processes == nil || name != l.runtime.Language {
			continue
		}
		l.processes.mu.Lock()
		for p := range l.processes.all {
			if p.bound {
				pids = append(pids, p.cmd.Process.Pid)
			}
		}
		l.processes.mu.Unlock()
	}
	return pids
}

// Greeting is what a worker process sends first.
var Greeting = greeting

const (
	ProcessGrace = processGrace
	CancelGrace  = cancelGrace
)
