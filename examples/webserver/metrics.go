package main

import (
	"fmt"
	"net/http"
)

// serveMetrics writes the counters of the engine in the text format of
// Prometheus, under the names that package promspore gives them: a server with the client
// of Prometheus uses that, which has histograms and tenants too.
func (s *server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	st := s.eng.Stats()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	for _, m := range []struct {
		name, kind, help string
		value            any
	}{
		{"spore_components", "gauge", "Components compiled or loaded, and not closed.", st.Components},
		{"spore_compiles_total", "counter", "Components compiled or loaded.", st.Compiles},
		{"spore_calls_total", "counter", "Renders and calls begun.", st.Renders},
		{"spore_call_errors_total", "counter", "Renders and calls that failed.", st.Errors},
		{"spore_call_limits_total", "counter", "Renders and calls ended by a limit.", st.Limits},
		{"spore_waits_total", "counter", "Calls that waited for room or for a worker.", st.Waits},
		{"spore_guests", "gauge", "Calls and compilations in progress.", st.Guests},
		{"spore_guest_memory_bytes", "gauge", "Memory that they may use.", st.GuestMemory},
		{"spore_waiting_calls", "gauge", "Calls that wait for room.", st.Waiting},
		{"spore_images", "gauge", "Component images mapped.", st.Images},
		{"spore_image_bytes", "gauge", "Bytes of component images mapped.", st.ImageBytes},
		{"spore_image_builds_total", "counter", "Images mapped again after they had been dropped.", st.ImageBuilds},
		{"spore_idle_memories", "gauge", "Guest memories ready for a render.", st.Memories},
	} {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s %d\n", m.name, m.help, m.name, m.kind, m.name, m.value)
	}
}
