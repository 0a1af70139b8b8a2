module github.com/sporeengine/spore/hostfuncs/kv/boltkv

go 1.26.0

replace github.com/sporeengine/spore => ../../..

require (
	github.com/sporeengine/spore v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
	go.etcd.io/bbolt v1.5.0
)

require (
	github.com/google/jsonschema-go v0.4.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
