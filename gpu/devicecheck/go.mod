module github.com/sporeengine/spore/gpu/devicecheck

go 1.26.0

replace (
	github.com/sporeengine/spore => ../..
	github.com/sporeengine/spore/gpu/cudaworker => ../cudaworker
)

require (
	github.com/sporeengine/spore v0.0.0-00010101000000-000000000000
	github.com/sporeengine/spore/gpu/cudaworker v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
	golang.org/x/sys v0.49.0
)

require (
	github.com/ebitengine/purego v0.11.3 // indirect
	github.com/google/jsonschema-go v0.4.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)
