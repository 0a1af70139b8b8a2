module github.com/sporeengine/spore/gpu/cudaworker

go 1.26.0

replace github.com/sporeengine/spore => ../..

require (
	github.com/ebitengine/purego v0.11.3
	github.com/sporeengine/spore v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/google/jsonschema-go v0.4.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
