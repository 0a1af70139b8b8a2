module github.com/sporeengine/spore/engine/promspore

go 1.26.0

replace github.com/sporeengine/spore => ../..

require github.com/sporeengine/spore v0.0.0-00010101000000-000000000000

require github.com/prometheus/client_golang v1.25.0 // indirect
