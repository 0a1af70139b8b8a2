package fetch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/hostfuncs/fetch"
)

// A guest may read two parts of an API. It never sees the key by which it does.
func Example() {
	functions, err := fetch.Functions(fetch.Options{Rules: []fetch.Rule{{
		Host:    "api.example.com",
		Paths:   []string{"/v1/weather", "/v1/cities"},
		Headers: map[string]string{"Authorization": "Bearer " + os.Getenv("WEATHER_KEY")},
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	grants, err := hostfuncs.NewSet(functions...)
	if err != nil {
		fmt.Println(err)
		return
	}
	// In TSX: await call("fetch.request", { url: "https://api.example.com/v1/keys" })
	request, _ := grants.Lookup("fetch.request")
	for _, arg := range []string{
		`{"url": "https://api.example.com/v1/keys"}`,
		`{"url": "https://api.example.com/v1/cities", "method": "DELETE"}`,
		`{"url": "http://169.254.169.254/latest/meta-data/"}`,
	} {
		_, err = request.Call(context.Background(), hostfuncs.Value{JSON: json.RawMessage(arg)})
		fmt.Println(err)
	}
	// Output:
	// denied: path "/v1/keys" is not allowed for api.example.com
	// denied: method DELETE is not allowed for api.example.com
	// denied: host 169.254.169.254 is not allowed
}

// A service whose requests are signed, each by itself.
func ExampleRule_inject() {
	rule := fetch.Rule{
		Host: "storage.example.com",
		Inject: func(r *http.Request) error {
			r.Header.Set("Authorization", sign(r.Method, r.URL.Path))
			return nil
		},
	}
	_, err := fetch.Functions(fetch.Options{Rules: []fetch.Rule{rule}})
	fmt.Println(err)
	// Output: <nil>
}

func sign(method, path string) string { return "Signature " + method + path }
